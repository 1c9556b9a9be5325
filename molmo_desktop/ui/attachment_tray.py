# SPDX-License-Identifier: Apache-2.0
"""The files of the conversation, as a row of chips."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.core.pages import Document
from molmo_desktop.services.session import Attachment
from molmo_desktop.ui import icons
from molmo_desktop.ui.controls import CardButton, ElidedLabel, IconButton, follow_in_tab_order
from molmo_desktop.ui.flow_layout import FlowLayout
from molmo_desktop.ui.theme import GAP_PX, current_theme

_CHIP_PX = 208
_THUMBNAIL_PX = 36


class Thumbnail(QWidget):
    """The first page, small; an icon while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._icon_name = "file"
        self.setFixedSize(_THUMBNAIL_PX, _THUMBNAIL_PX)

    def show_image(self, image: QImage) -> None:
        """Show a page or picture."""
        self._image = image
        self.update()

    def show_icon(self, name: str) -> None:
        """Show an icon instead."""
        self._icon_name, self._image = name, None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, cut to a square, or the icon in the middle."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if self._image is None:
            painter.drawPixmap(
                8, 8, icons.pixmap(self._icon_name, theme.muted, 20, self.devicePixelRatioF())
            )
            return
        painter.setClipPath(outline)
        size = self._image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        area = self.rect()
        area.setSize(size)
        area.moveLeft((self.width() - size.width()) // 2)
        painter.drawImage(area, self._image)
        painter.setClipping(False)
        painter.setPen(QPen(theme.line))
        painter.drawPath(outline)


class Chip(CardButton):
    """One file: what it looks like, its name, how it is used, and × to take it away.

    Attributes:
        opened: The file was clicked; carries the `Attachment`.
        removed: × was pressed; carries the `Attachment`.
    """

    opened = Signal(object)
    removed = Signal(object)

    def __init__(self, attachment: Attachment) -> None:
        super().__init__("chip")
        self.attachment = attachment
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(_CHIP_PX)
        self.thumbnail = Thumbnail()
        self.name = ElidedLabel(attachment.path.name)
        self.state = ElidedLabel(mode=Qt.TextElideMode.ElideRight)
        self.state.setProperty("role", "caption")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(f"Reading {attachment.path.name}")
        self.remove_button = IconButton("close", f"Remove {attachment.path.name}", size_px=16)
        self._lay_out()
        self.clicked.connect(lambda: self.opened.emit(self.attachment))
        self.remove_button.clicked.connect(lambda: self.removed.emit(self.attachment))
        self.refresh()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self.name)
        words.addWidget(self.state)
        words.addWidget(self.progress)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 4, 6)
        layout.setSpacing(GAP_PX)
        layout.addWidget(self.thumbnail)
        layout.addLayout(words, 1)
        layout.addWidget(self.remove_button)

    def sizeHint(self) -> QSize:
        """Return the size of every chip."""
        return QSize(_CHIP_PX, super().sizeHint().height())

    def refresh(self) -> None:
        """Show the state of the file."""
        words = state_in_words(self.attachment)
        self.state.set_full_text(words)
        self.setAccessibleName(f"{self.attachment.path.name}, {words}. Show it.")
        reading = self.attachment.state == "reading"
        self.progress.setVisible(reading)
        if reading:
            self.progress.setRange(0, self.attachment.total or 0)
            self.progress.setValue(self.attachment.done)
        problem = self.attachment.error
        self.setToolTip(str(problem) if problem is not None else str(self.attachment.path))
        document = self.attachment.document
        if self.attachment.state in ("failed", "missing"):
            self.thumbnail.show_icon("warning")
        elif document is not None and document.is_picture:
            self.thumbnail.show_icon("picture")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the file away with Delete."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removed.emit(self.attachment)
        else:
            super().keyPressEvent(event)


class AttachmentTray(QWidget):
    """The chips of the open conversation; hidden when there are none.

    Attributes:
        opened, removed: Carry the `Attachment` of the chip.
        thumbnail_wanted: Carries a chip whose file can be shown now.
    """

    opened = Signal(object)
    removed = Signal(object)
    thumbnail_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attachmentTray")
        self.setAccessibleName("Attached files")
        self._layout = FlowLayout(self, gap_px=GAP_PX)
        self._chips: list[Chip] = []
        self.hide()

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The chips in order."""
        return tuple(self._chips)

    def show_attachments(self, attachments: list[Attachment]) -> None:
        """Show these files; chips of files that stay are kept."""
        kept = {id(chip.attachment): chip for chip in self._chips}
        wanted = []
        for attachment in attachments:
            chip = kept.pop(id(attachment), None)
            if chip is None:
                chip = Chip(attachment)
                chip.opened.connect(self.opened)
                chip.removed.connect(self.removed)
                self._layout.addWidget(chip)
            wanted.append(chip)
        for chip in kept.values():
            self._layout.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self._chips = wanted
        follow_in_tab_order(self, [part for chip in wanted for part in (chip, chip.remove_button)])
        self.setVisible(bool(wanted))
        self.updateGeometry()

    def refresh(self, attachment: Attachment) -> None:
        """Show the new state of a file."""
        for chip in self._chips:
            if chip.attachment is attachment:
                chip.refresh()
                if can_be_shown(attachment.document):
                    self.thumbnail_wanted.emit(chip)


def can_be_shown(document: Document | None) -> bool:
    """Whether the file has pages to look at: a PDF or a picture."""
    return document is not None and (document.is_picture or document.format == "pdf")


def state_in_words(attachment: Attachment) -> str:
    """Return how a file is used: "2 pages · text", "640 × 480 · picture", "cannot be read"."""
    document = attachment.document
    if attachment.state == "missing":
        return "no longer there"
    if attachment.state == "failed":
        return "cannot be read"
    if document is None:
        if attachment.total:
            return f"page {max(1, attachment.done)} of {attachment.total}"
        return "reading"
    count = len(document.pages)
    if document.is_picture:
        first = document.pages[0]
        size = f"{first.width_pt:.0f} × {first.height_pt:.0f}"
        return f"{size} · picture" if count == 1 else f"{count} pictures"
    return f"{_counted(document, count)} · {_mode(document)}"


def _counted(document: Document, count: int) -> str:
    noun = {"pptx": "slide", "xlsx": "sheet"}.get(document.format, "page")
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _mode(document: Document) -> str:
    origins = {page.origin for page in document.pages}
    if "ocr" in origins:
        return "OCR"
    return "text" if document.has_text else "picture"
