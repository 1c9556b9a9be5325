# SPDX-License-Identifier: Apache-2.0
"""The text of one answer: Markdown, as high as it needs to be, cheap while it streams."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QResizeEvent,
    QTextDocument,
)
from PySide6.QtWidgets import QApplication, QFrame, QSizePolicy, QTextBrowser, QWidget

from molmo_desktop.ui.markdown_dress import dress
from molmo_desktop.ui.theme import ANSWER_CHARACTERS, current_theme, font_sizes

_RENDER_MS = 50
# Rendering takes at most a fifth of the time while text streams in.
_PATIENCE = 4.0


class AnswerText(QTextBrowser):
    """Shows Markdown without HTML, without pictures from elsewhere, without scroll bars.

    Args:
        words: Accessible name.
    """

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markdown = ""
        self._rendered = ""
        self._drawn_in = current_theme().name
        self._next_render_s = 0.0
        self.setAccessibleName(words)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptDrops(False)
        self.setOpenLinks(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(0)
        self._use_answer_font()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._render)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    def _use_answer_font(self) -> None:
        stored = QApplication.instance().property("systemFont")  # type: ignore[union-attr]
        font = QFont(self.font())
        font.setPixelSize(font_sizes(stored if isinstance(stored, QFont) else font).answer_px)
        self.setFont(font)
        self.document().setDefaultFont(font)
        width = QFontMetricsF(font).averageCharWidth() * ANSWER_CHARACTERS
        self.setMaximumWidth(round(width))

    @property
    def markdown(self) -> str:
        """The whole text, shown already or about to be."""
        return self._markdown

    def append_markdown(self, text: str) -> None:
        """Add a piece; the screen follows soon, not at every piece."""
        self._markdown += text
        if not self._timer.isActive():
            wait_ms = (self._next_render_s - time.monotonic()) * 1000
            self._timer.start(max(_RENDER_MS, round(wait_ms)))

    def show_markdown(self, text: str) -> None:
        """Show a text now."""
        self._markdown = text
        self._timer.stop()
        self._render()

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Load nothing: a model's answer must not open files or addresses."""
        return None

    def changeEvent(self, event: QEvent) -> None:
        """Give code the ground of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._drawn_in != current_theme().name:
            self._rendered = ""
            self._render()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap for the new width and take the height that this needs."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """Return the size at full width."""
        return QSize(self.maximumWidth(), self.height())

    def _render(self) -> None:
        if self._markdown == self._rendered:
            return
        started = time.monotonic()
        self._drawn_in = current_theme().name
        self._rendered = self._markdown
        document = self.document()
        features = QTextDocument.MarkdownFeature
        document.setMarkdown(
            self._markdown, features.MarkdownDialectGitHub | features.MarkdownNoHTML
        )
        dress(document, current_theme())
        self._fit()
        finished = time.monotonic()
        self._next_render_s = finished + _PATIENCE * (finished - started)

    def _fit(self) -> None:
        document = self.document()
        document.setTextWidth(self.viewport().width())
        self.setFixedHeight(max(1, round(document.size().height()) + 2))
