# SPDX-License-Identifier: Apache-2.0
"""The line icons, drawn in the colour of the text around them."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SIZE_PX = 16
_MOST_KEPT = 512


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
    return _drawn(name, QColor(colour).name(), size_px, ratio)


@lru_cache(maxsize=_MOST_KEPT)
def _drawn(name: str, colour: str, size_px: int, ratio: float) -> QPixmap:
    svg = _svg(name).replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(svg.encode("utf-8")))
    image = QPixmap(round(size_px * ratio), round(size_px * ratio))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image


def icon(
    name: str,
    colour: str | QColor,
    disabled_colour: str | QColor | None = None,
    size_px: int = _SIZE_PX,
) -> QIcon:
    """Return an icon for a button or a field.

    Args:
        name: File name in ``resources/icons`` without its suffix.
        colour: Of the lines.
        disabled_colour: Where nothing can be pressed; None = as Qt fades it.
        size_px: As large as it is shown: each further size would be drawn for nothing.
    """
    result = QIcon()
    # Sharp on the finest of the screens; on the others Qt makes it smaller.
    application = QGuiApplication.instance()
    ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    result.addPixmap(pixmap(name, colour, size_px, ratio))
    if disabled_colour is not None:
        result.addPixmap(pixmap(name, disabled_colour, size_px, ratio), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """Return the program's own icon."""
    result = QIcon()
    for size_px in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(pixmap("app", "#000000", size_px))
    return result
