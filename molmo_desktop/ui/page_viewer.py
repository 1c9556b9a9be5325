# SPDX-License-Identifier: Apache-2.0
"""Shows a page of an attached file, with the passage that an answer rests on marked.

PDF pages and pictures are drawn; other formats have no fixed pages and are shown as the text
that was read, with the passage marked in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.core.answer import Evidence, Point
from molmo_desktop.core.errors import Cancelled, MolmoDesktopError
from molmo_desktop.core.pages import Document, Page
from molmo_desktop.services.document_service import DocumentService
from molmo_desktop.services.jobs import Job
from molmo_desktop.ui.attachment_tray import can_be_shown
from molmo_desktop.ui.controls import ElidedLabel, IconButton, IconLabel, label
from molmo_desktop.ui.page_canvas import PageCanvas, PageScroll
from molmo_desktop.ui.page_headings import dress_headings
from molmo_desktop.ui.theme import GAP_PX, LIGHT, TIGHT_PX

_HEADER_PX = 42
_STEPS_PX = (800, 1600, 2400, 3600)
_PLACEHOLDER = "Pages and pictures show here,\nwith the passage an answer rests on marked."


class PageViewer(QFrame):
    """One page at a time, with buttons to turn and zoom."""

    def __init__(self, documents: DocumentService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pageViewer")
        self.setAccessibleName("Page viewer")
        self.setProperty("role", "surface")
        self._documents = documents
        self._document: Document | None = None
        self._number = 1
        self._evidence: Evidence | None = None
        self._points: tuple[Point, ...] = ()
        self._job: Job | None = None
        self._drawn_px = 0
        self._wanted: tuple[Path, int, int] | None = None
        self.title = ElidedLabel()
        self.title.setProperty("role", "heading")
        self.place = label("", "caption")
        self.previous_button = IconButton("previous", "Previous page", shortcut="Page up")
        self.next_button = IconButton("next", "Next page", shortcut="Page down")
        self.zoom_out_button = IconButton("zoom-out", "Zoom out", shortcut="-")
        self.zoom_in_button = IconButton("zoom-in", "Zoom in", shortcut="+")
        self.fit_button = IconButton("fit", "Fit the page", shortcut="0")
        self.canvas = PageCanvas()
        self.pages = PageScroll(self.canvas)
        self.text = QTextEdit()
        self.message = label("", "caption", wrap=True)
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self.clear()

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setContentsMargins(12, TIGHT_PX, GAP_PX, TIGHT_PX)
        header.setSpacing(2)
        header.addWidget(self.title, 1)
        header.addWidget(self.place)
        header.addSpacing(TIGHT_PX)
        self._buttons = (
            self.previous_button,
            self.next_button,
            self.zoom_out_button,
            self.zoom_in_button,
            self.fit_button,
        )
        for item in self._buttons:
            header.addWidget(item)
        self.text.setReadOnly(True)
        self.text.setProperty("role", "page")
        self.text.setAccessibleName("Text of the page")
        self.text.setAcceptDrops(False)
        self._stack.addWidget(self._placeholder())
        self._stack.addWidget(self.pages)
        self._stack.addWidget(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._header = QWidget()
        self._header.setLayout(header)
        self._header.setFixedHeight(_HEADER_PX)
        layout.addWidget(self._header)
        layout.addWidget(self._stack, 1)

    def _placeholder(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addStretch()
        layout.addWidget(IconLabel("quote", "", size_px=40), 0, Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.message)
        layout.addStretch()
        return page

    def _connect(self) -> None:
        self.previous_button.clicked.connect(lambda: self.turn(-1))
        self.next_button.clicked.connect(lambda: self.turn(1))
        self.zoom_in_button.clicked.connect(lambda: self.pages.zoom_by(1))
        self.zoom_out_button.clicked.connect(lambda: self.pages.zoom_by(-1))
        self.fit_button.clicked.connect(self.pages.zoom_to_fit)
        self.pages.resolution_wanted.connect(self._on_resolution_wanted)

    # --- what is shown ---------------------------------------------------------------------

    @property
    def document(self) -> Document | None:
        """The file that is shown."""
        return self._document

    @property
    def page_number(self) -> int:
        """The page that is shown, from 1."""
        return self._number

    def clear(self) -> None:
        """Show nothing."""
        self._stop_drawing()
        self._document, self._evidence, self._points = None, None, ()
        self.show_message(_PLACEHOLDER)

    def show_message(self, sentence: str) -> None:
        """Say why there is no page."""
        self._header.setVisible(False)
        self.message.setText(sentence)
        self._stack.setCurrentIndex(0)

    def show_document(
        self,
        document: Document,
        page_number: int = 1,
        *,
        evidence: Evidence | None = None,
        points: Sequence[Point] = (),
    ) -> None:
        """Show a page of a file.

        Args:
            document: As it was read.
            page_number: From 1; one that is not there becomes the nearest.
            evidence: A passage to mark where it stands.
            points: To be drawn over the pages they belong to.
        """
        self._document = document
        self._evidence, self._points = evidence, tuple(points)
        self.pages.zoom_to_fit()
        self._show_page(page_number)

    def clear_marks(self) -> None:
        """Show the page without the passage and the points of an answer."""
        if self._evidence is not None or self._points:
            self._evidence, self._points = None, ()
            self._show_page(self._number)

    def turn(self, pages: int) -> None:
        """Go some pages on, or back."""
        if self._document is not None:
            self._show_page(self._number + pages)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn pages and zoom."""
        actions = {
            Qt.Key.Key_PageUp: lambda: self.turn(-1),
            Qt.Key.Key_PageDown: lambda: self.turn(1),
            Qt.Key.Key_Plus: lambda: self.pages.zoom_by(1),
            Qt.Key.Key_Minus: lambda: self.pages.zoom_by(-1),
            Qt.Key.Key_0: self.pages.zoom_to_fit,
        }
        action = actions.get(Qt.Key(event.key()))
        if action is not None:
            action()
        else:
            super().keyPressEvent(event)

    def _show_page(self, number: int) -> None:
        document = self._document
        if document is None:
            return
        self._number = max(1, min(number, len(document.pages)))
        page = document.pages[self._number - 1]
        self._show_header(document)
        self._stop_drawing()
        self._drawn_px = 0
        if can_be_shown(document):
            self._stack.setCurrentWidget(self.pages)
            self.canvas.show_page(None, page.width_pt, (), ())
            self.pages.set_page(page.width_pt, page.height_pt, fits_whole=document.is_picture)
            self._draw(self.pages.longer_side_px())
        else:
            self._stack.setCurrentWidget(self.text)
            self._show_text(page)

    def _show_header(self, document: Document) -> None:
        self._header.setVisible(True)
        self.title.set_full_text(document.path.name)
        count = len(document.pages)
        self.place.setText(f"{self._number} of {count}" if count > 1 else "")
        self.previous_button.setVisible(count > 1)
        self.next_button.setVisible(count > 1)
        self.previous_button.setEnabled(self._number > 1)
        self.next_button.setEnabled(self._number < count)
        for item in (self.zoom_out_button, self.zoom_in_button, self.fit_button):
            item.setVisible(can_be_shown(document))

    # --- drawn pages -----------------------------------------------------------------------

    def _on_resolution_wanted(self, longer_side_px: int) -> None:
        if self._document is not None and self._drawn_px:
            self._draw(longer_side_px)

    def _draw(self, longer_side_px: int) -> None:
        """Have the page drawn, unless it was drawn as large before."""
        document = self._document
        if document is None:
            return
        max_px = next((step for step in _STEPS_PX if step >= longer_side_px), _STEPS_PX[-1])
        wanted = (document.path, self._number, max_px)
        if max_px <= self._drawn_px or wanted == self._wanted:
            return
        self._stop_drawing()
        self._wanted = wanted
        self._job = self._documents.render(
            document.path,
            self._number,
            max_px,
            lambda image: self._on_drawn(wanted, image),
            lambda error: self._on_failed(wanted, error),
        )

    def _stop_drawing(self) -> None:
        if self._job is not None:
            self._job.cancel()
        self._job, self._wanted = None, None

    def _on_drawn(self, wanted: tuple[Path, int, int], image: QImage) -> None:
        if wanted != self._wanted or self._document is None:
            return
        is_first = self._drawn_px == 0
        self._job, self._wanted, self._drawn_px = None, None, wanted[2]
        page = self._document.pages[self._number - 1]
        boxes = self._evidence.boxes if self._is_marked_here() and self._evidence else ()
        self.canvas.show_page(image, page.width_pt, boxes, self._points_here())
        if is_first and boxes:
            self.pages.show_area(self.canvas.box_area(boxes[0]))
        elif is_first:
            self.pages.verticalScrollBar().setValue(0)

    def _on_failed(self, wanted: tuple[Path, int, int], error: MolmoDesktopError) -> None:
        if wanted == self._wanted and not isinstance(error, Cancelled):
            self._wanted = None
            self.show_message(f"{error.message}\n{error.hint}".strip())

    def _is_marked_here(self) -> bool:
        return (
            self._evidence is not None
            and self._document is not None
            and self._evidence.page == self._number
            and Path(self._evidence.file).name == self._document.path.name
        )

    def _points_here(self) -> tuple[Point, ...]:
        document = self._document
        if document is None:
            return ()
        return tuple(
            point
            for point in self._points
            if point.page == self._number and Path(point.file).name == document.path.name
        )

    # --- text ------------------------------------------------------------------------------

    def _show_text(self, page: Page) -> None:
        self.text.setPlainText(page.text or "There is no text on this page.")
        if self._document is not None:
            dress_headings(self.text.document(), self._document.format)
        self.text.setExtraSelections([])
        if not self._is_marked_here() or self._evidence is None:
            return
        start, end = _place_in(page.text, self._evidence)
        if start == end:
            return
        cursor = self.text.textCursor()
        cursor.setPosition(_utf16(page.text, start))
        cursor.setPosition(_utf16(page.text, end), QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        look.setBackground(QColor(LIGHT.passage))
        look.setForeground(QColor(LIGHT.text))
        mark = QTextEdit.ExtraSelection()
        mark.cursor, mark.format = cursor, look
        self.text.setExtraSelections([mark])
        visible = QTextCursor(cursor)
        visible.setPosition(cursor.selectionStart())
        self.text.setTextCursor(visible)
        self.text.ensureCursorVisible()


def _place_in(text: str, evidence: Evidence) -> tuple[int, int]:
    """Return where the passage stands in a page's text; (0, 0) when it does not."""
    if evidence.end > evidence.start and text[evidence.start : evidence.end] == evidence.text:
        return evidence.start, evidence.end
    start = text.find(evidence.text)
    return (start, start + len(evidence.text)) if start >= 0 else (0, 0)


def _utf16(text: str, index: int) -> int:
    """Return a place counted as Qt counts: a character outside the basic plane takes two."""
    return index + sum(1 for character in text[:index] if ord(character) > 0xFFFF)
