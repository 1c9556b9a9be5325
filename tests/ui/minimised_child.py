# SPDX-License-Identifier: Apache-2.0
"""A program whose window is minimised as soon as it is there; says so on standard output."""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from molmo_desktop.app import run
from molmo_desktop.ui.main_window import MainWindow


def minimise() -> None:
    """Minimise the window, or wait until there is one."""
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow):
            widget.showMinimized()
            print("minimised", flush=True)
            return
    QTimer.singleShot(50, minimise)


if __name__ == "__main__":
    application = QApplication(["molmo-desktop"])
    QTimer.singleShot(1500, minimise)
    sys.exit(run(["molmo-desktop"]))
