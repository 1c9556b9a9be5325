# SPDX-License-Identifier: Apache-2.0
"""Small widgets that the rest of the window is made of."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from molmo_desktop.ui import icons
from molmo_desktop.ui.theme import COLUMN_MAX_PX, current_theme


class IconButton(QToolButton):
    """A button with an icon alone; its words are the tooltip and the accessible name.

    Args:
        name: Icon in ``resources/icons``.
        words: What it does, in words.
        shortcut: Shown in the tooltip behind the words; it does not install the shortcut.
        size_px: Of the icon.
    """

    def __init__(
        self,
        name: str,
        words: str,
        *,
        shortcut: str = "",
        size_px: int = 20,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._drawn_in = ""
        self._revealed = True
        self.setIconSize(QSize(size_px, size_px))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.describe(words, shortcut)
        self._draw_icon()

    def describe(self, words: str, shortcut: str = "") -> None:
        """Set the tooltip and the accessible name."""
        self.setAccessibleName(words)
        keys = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(f"{words} ({keys or shortcut})" if shortcut else words)

    def set_icon_name(self, name: str) -> None:
        """Show another icon."""
        self._name = name
        self._draw_icon()

    def set_revealed(self, revealed: bool) -> None:
        """Paint the button or leave its place empty; with the focus it is always painted."""
        if revealed != self._revealed:
            self._revealed = revealed
            self.update()

    def _draw_icon(self) -> None:
        theme = current_theme()
        self._drawn_in = theme.name
        size_px = self.iconSize().width()
        self.setIcon(icons.icon(self._name, theme.text, theme.line, size_px))

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icon in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._drawn_in != current_theme().name:
            self._draw_icon()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, unless the button waits for the mouse or the focus."""
        if self._revealed or self.hasFocus():
            super().paintEvent(event)


class IconPushButton(QPushButton):
    """A button with an icon before its words."""

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._name = name
        self._drawn_in = ""
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(16, 16))
        self._draw_icon()

    def _draw_icon(self) -> None:
        theme = current_theme()
        self._drawn_in = theme.name
        self.setIcon(icons.icon(self._name, theme.text))

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icon in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._drawn_in != current_theme().name:
            self._draw_icon()


class ElidedLabel(QLabel):
    """One line that is shortened in the middle where it does not fit; the tooltip has it all."""

    def __init__(
        self,
        text: str = "",
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self._full_text = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.set_full_text(text)

    @property
    def full_text(self) -> str:
        """The text before it is shortened."""
        return self._full_text

    def set_full_text(self, text: str) -> None:
        """Show a text, shortened as needed."""
        self._full_text = " ".join(text.split())
        self.setAccessibleName(self._full_text)
        self._elide()

    def natural_width_px(self) -> int:
        """Return the width at which nothing is cut."""
        return self.fontMetrics().horizontalAdvance(self._full_text) + 2

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._full_text, self._mode, max(0, self.width()))
        super().setText(shown)
        self.setToolTip(self._full_text if shown != self._full_text else "")


class IconLabel(QWidget):
    """An icon that says something but does nothing.

    Args:
        colour_role: Name of a colour of the theme: "muted", "ok", "warning", …
    """

    def __init__(
        self,
        name: str,
        words: str,
        colour_role: str = "muted",
        size_px: int = 16,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._colour_role = colour_role
        self.setFixedSize(size_px, size_px)
        self.setAccessibleName(words)
        self.setToolTip(words)

    def show_icon(self, name: str, words: str, colour_role: str = "muted") -> None:
        """Show another icon."""
        self._name, self._colour_role = name, colour_role
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the icon in the theme's colour."""
        painter = QPainter(self)
        colour = getattr(current_theme(), self._colour_role)
        painter.drawPixmap(
            0, 0, icons.pixmap(self._name, colour, self.width(), self.devicePixelRatioF())
        )


class CardButton(QPushButton):
    """A button as large as a card: its words are its children, its size that of their layout."""

    def __init__(self, role: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", role)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)

    def sizeHint(self) -> QSize:
        """Return the size that the layout wants."""
        layout = self.layout()
        return layout.sizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Return the smallest size of the layout."""
        layout = self.layout()
        return layout.minimumSize() if layout is not None else super().minimumSizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Press with Enter, too; space works anyway."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


def label(text: str = "", role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a plain-text label; the role picks its look in the style sheet."""
    result = QLabel()
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setWordWrap(wrap)
    if role:
        result.setProperty("role", role)
    return result


def button(text: str, role: str = "", *, words: str = "") -> QPushButton:
    """Return a push button; ``words`` is its accessible name where the text alone is not enough."""
    result = QPushButton(text)
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    result.setCursor(Qt.CursorShape.PointingHandCursor)
    result.setAutoDefault(False)
    result.setAccessibleName(words or text.replace("&", ""))
    if role:
        result.setProperty("role", role)
    return result


def frame(role: str) -> QFrame:
    """Return a frame with the look of a role."""
    result = QFrame()
    result.setProperty("role", role)
    return result


def centred(widget: QWidget, max_px: int = COLUMN_MAX_PX) -> QHBoxLayout:
    """Return a row that keeps a widget in the middle, no wider than that."""
    widget.setMaximumWidth(max_px)
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.addStretch(1)
    row.addWidget(widget, 1000)
    row.addStretch(1)
    return row


def line() -> QFrame:
    """Return a horizontal hairline."""
    result = frame("line")
    result.setFixedHeight(1)
    return result


def follow_in_tab_order(anchor: QWidget, widgets: Iterable[QWidget]) -> QWidget:
    """Let widgets that were made later be reached right after another one, in this order.

    Returns:
        The last of them, or the anchor when there are none.
    """
    first, policy = anchor, anchor.focusPolicy()
    # setTabOrder passes over a widget that takes no focus, such as the holder of some buttons.
    first.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    for widget in widgets:
        QWidget.setTabOrder(anchor, widget)
        anchor = widget
    first.setFocusPolicy(policy)
    return anchor


def keep_place(widget: QWidget) -> None:
    """Let a hidden widget keep its place, so that nothing jumps when it appears."""
    policy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at, and have the style look again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
