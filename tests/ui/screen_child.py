# SPDX-License-Identifier: Apache-2.0
"""A program on a real screen that takes a picture of a part of it.

A coloured area lies below the program's window. Prints the size and the colour of the attached
picture as JSON, or what the window said instead.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from molmo_desktop.app import create_app


def wait(until: Callable[[], bool], seconds: float = 20.0) -> None:
    """Let the program live until something has happened."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain")
        QApplication.processEvents()
        time.sleep(0.01)


def main() -> None:
    """Take a picture of the coloured area."""
    _application, window = create_app(["molmo-desktop"])
    below = QWidget(None, Qt.WindowType.FramelessWindowHint)
    below.setStyleSheet("background: #20a040")
    below.setGeometry(100, 100, 300, 200)
    if "nothing" not in sys.argv:
        below.show()
    started = time.monotonic()
    wait(lambda: time.monotonic() - started > 0.5)
    window.column.composer.capture_button.click()
    wait(lambda: bool(window.capture.overlays) or bool(window.column.message_bar.text))
    if not window.capture.overlays:
        result = {"said": window.column.message_bar.text, "visible": window.isVisible()}
    else:
        assert not window.isVisible()
        overlay = window.capture.overlays[0]
        wait(lambda: overlay.width() >= 800)
        button = Qt.MouseButton.LeftButton
        QTest.mousePress(overlay, button, pos=QPoint(150, 120))
        QTest.mouseMove(overlay, QPoint(250, 220))
        QTest.mouseMove(overlay, QPoint(349, 269))
        QTest.mouseRelease(overlay, button, pos=QPoint(349, 269))
        wait(lambda: bool(window.backstage.session.attachments))
        path = window.backstage.session.attachments[0].path
        image = QImage(str(path))
        result = {
            "name": path.name,
            "size": [image.width(), image.height()],
            "colours": sorted({image.pixelColor(x, y).name() for x, y in ((2, 2), (150, 100))}),
            "visible": window.isVisible(),
        }
    print(json.dumps(result), flush=True)
    below.close()
    window.close()


if __name__ == "__main__":
    main()
