# SPDX-License-Identifier: Apache-2.0
"""Takes what is dragged over the window or pasted into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QWidget

from molmo_desktop.ui.drop_overlay import DropOverlay
from molmo_desktop.ui.dropped import image_from, paths_from


class DropTarget:
    """Shows the overlay while something is dragged, and passes on what is dropped.

    Args:
        window: Is covered by the overlay.
        add_files: Gets the files.
        add_picture: Gets a picture that came without a file.
    """

    def __init__(
        self,
        window: QWidget,
        add_files: Callable[[list[Path]], None],
        add_picture: Callable[[QImage], None],
    ) -> None:
        self.overlay = DropOverlay(window)
        self._add_files = add_files
        self._add_picture = add_picture
        window.setAcceptDrops(True)

    def enter(self, event: QDragEnterEvent) -> None:
        """Say what a drop would do."""
        mime = event.mimeData()
        if paths := paths_from(mime):
            self.overlay.show_files(paths)
        elif mime.hasImage():
            self.overlay.show_picture()
        else:
            return
        self._accept(event)

    def move(self, event: QDragMoveEvent) -> None:
        """Go on to accept it, wherever in the window."""
        if not self.overlay.isHidden():
            self._accept(event)

    def leave(self) -> None:
        """Uncover the window."""
        self.overlay.hide()

    def drop(self, event: QDropEvent) -> None:
        """Take it."""
        self.overlay.hide()
        if self.take(event.mimeData()):
            self._accept(event)

    def take(self, mime: QMimeData) -> bool:
        """Take files or a picture; False when there is neither."""
        if paths := paths_from(mime):
            self._add_files(paths)
        elif (image := image_from(mime)) is not None:
            self._add_picture(image)
        else:
            return False
        return True

    @staticmethod
    def _accept(event: QDropEvent) -> None:
        # A copy whatever the source offers: a move would delete the user's file afterwards.
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
