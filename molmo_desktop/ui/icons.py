# SPDX-License-Identifier: Apache-2.0
"""The line icons, drawn in the colour of the text around them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SIZES_PX = (16, 20, 32, 40)


@cache
def _svg(name: str) -> str:
    return (files("molmo_desktop.resources") / "icons" / f"{name}.svg").read_text("utf-8")


def pixmap(name: str, colour: str | QColor, size_px: int, ratio: float = 1.0) -> QPixmap:
    """Return an icon as pixels.

    Args:
        name: File name in ``resources/icons`` without its suffix.
        colour: Of the lines.
        size_px: Width and height in device-independent pixels.
        ratio: Device pixels per device-independent pixel.
    """
    svg = _svg(name).replace("currentColor", QColor(colour).name())
    renderer = QSvgRenderer(QByteArray(svg.encode("utf-8")))
    image = QPixmap(round(size_px * ratio), round(size_px * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(name: str, colour: str | QColor, disabled_colour: str | QColor | None = None) -> QIcon:
    """Return an icon in the sizes that buttons and menus use."""
    result = QIcon()
    for size_px in _SIZES_PX:
        result.addPixmap(pixmap(name, colour, size_px))
        if disabled_colour is not None:
            result.addPixmap(pixmap(name, disabled_colour, size_px), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """Return the program's own icon."""
    result = QIcon()
    for size_px in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(pixmap("app", "#000000", size_px))
    return result
