# SPDX-License-Identifier: Apache-2.0
"""A stacked bar of memory with its legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.ui.theme import Theme, caption_font, current_theme

_BAR_PX = 10
_LEGEND_PX = 18
_DOT_PX = 8
_ENTRY_GAP_PX = 9
_MIN_ROWS = 2  # so that the panel does not grow when the engine starts


@dataclass(frozen=True)
class MemoryPart:
    """One piece of the bar.

    Attributes:
        colour: Name of a chart colour of the theme.
    """

    name: str
    size_bytes: int
    colour: str


class MemoryGauge(QWidget):
    """Shows what the engine holds, what other programs hold, and how high the engine went."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[MemoryPart, ...] = ()
        self._total_bytes: int | None = None
        self._peak_bytes: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Memory")

    @property
    def parts(self) -> tuple[MemoryPart, ...]:
        """What is shown, from the left."""
        return self._parts

    def show_memory(
        self,
        parts: Sequence[MemoryPart],
        *,
        total_bytes: int | None,
        peak_bytes: int | None,
    ) -> None:
        """Show the parts of memory.

        Args:
            parts: From the left; parts of no size are left out.
            total_bytes: Of the machine; None = unknown, the parts then fill the bar.
            peak_bytes: Highest size of the engine, drawn as a tick; None = unknown.
        """
        self._parts = tuple(part for part in parts if part.size_bytes > 0)
        self._total_bytes, self._peak_bytes = total_bytes, peak_bytes
        words = ", ".join(f"{part.name} {bytes_in_words(part.size_bytes)}" for part in self._parts)
        self.setAccessibleDescription(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the bar with its legend."""
        rows = max(_MIN_ROWS, len(self._legend_rows(self.width() or 320)))
        return QSize(240, _BAR_PX + 8 + rows * _LEGEND_PX)

    def minimumSizeHint(self) -> QSize:
        """Return the same height; the legend wraps."""
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar, the tick of the peak, and the legend."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_bar(painter, theme)
        painter.setFont(caption_font(self))
        y = _BAR_PX + 8
        for row in self._legend_rows(self.width()):
            for x, part, text in row:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(getattr(theme, part.colour)))
                dot = QRectF(x, y + (_LEGEND_PX - _DOT_PX) / 2, _DOT_PX, _DOT_PX)
                painter.drawRoundedRect(dot, 2, 2)
                painter.setPen(QColor(theme.muted))
                painter.drawText(
                    QRectF(x + _DOT_PX + 4, y, self.width(), _LEGEND_PX),
                    Qt.AlignmentFlag.AlignVCenter,
                    text,
                )
            y += _LEGEND_PX

    def _paint_bar(self, painter: QPainter, theme: Theme) -> None:
        bar = QRectF(0, 0, self.width(), _BAR_PX)
        outline = QPainterPath()
        outline.addRoundedRect(bar, 4, 4)
        painter.save()
        painter.setClipPath(outline)
        painter.fillRect(bar, QColor(theme.line))
        total = self._total_bytes or sum(part.size_bytes for part in self._parts)
        x = 0.0
        for part in self._parts:
            width = bar.width() * part.size_bytes / total if total else 0.0
            painter.fillRect(QRectF(x, 0, max(width - 1, 1.0), _BAR_PX), self._colour(theme, part))
            x += width
        painter.restore()
        if self._peak_bytes and total:
            peak_x = min(bar.width() - 1, bar.width() * self._peak_bytes / total)
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawLine(round(peak_x), 0, round(peak_x), _BAR_PX + 3)

    @staticmethod
    def _colour(theme: Theme, part: MemoryPart) -> QColor:
        return QColor(getattr(theme, part.colour))

    def _legend_rows(self, width_px: int) -> list[list[tuple[float, MemoryPart, str]]]:
        """Place the legend's entries, wrapping where a row is full."""
        metrics = QFontMetricsF(caption_font(self))
        rows: list[list[tuple[float, MemoryPart, str]]] = [[]]
        x = 0.0
        for part in self._parts:
            text = f"{part.name} {bytes_in_words(part.size_bytes)}"
            needed = _DOT_PX + 4 + metrics.horizontalAdvance(text)
            if rows[-1] and x + needed > width_px:
                rows.append([])
                x = 0.0
            rows[-1].append((x, part, text))
            x += needed + _ENTRY_GAP_PX
        return rows
