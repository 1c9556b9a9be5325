# SPDX-License-Identifier: Apache-2.0
"""Where the window stood and how wide its columns were; a file of ours, not the registry."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow, QSplitter


class WindowState:
    """Remembers places and sizes between runs.

    Args:
        folder: Where the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self._settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)

    def restore(self, window: QMainWindow, splitters: dict[str, QSplitter]) -> bool:
        """Put everything where it was; False when nothing is remembered."""
        geometry = self._settings.value("geometry")
        if not isinstance(geometry, QByteArray):
            return False
        window.restoreGeometry(geometry)
        for name, splitter in splitters.items():
            state = self._settings.value(name)
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
        return True

    def save(self, window: QMainWindow, splitters: dict[str, QSplitter]) -> None:
        """Remember how it is."""
        self._settings.setValue("geometry", window.saveGeometry())
        for name, splitter in splitters.items():
            self._settings.setValue(name, splitter.saveState())
        self._settings.sync()
