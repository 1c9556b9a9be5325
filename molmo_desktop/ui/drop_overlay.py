# SPDX-License-Identifier: Apache-2.0
"""What covers the window while files are dragged over it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from molmo_desktop.ui import icons
from molmo_desktop.ui.dropped import refusals_in_words, sort_out, what_will_happen
from molmo_desktop.ui.theme import CARD_CORNER_PX, GROUP_PX, caption_font, current_theme, sized_font

_ICON_PX = 40


class DropOverlay(QWidget):
    """Says what a drop would do."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("dropOverlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._sentence = ""
        self._refusals = ""
        self.hide()

    @property
    def sentence(self) -> str:
        """What would happen."""
        return self._sentence

    @property
    def refusals(self) -> str:
        """Which files would not be added, and why; empty when all would."""
        return self._refusals

    def show_files(self, paths: list[Path]) -> None:
        """Cover the window and say what dropping these files would do."""
        found = sort_out(paths)
        self._show(what_will_happen(found.accepted), refusals_in_words(found.refused))

    def show_picture(self) -> None:
        """Cover the window for a picture that is dragged without a file."""
        self._show("Add this picture", "")

    def _show(self, sentence: str, refusals: str) -> None:
        self._sentence, self._refusals = sentence, refusals
        self.setAccessibleName(f"{sentence}. {refusals}".strip())
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint a veil, an outline, and the sentence in the middle."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(theme.background)
        veil.setAlphaF(0.94)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(theme.accent), 2, Qt.PenStyle.DashLine))
        inner = QRectF(self.rect()).adjusted(GROUP_PX, GROUP_PX, -GROUP_PX, -GROUP_PX)
        painter.drawRoundedRect(inner, CARD_CORNER_PX, CARD_CORNER_PX)
        middle = self.rect().center()
        picture = icons.pixmap("drop", theme.accent, _ICON_PX, self.devicePixelRatioF())
        painter.drawPixmap(middle.x() - _ICON_PX // 2, middle.y() - 64, picture)
        painter.setPen(QColor(theme.text))
        painter.setFont(sized_font(self, 18, semibold=True))
        text_area = QRectF(40, middle.y() - 12, self.width() - 80, 28)
        painter.drawText(text_area, Qt.AlignmentFlag.AlignCenter, self._sentence)
        painter.setPen(QColor(theme.muted))
        painter.setFont(caption_font(self))
        painter.drawText(text_area.translated(0, 32), Qt.AlignmentFlag.AlignCenter, self._refusals)
