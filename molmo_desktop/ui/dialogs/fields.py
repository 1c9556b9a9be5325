# SPDX-License-Identifier: Apache-2.0
"""Fields that only hold usable values, and the page that lines them up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import (
    QDoubleValidator,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.ui import icons
from molmo_desktop.ui.controls import keep_place, label
from molmo_desktop.ui.theme import EDGE_PX, GAP_PX, GROUP_PX, TIGHT_PX, current_theme

_LABEL_PX = 132
_OWN, _AUTOMATIC = "own", "automatic"


class Choices(QComboBox):
    """A list of values in words.

    Args:
        name: Accessible name.
        choices: Values with their words, in the order they are shown.

    Attributes:
        value_chosen: Carries the value. Only for the user's choice.
    """

    value_chosen = Signal(object)

    def __init__(self, name: str, choices: Sequence[tuple[Any, str]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(12)
        self._values: list[Any] = []
        for value, words in choices:
            self._values.append(value)
            self.addItem(words)
        self.activated.connect(lambda index: self.value_chosen.emit(self._values[index]))

    @property
    def value(self) -> Any:
        """The value that is shown."""
        return self._values[self.currentIndex()]

    @property
    def values(self) -> tuple[Any, ...]:
        """All values, in the order they are shown."""
        return tuple(self._values)

    def show_value(self, value: Any, words: str) -> None:
        """Show a value; one that is not among the choices is added with its words."""
        if value not in self._values:
            self._values.append(value)
            self.addItem(words)
        self.setCurrentIndex(self._values.index(value))

    def choose(self, value: Any) -> None:
        """Choose as the user does."""
        self.setCurrentIndex(self._values.index(value))
        self.value_chosen.emit(value)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the wheel pass: nothing is changed by scrolling over it."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the field, and its arrow in the theme's colour."""
        super().paintEvent(event)
        arrow = icons.pixmap("down", current_theme().muted, 16, self.devicePixelRatioF())
        QPainter(self).drawPixmap(self.width() - 24, (self.height() - 16) // 2, arrow)


class NumberEdit(QLineEdit):
    """A field for a number within bounds; anything else gives way to the number before.

    Attributes:
        value_chosen: Carries the number, when the user has finished with it.
    """

    value_chosen = Signal(float)

    def __init__(self, name: str, lowest: float, highest: float) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setAcceptDrops(False)
        self._lowest, self._highest = lowest, highest
        self._value = lowest
        validator = QDoubleValidator(lowest, highest, 1, self)
        validator.setNotation(QDoubleValidator.Notation.StandardNotation)
        validator.setLocale(QLocale.c())
        self.setValidator(validator)
        self.setToolTip(f"From {lowest:g} to {highest:g}")
        self.editingFinished.connect(self._finish)

    @property
    def value(self) -> float:
        """The number."""
        return self._value

    def show_value(self, value: float) -> None:
        """Show a number."""
        self._value = min(self._highest, max(self._lowest, round(value, 1)))
        self.setText(f"{self._value:g}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take a comma for a point."""
        if event.text() == ",":
            self.insert(".")
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Bring the number back where something else was typed."""
        super().focusOutEvent(event)
        if not self.hasAcceptableInput():
            self.show_value(self._value)

    def _finish(self) -> None:
        value = float(self.text())
        if value != self._value:
            self.show_value(value)
            self.value_chosen.emit(value)


class WattsField(QWidget):
    """Watts of the user's own, or the program's guess.

    Args:
        name: What the watts are of.
        guess_w: What is taken when the user gives nothing.

    Attributes:
        value_chosen: Carries the watts, 0 = the program's guess.
    """

    value_chosen = Signal(object)

    def __init__(self, name: str, guess_w: float) -> None:
        super().__init__()
        self._guess_w = guess_w
        self.kind = Choices(
            name,
            [(_AUTOMATIC, f"Automatic ({guess_w:.3g} W)"), (_OWN, "My own figure")],
        )
        self.watts = NumberEdit(f"{name} in watts", 0.1, 5000.0)
        self.watts.setFixedWidth(72)
        self._unit = label("W")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_PX)
        row.addWidget(self.kind, 1)
        row.addWidget(self.watts)
        row.addWidget(self._unit)
        self.setFocusProxy(self.kind)
        self.kind.value_chosen.connect(self._on_kind)
        self.watts.value_chosen.connect(self._on_watts)

    def show_value(self, watts: float) -> None:
        """Show the watts; 0 = the program's guess."""
        self.watts.show_value(watts if watts > 0 else self._guess_w)
        self.kind.show_value(_OWN if watts > 0 else _AUTOMATIC, "")
        self._fit()

    def _on_kind(self, kind: str) -> None:
        self._fit()
        self.value_chosen.emit(self.watts.value if kind == _OWN else 0.0)

    def _on_watts(self, watts: float) -> None:
        if self.kind.value == _OWN:
            self.value_chosen.emit(watts)

    def _fit(self) -> None:
        for item in (self.watts, self._unit):
            keep_place(item)
            item.setVisible(self.kind.value == _OWN)


class Page(QScrollArea):
    """A group of fields: names on the left, fields with a line of explanation on the right."""

    def __init__(self, title: str, introduction: str = "") -> None:
        super().__init__()
        self.setAccessibleName(f"Settings: {title}")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.title = title
        content = QWidget()
        content.setProperty("role", "clear")
        self.column = QVBoxLayout(content)
        self.column.setContentsMargins(EDGE_PX, GROUP_PX, EDGE_PX, GROUP_PX)
        self.column.setSpacing(GROUP_PX)
        self.column.addWidget(label(title, "title"))
        if introduction:
            self.column.addWidget(label(introduction, "caption", wrap=True))
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(GROUP_PX)
        self.grid.setVerticalSpacing(GROUP_PX)
        self.grid.setColumnMinimumWidth(0, _LABEL_PX)
        self.grid.setColumnStretch(1, 1)
        self.column.addLayout(self.grid)
        self.column.addStretch(1)
        self.setWidget(content)

    def add_part(self, part: QWidget) -> None:
        """Add something below the fields that takes the whole width."""
        self.column.insertWidget(self.column.count() - 1, part)

    def add_field(self, name: str, field: QWidget, explanation: str = "") -> QLabel:
        """Add a field with its name, and return the label of its explanation."""
        words = label(name, wrap=True)
        words.setBuddy(field)
        words.setContentsMargins(0, 6, 0, 0)
        caption = label(explanation, "caption", wrap=True)
        caption.setVisible(bool(explanation))
        field.setAccessibleDescription(explanation)
        right = QVBoxLayout()
        right.setSpacing(TIGHT_PX)
        right.addWidget(field)
        right.addWidget(caption)
        row = self.grid.rowCount()
        self.grid.addWidget(words, row, 0, Qt.AlignmentFlag.AlignTop)
        self.grid.addLayout(right, row, 1)
        return caption
