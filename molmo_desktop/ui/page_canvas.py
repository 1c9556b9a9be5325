# SPDX-License-Identifier: Apache-2.0
"""One page or picture on a grey ground, with marked passages and points over it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QToolTip, QWidget

from molmo_desktop.core.answer import Point
from molmo_desktop.core.pages import Box
from molmo_desktop.ui.theme import LIGHT, caption_font, current_theme

_MARGIN_PX = 16
_POINT_PX = 10
_ZOOM_STEP = 1.25
_MIN_ZOOM, _MAX_ZOOM = 0.25, 6.0


class PageCanvas(QWidget):
    """The page itself, drawn at the size that the scroll area gives it."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._page_width = 1.0
        self._boxes: tuple[Box, ...] = ()
        self._points: tuple[Point, ...] = ()
        self.setMouseTracking(True)
        self.setAccessibleName("Page")

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The marked passages, in units of the page."""
        return self._boxes

    @property
    def points(self) -> tuple[Point, ...]:
        """The points over the picture."""
        return self._points

    def show_page(
        self,
        image: QImage | None,
        page_width: float,
        boxes: Sequence[Box],
        points: Sequence[Point],
    ) -> None:
        """Show a page.

        Args:
            image: None while it is being drawn.
            page_width: In the units of the boxes.
            boxes: Marked passages.
            points: Places in percent.
        """
        self._image, self._page_width = image, max(page_width, 1.0)
        self._boxes, self._points = tuple(boxes), tuple(points)
        words = [f"{len(boxes)} lines marked"] if boxes else []
        words += [f"point {i}: {point.label}" for i, point in enumerate(points, 1)]
        self.setAccessibleDescription(", ".join(words))
        self.update()

    @property
    def image(self) -> QImage | None:
        """What is shown."""
        return self._image

    def page_area(self) -> QRectF:
        """Return where the page lies on this widget."""
        return QRectF(self.rect()).adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)

    def box_area(self, box: Box) -> QRectF:
        """Return where a box of the page lies on this widget."""
        area = self.page_area()
        scale = area.width() / self._page_width
        x0, y0, x1, y1 = (value * scale for value in box)
        return QRectF(area.x() + x0, area.y() + y0, x1 - x0, y1 - y0)

    def point_place(self, point: Point) -> QPointF:
        """Return where a point lies on this widget."""
        area = self.page_area()
        return QPointF(
            area.x() + area.width() * point.x_percent / 100,
            area.y() + area.height() * point.y_percent / 100,
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the page, the marks multiplied over it, and the points."""
        if self._image is None:
            return
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = self.page_area()
        painter.drawImage(area, self._image)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        for box in self._boxes:
            painter.fillRect(self.box_area(box).adjusted(-2, -1, 2, 1), QColor(theme.passage))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area.adjusted(-0.5, -0.5, 0.5, 0.5))
        for number, point in enumerate(self._points, 1):
            self._paint_point(painter, self.point_place(point), number)

    def _paint_point(self, painter: QPainter, place: QPointF, number: int) -> None:
        """Paint a dot that can be seen on any picture: accent, white ring, dark hairline."""
        radius = _POINT_PX / 2
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.setBrush(QColor("#FFFFFF"))
        painter.drawEllipse(place, radius + 3, radius + 3)
        painter.setPen(Qt.PenStyle.NoPen)
        # The picture is as light or dark as it is, whatever the theme: one accent for both.
        painter.setBrush(QColor(LIGHT.accent))
        painter.drawEllipse(place, radius, radius)
        if len(self._points) < 2:
            return
        painter.setFont(caption_font(self))
        plate = QRectF(place.x() + radius + 5, place.y() - 9, 18, 18)
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.setBrush(QColor("#FFFFFF"))
        painter.drawRoundedRect(plate, 4, 4)
        painter.setPen(QColor(LIGHT.text))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, str(number))

    def point_at(self, place: QPointF) -> Point | None:
        """Return the point under the mouse."""
        for point in self._points:
            away = self.point_place(point) - place
            if away.manhattanLength() <= 2 * _POINT_PX:
                return point
        return None

    def event(self, event: QHelpEvent) -> bool:  # type: ignore[override]
        """Name the point under the mouse."""
        if event.type() == event.Type.ToolTip:
            point = self.point_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), point.label if point else "", self)
            return True
        return super().event(event)


class PageScroll(QScrollArea):
    """Holds the page, fits it to the width, zooms.

    Attributes:
        resolution_wanted: The page is shown larger than before; carries its longer side in
            device pixels.
        turned: The wheel or a key went past the end; carries +1 or -1.
    """

    resolution_wanted = Signal(int)
    turned = Signal(int)

    def __init__(self, canvas: PageCanvas) -> None:
        super().__init__()
        self.setProperty("role", "ring")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Page")
        self.setAcceptDrops(False)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._canvas = canvas
        self._zoom = 1.0
        self._page_size = QSize()
        self._fits_whole = False
        self.setWidget(canvas)
        canvas.setAutoFillBackground(False)  # setWidget switched it on; the ground is the panel's

    @property
    def zoom(self) -> float:
        """1 = the page fits."""
        return self._zoom

    def set_page(self, width: float, height: float, *, fits_whole: bool) -> None:
        """Take the shape of a page.

        Args:
            width: In any unit.
            height: In the same.
            fits_whole: Fit the whole of it (a picture), not only its width (a page).
        """
        self._page_size = QSize(max(1, round(width)), max(1, round(height)))
        self._fits_whole = fits_whole
        self._fit()

    def zoom_by(self, steps: int) -> None:
        """Zoom in (positive) or out."""
        self._set_zoom(self._zoom * _ZOOM_STEP**steps)

    def zoom_to_fit(self) -> None:
        """Fit the page again."""
        self._set_zoom(1.0)

    def longer_side_px(self) -> int:
        """Return how many device pixels the longer side of the page takes."""
        area = self._canvas.page_area()
        return round(max(area.width(), area.height()) * self.devicePixelRatioF())

    def show_area(self, area: QRectF) -> None:
        """Scroll so that a part of the canvas is in sight, a third from the top."""
        self.horizontalScrollBar().setValue(round(area.center().x() - self.viewport().width() / 2))
        self.verticalScrollBar().setValue(round(area.y() - self.viewport().height() / 3))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the page to the new width."""
        super().resizeEvent(event)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl, scroll without."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def _set_zoom(self, zoom: float) -> None:
        self._zoom = max(_MIN_ZOOM, min(_MAX_ZOOM, zoom))
        self._fit()

    def _fit(self) -> None:
        if self._page_size.isEmpty():
            return
        room_px = max(40, self.viewport().width() - 2 * _MARGIN_PX)
        scale = room_px / self._page_size.width()
        if self._fits_whole:
            room_px = max(40, self.viewport().height() - 2 * _MARGIN_PX)
            # A small picture is not blown up to a blur: at most twice its own pixels.
            scale = min(scale, room_px / self._page_size.height(), 2.0)
        scale *= self._zoom
        self._canvas.resize(
            round(self._page_size.width() * scale) + 2 * _MARGIN_PX,
            round(self._page_size.height() * scale) + 2 * _MARGIN_PX,
        )
        self.resolution_wanted.emit(self.longer_side_px())
