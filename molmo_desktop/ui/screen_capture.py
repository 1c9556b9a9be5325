# SPDX-License-Identifier: Apache-2.0
"""Takes a picture of the screen, or of a part of it, while the window steps aside."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from molmo_desktop.services.notifier import Notifier
from molmo_desktop.ui.theme import CORNER_PX, current_theme, sized_font

_STEP_ASIDE_MS = 350  # until the window manager has uncovered what lies below
_SMALLEST_PX = 8
_HINT = "Drag over what you want to ask about · Enter takes the whole screen · Esc cancels"


class ScreenCapture(QObject):
    """Hides the window, lets the user drag a rectangle, and brings the window back.

    Args:
        window: Steps aside meanwhile.
        on_taken: Gets the picture.
        notifier: Says why there is none.
    """

    def __init__(
        self, window: QWidget, on_taken: Callable[[QImage], None], notifier: Notifier
    ) -> None:
        super().__init__(window)
        self._window = window
        self._on_taken = on_taken
        self._notifier = notifier
        self._overlays: list[CaptureOverlay] = []
        self._is_waiting = False

    @property
    def overlays(self) -> tuple[CaptureOverlay, ...]:
        """What covers the screens now, one overlay each."""
        return tuple(self._overlays)

    def start(self) -> None:
        """Begin; nothing happens while one is being taken."""
        if self._is_waiting or self._overlays:
            return
        self._is_waiting = True
        self._window.hide()
        QTimer.singleShot(_STEP_ASIDE_MS, self, self._grab)

    def _grab(self) -> None:
        self._is_waiting = False
        grabbed = [(screen, screen.grabWindow(0)) for screen in QGuiApplication.screens()]
        seen = [(screen, picture) for screen, picture in grabbed if shows_something(picture)]
        if not seen:
            self._bring_back()
            self._notifier.warning(
                "This system does not let programs take pictures of the screen.",
                "Take one with the system's own tool, and paste it here with Ctrl+V.",
            )
            return
        for screen, picture in seen:
            overlay = CaptureOverlay(screen, picture)
            overlay.taken.connect(self._take)
            overlay.cancelled.connect(self._end)
            self._overlays.append(overlay)
            overlay.showFullScreen()
        self._overlays[0].activateWindow()

    def _take(self, image: QImage) -> None:
        self._end()
        self._on_taken(image)

    def _end(self) -> None:
        overlays, self._overlays = self._overlays, []
        for overlay in overlays:
            overlay.hide()
            overlay.deleteLater()
        self._bring_back()

    def _bring_back(self) -> None:
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()


class CaptureOverlay(QWidget):
    """Shows the grabbed screen, dimmed; what is dragged over is bright.

    Attributes:
        taken: Carries the chosen part as `QImage`, in the screen's own pixels.
        cancelled: Esc or the right button was pressed.
    """

    taken = Signal(object)
    cancelled = Signal()

    def __init__(self, screen: QScreen, picture: QPixmap) -> None:
        super().__init__(
            None, Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        )
        self.setObjectName("captureOverlay")
        self.setAccessibleName(f"Picture of the screen. {_HINT}")
        # The window is hidden: without this, the end of the overlay would end the program.
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self._picture = picture
        self._from: QPoint | None = None
        self._chosen = QRect()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the whole screen, or nothing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.taken.emit(self._picture.toImage())
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a rectangle."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position().toPoint()
        else:
            self.cancelled.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the rectangle."""
        if self._from is not None:
            self._chosen = QRect(self._from, event.position().toPoint()).normalized()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Take what is in the rectangle; a mere click takes nothing yet."""
        if self._from is None:
            return
        self._from = None
        chosen, self._chosen = self._chosen & self.rect(), QRect()
        if chosen.width() >= _SMALLEST_PX and chosen.height() >= _SMALLEST_PX:
            self.taken.emit(self._picture.copy(self._in_pixels(chosen)).toImage())
        else:
            self.update()

    def _in_pixels(self, area: QRect) -> QRect:
        across = self._picture.width() / self.width()
        down = self._picture.height() / self.height()
        return QRect(
            round(area.x() * across),
            round(area.y() * down),
            round(area.width() * across),
            round(area.height() * down),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the screen under a veil, the rectangle, and what to do."""
        theme = current_theme()
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._picture)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 110))
        if not self._chosen.isEmpty():
            painter.drawPixmap(self._chosen, self._picture, self._in_pixels(self._chosen))
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRect(self._chosen)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sized_font(self, 15))
        words = painter.fontMetrics().boundingRect(_HINT).size()
        box = QRect(0, 0, words.width() + 48, words.height() + 24)
        box.moveCenter(QPoint(self.width() // 2, 64))
        painter.setPen(QPen(QColor(theme.line)))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(box, CORNER_PX, CORNER_PX)
        painter.setPen(QColor(theme.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, _HINT)


def shows_something(picture: QPixmap) -> bool:
    """Whether a grabbed picture is more than one black area; a system that refuses gives that."""
    if picture.isNull():
        return False
    small = picture.toImage().scaled(64, 64).convertToFormat(QImage.Format.Format_Grayscale8)
    return any(memoryview(small.constBits()))
