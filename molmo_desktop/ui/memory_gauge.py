# SPDX-License-Identifier: Apache-2.0
"""Two bars of memory: what the engine's is made of, and how little of the machine that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.ui.theme import Theme, caption_font, current_theme

_ENGINE_BAR_PX = 10
_MACHINE_BAR_PX = 4
_BAR_GAP_PX = 4
_LEGEND_PX = 18
_LEGEND_TOP_PX = _ENGINE_BAR_PX + _BAR_GAP_PX + _MACHINE_BAR_PX + 4
_DOT_PX = 8
_ENTRY_GAP_PX = 8
_NOT_RUNNING = "no model is loaded"


@dataclass(frozen=True)
class MemoryPart:
    """One piece of a bar.

    Attributes:
        colour: Name of a chart colour of the theme.
        of_engine: Held by the engine; the others share the machine with it.
    """

    name: str
    size_bytes: int
    colour: str
    of_engine: bool = True


class MemoryGauge(QWidget):
    """Shows the parts of the engine's memory with its peak, and below it the whole machine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[MemoryPart, ...] = ()
        self._total_bytes = 0
        self._peak_bytes: int | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Memory")

    @property
    def parts(self) -> tuple[MemoryPart, ...]:
        """What is shown, from the left, the engine's first."""
        return self._parts

    def show_memory(
        self, parts: Sequence[MemoryPart], *, total_bytes: int, peak_bytes: int | None
    ) -> None:
        """Show the parts of memory.

        Args:
            parts: From the left; parts of no size are left out.
            total_bytes: Of the machine.
            peak_bytes: Highest size of the engine; None = unknown.
        """
        self._parts = tuple(part for part in parts if part.size_bytes > 0)
        self._total_bytes, self._peak_bytes = total_bytes, peak_bytes
        words = ", ".join(_words(part) for part in self._parts)
        self.setAccessibleDescription(words)
        self.setToolTip(
            f"Above: the engine ({_NOT_RUNNING if not self._of_engine() else words}).\n"
            f"Below: the engine, this window and other programs in the machine's "
            f"{bytes_in_words(total_bytes)}."
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the bars with their legend: a line each."""
        return QSize(240, _LEGEND_TOP_PX + 2 * _LEGEND_PX)

    def minimumSizeHint(self) -> QSize:
        """Return the same height, narrower."""
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint both bars and the legend."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(caption_font(self))
        engine, others = self._of_engine(), [p for p in self._parts if not p.of_engine]
        engine_bytes = sum(part.size_bytes for part in engine)
        scale_bytes = max(engine_bytes, self._peak_bytes or 0)
        bar = QRectF(0, 0, self.width(), _ENGINE_BAR_PX)
        self._paint_bar(painter, theme, bar, engine, scale_bytes)
        if self._peak_bytes and engine:
            x = min(bar.width() - 1, bar.width() * self._peak_bytes / scale_bytes)
            painter.setPen(QPen(QColor(theme.text), 1.5))
            painter.drawLine(round(x), 0, round(x), _ENGINE_BAR_PX + 2)
        machine = [MemoryPart("engine", engine_bytes, "accent", False), *others]
        bar = QRectF(0, _ENGINE_BAR_PX + _BAR_GAP_PX, self.width(), _MACHINE_BAR_PX)
        self._paint_bar(painter, theme, bar, machine, self._total_bytes)
        if engine:
            self._paint_legend(painter, theme, _LEGEND_TOP_PX, engine)
        else:
            painter.setPen(QColor(theme.muted))
            painter.drawText(
                QRectF(0, _LEGEND_TOP_PX, self.width(), _LEGEND_PX),
                Qt.AlignmentFlag.AlignVCenter,
                _NOT_RUNNING,
            )
        self._paint_legend(painter, theme, _LEGEND_TOP_PX + _LEGEND_PX, others)

    def _of_engine(self) -> list[MemoryPart]:
        return [part for part in self._parts if part.of_engine]

    @staticmethod
    def _paint_bar(
        painter: QPainter,
        theme: Theme,
        bar: QRectF,
        parts: Sequence[MemoryPart],
        scale_bytes: int,
    ) -> None:
        outline = QPainterPath()
        radius = bar.height() / 2.5
        outline.addRoundedRect(bar, radius, radius)
        painter.save()
        painter.setClipPath(outline)
        painter.fillRect(bar, QColor(theme.line))
        x = 0.0
        for part in parts:
            width = bar.width() * part.size_bytes / scale_bytes if scale_bytes else 0.0
            # A hairline between the parts, and every part can be seen.
            area = QRectF(x, bar.y(), max(width - 1, 1.5), bar.height())
            painter.fillRect(area, QColor(getattr(theme, part.colour)))
            x += width
        painter.restore()

    def _paint_legend(
        self, painter: QPainter, theme: Theme, y: float, parts: Sequence[MemoryPart]
    ) -> None:
        metrics = QFontMetricsF(caption_font(self))
        x = 0.0
        for part in parts:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(getattr(theme, part.colour)))
            dot = QRectF(x, y + (_LEGEND_PX - _DOT_PX) / 2, _DOT_PX, _DOT_PX)
            painter.drawRoundedRect(dot, 2, 2)
            x += _DOT_PX + 4
            room_px = self.width() - x
            # Where the column is narrow the size gives way first, then the name.
            text = _words(part)
            if metrics.horizontalAdvance(text) > room_px:
                text = metrics.elidedText(part.name, Qt.TextElideMode.ElideRight, room_px)
            painter.setPen(QColor(theme.muted))
            painter.drawText(
                QRectF(x, y, max(0.0, room_px), _LEGEND_PX), Qt.AlignmentFlag.AlignVCenter, text
            )
            x += metrics.horizontalAdvance(text) + _ENTRY_GAP_PX


def _words(part: MemoryPart) -> str:
    return f"{part.name} {bytes_in_words(part.size_bytes)}"
