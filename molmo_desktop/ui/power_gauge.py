# SPDX-License-Identifier: Apache-2.0
"""Power over the last two minutes, as a line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from molmo_desktop.ui.theme import Theme, caption_font, current_theme

SPAN_S = 120.0
_HEIGHT_PX = 44
_GAP_S = 5.0
_STEPS_W = (5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000)


@dataclass(frozen=True)
class PowerSample:
    """One reading.

    Attributes:
        time_s: On a clock that never goes back.
        power_w: None when it is not available.
        answering: Whether an answer was being written.
    """

    time_s: float
    power_w: float | None
    answering: bool


class PowerGauge(QWidget):
    """Draws power as a line; the time of answers is shaded, gaps stay gaps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: deque[PowerSample] = deque()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Power over the last two minutes")

    @property
    def samples(self) -> tuple[PowerSample, ...]:
        """The readings of the last two minutes, oldest first."""
        return tuple(self._samples)

    def add(self, sample: PowerSample) -> None:
        """Take the next reading."""
        self._samples.append(sample)
        while self._samples[0].time_s < sample.time_s - SPAN_S:
            self._samples.popleft()
        known = [item.power_w for item in self._samples if item.power_w is not None]
        self.setAccessibleDescription(
            f"Between {min(known):.0f} and {max(known):.0f} watts" if known else "Not available"
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the chart."""
        return QSize(200, _HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size that can be read."""
        return QSize(120, _HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the spans of answers, the line, and the scale."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, 2, self.width(), self.height() - 4)
        top_w = self._top_w()
        self._paint_scale(painter, area, theme, top_w)
        if self._samples:
            self._paint_answers(painter, area, theme)
            self._paint_line(painter, area, theme, top_w)
        self._paint_top(painter, area, theme, f"{top_w:.0f} W")

    def _top_w(self) -> float:
        highest = max((item.power_w or 0.0 for item in self._samples), default=0.0)
        return float(next((step for step in _STEPS_W if step >= highest * 1.1), _STEPS_W[-1]))

    def _x(self, area: QRectF, time_s: float) -> float:
        return area.right() - area.width() * (self._samples[-1].time_s - time_s) / SPAN_S

    def _paint_scale(self, painter: QPainter, area: QRectF, theme: Theme, top_w: float) -> None:
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(QPen(QColor(theme.line), 1, Qt.PenStyle.DotLine))
        painter.drawLine(area.topLeft(), area.topRight())

    def _paint_top(self, painter: QPainter, area: QRectF, theme: Theme, words: str) -> None:
        """Paint what the upper edge stands for, on a ground that the line does not cross."""
        painter.setFont(caption_font(self))
        align = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        inside = area.adjusted(0, 1, 0, 0)
        ground = painter.boundingRect(inside, align, words).adjusted(0, 0, 4, 0)
        painter.fillRect(ground, QColor(theme.surface))
        painter.setPen(QColor(theme.muted))
        painter.drawText(inside, align, words)

    def _paint_answers(self, painter: QPainter, area: QRectF, theme: Theme) -> None:
        shade = QColor(theme.accent)
        shade.setAlphaF(0.14)
        items = list(self._samples)
        for before, item in pairwise(items):
            if item.answering:
                left, right = self._x(area, before.time_s), self._x(area, item.time_s)
                painter.fillRect(QRectF(left, area.top(), right - left, area.height()), shade)

    def _paint_line(self, painter: QPainter, area: QRectF, theme: Theme, top_w: float) -> None:
        path = QPainterPath()
        last_s: float | None = None
        for item in self._samples:
            if item.power_w is None:
                last_s = None
                continue
            y = area.bottom() - area.height() * min(1.0, item.power_w / top_w)
            place = QPointF(self._x(area, item.time_s), y)
            if last_s is None or item.time_s - last_s > _GAP_S:
                path.moveTo(place)
            else:
                path.lineTo(place)
            last_s = item.time_s
        painter.setPen(QPen(QColor(theme.accent), 1.5))
        painter.drawPath(path)
