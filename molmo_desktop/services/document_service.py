# SPDX-License-Identifier: Apache-2.0
"""Reading and rendering files in the background."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.pages import Document, PageImage
from molmo_desktop.services.jobs import Job, Jobs

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant

THUMBNAIL_PX = 96


class DocumentService(QObject):
    """Reads files and draws their pages, without stopping the window.

    Attributes:
        progressed: Path, pages done, pages in all (None = unknown).
        document_read: Path and `Document`.
        reading_failed: Path and error; `Cancelled` when `forget` was called.
    """

    progressed = Signal(object, int, object)
    document_read = Signal(object, object)
    reading_failed = Signal(object, object)

    def __init__(self, assistant: Assistant, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._assistant = assistant
        # Two lines, so that a page can be looked at while a long file is being read.
        self._reading = Jobs(self, thread_count=2)
        self._rendering = Jobs(self, thread_count=1)
        self._jobs: dict[Path, Job] = {}

    def warm_up(self) -> None:
        """Have the reader ready before the first file comes."""
        self._rendering.run(lambda _job: self._assistant.warm_up())

    def read(self, path: Path) -> None:
        """Start to read a file; the signals tell how it goes."""
        if path in self._jobs:
            return
        self._jobs[path] = self._reading.run(
            lambda job: self._assistant.read(path, on_progress=job.report, cancel=job.cancel_token),
            on_done=lambda document: self._on_read(path, document),
            on_failed=lambda error: self._on_failed(path, error),
            on_progress=lambda done, total: self.progressed.emit(path, done, total),
        )

    def forget(self, path: Path) -> None:
        """Stop reading a file that is not wanted any more."""
        if path in self._jobs:
            self._jobs[path].cancel()

    def render(
        self,
        path: Path,
        page_number: int,
        max_px: int,
        on_done: Callable[[QImage], None],
        on_failed: Callable[[MolmoDesktopError], None],
    ) -> Job:
        """Draw a page of a PDF, or a picture.

        Args:
            path: The file.
            page_number: Counts from 1.
            max_px: Upper bound of the longer side.
            on_done: Gets the page as an image.
            on_failed: Gets the error.
        """
        return self._rendering.run(
            lambda job: to_qimage(
                self._assistant.render(path, page_number, max_px=max_px, cancel=job.cancel_token)
            ),
            on_done=on_done,
            on_failed=on_failed,
        )

    def thumbnail(self, path: Path, on_done: Callable[[QImage], None]) -> Job:
        """Draw the first page small; a file that has no picture of itself stays without one."""
        return self.render(path, 1, THUMBNAIL_PX, on_done, lambda _error: None)

    def save_picture(
        self,
        image: QImage,
        what: str,
        folder: Path,
        on_done: Callable[[Path], None],
        on_failed: Callable[[MolmoDesktopError], None],
    ) -> Job:
        """Keep a picture that came without a file as PNG, so that it is there after a restart.

        Args:
            image: The picture.
            what: Beginning of the file's name: where the picture is from.
            folder: Where to; made if missing.
            on_done: Gets the new file.
            on_failed: Gets the error.
        """
        name = f"{what} {datetime.now():%Y-%m-%d %H.%M.%S.%f}"[:-3] + ".png"
        return self._reading.run(
            lambda _job: _saved(image, folder / name), on_done=on_done, on_failed=on_failed
        )

    def close(self) -> None:
        """Stop everything and wait for it."""
        self._reading.close()
        self._rendering.close()

    def _on_read(self, path: Path, document: Document) -> None:
        self._jobs.pop(path, None)
        self.document_read.emit(path, document)

    def _on_failed(self, path: Path, error: MolmoDesktopError) -> None:
        self._jobs.pop(path, None)
        self.reading_failed.emit(path, error)


def to_qimage(page: PageImage) -> QImage:
    """Return a page as an image that owns its pixels; may be used in any thread."""
    image = QImage(
        page.rgb,
        page.width_px,
        page.height_px,
        page.width_px * 3,
        QImage.Format.Format_RGB888,
    )
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _saved(image: QImage, path: Path) -> Path:
    problem = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = str(error)
    if problem or not image.save(str(path)):
        raise MolmoDesktopError(
            "The picture could not be saved.",
            hint=f"Check that {path.parent} can be written and that the disk is not full.",
            detail=problem,
        )
    return path
