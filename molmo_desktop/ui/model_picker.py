# SPDX-License-Identifier: Apache-2.0
"""Chooses the model that answers."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QWidget,
)

from molmo_desktop.models.installed import InstalledModel
from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.ui import icons
from molmo_desktop.ui.theme import CORNER_PX, caption_font, current_theme

_WORDS_ROLE = Qt.ItemDataRole.UserRole + 1
_FLAGS_ROLE = Qt.ItemDataRole.UserRole - 1
_ROW_PX = 48
_AUTOMATIC = "Automatic"


class ModelPicker(QComboBox):
    """A list of the models that are there; the first line leaves the choice to the program.

    Attributes:
        model_chosen: Carries the name of a model, empty = automatic. Only for the user's choice.
    """

    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPicker")
        self.setAccessibleName("Model")
        self.setToolTip("The model that answers (Ctrl+Shift+M)")
        self.setItemDelegate(_Delegate(self))
        self.setMinimumHeight(_ROW_PX)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.view().setMinimumWidth(300)
        self._models: list[InstalledModel] = []
        self._filling = False
        self.currentIndexChanged.connect(self._on_changed)
        self.show_models([], "")

    @property
    def models(self) -> tuple[InstalledModel, ...]:
        """The models of the list."""
        return tuple(self._models)

    def show_models(self, models: list[InstalledModel], chosen: str) -> None:
        """Fill the list.

        Args:
            models: All that are there, also those that cannot be used.
            chosen: The name of the model that the user chose; empty = automatic.
        """
        self._filling = True
        self.clear()
        self._models = list(models)
        if not models:
            self._add("", "No model", "see how to get one")
        else:
            self._add("", _AUTOMATIC, "picks one for each question")
        for model in models:
            self._add(model.name, model.name, words_of(model))
            if model.problem:
                row = self.count() - 1
                self.setItemData(row, model.problem, Qt.ItemDataRole.ToolTipRole)
                # The flag that Qt's own model of a combo box reads; 0 = not to be chosen.
                self.setItemData(row, 0, _FLAGS_ROLE)
        self.setCurrentIndex(max(0, self.findData(chosen)))
        self._filling = False
        self._describe()

    @property
    def chosen(self) -> str:
        """The name of the chosen model, empty = automatic."""
        return str(self.currentData() or "")

    def _add(self, name: str, title: str, words: str) -> None:
        self.addItem(title, name)
        row = self.count() - 1
        self.setItemData(row, words, _WORDS_ROLE)
        self.setItemData(row, f"{title}, {words}", Qt.ItemDataRole.AccessibleTextRole)

    def _on_changed(self, _index: int) -> None:
        if not self._filling:
            self._describe()
            self.model_chosen.emit(self.chosen)

    def _describe(self) -> None:
        words = self.currentData(_WORDS_ROLE) or ""
        self.setAccessibleDescription(f"{self.currentText()}, {words}")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the wheel pass: a model is not switched by scrolling over it."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the frame, the name, and under it the size."""
        theme = current_theme()
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = ""
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawPixmap(
            self.width() - 26,
            (self.height() - 16) // 2,
            icons.pixmap("down", theme.muted, 16, self.devicePixelRatioF()),
        )
        area = self.rect().adjusted(10, 5, -30, -5)
        _paint_lines(painter, self, area, self.currentText(), self.currentData(_WORDS_ROLE) or "")


class _Delegate(QStyledItemDelegate):
    """Paints a model of the open list in two lines."""

    def __init__(self, picker: ModelPicker) -> None:
        super().__init__(picker)
        self._picker = picker

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(280, _ROW_PX)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme = current_theme()
        rect = option.rect
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.selected))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), CORNER_PX, CORNER_PX)
        area = rect.adjusted(10, 5, -10, -5)
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        _paint_lines(
            painter, self._picker, area, index.data(), index.data(_WORDS_ROLE), enabled=enabled
        )
        painter.restore()


def words_of(model: InstalledModel) -> str:
    """Return size and abilities of a model: "98 MB · text only"."""
    if model.problem:
        return "cannot be used"
    sees = "sees pictures" if model.has_vision else "text only"
    return f"{bytes_in_words(model.size_bytes)} · {sees}"


def _paint_lines(
    painter: QPainter,
    picker: QWidget,
    area: QRect,
    title: str,
    words: str,
    *,
    enabled: bool = True,
) -> None:
    theme = current_theme()
    painter.setFont(picker.font())
    painter.setPen(QColor(theme.text if enabled else theme.muted))
    top = area.adjusted(0, 0, 0, -area.height() // 2)
    title = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, area.width())
    painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
    painter.setFont(caption_font(picker))
    painter.setPen(QColor(theme.muted))
    bottom = area.adjusted(0, area.height() // 2, 0, 0)
    words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
