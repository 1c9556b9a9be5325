# SPDX-License-Identifier: Apache-2.0
"""Chooses the model that answers, and says which ones fit into the memory that is free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

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

from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.ui import icons
from molmo_desktop.ui.theme import CORNER_PX, GAP_PX, caption_font, current_theme

if TYPE_CHECKING:
    from molmo_desktop.assistant.preflight import MemoryCheck
    from molmo_desktop.models.fit import Fit
    from molmo_desktop.models.installed import InstalledModel

_WORDS_ROLE = Qt.ItemDataRole.UserRole + 1
_FIT_ROLE = Qt.ItemDataRole.UserRole + 2
_FLAGS_ROLE = Qt.ItemDataRole.UserRole - 1
_ROW_PX = 48
_PILL_PADDING_PX = 6
_FIT_WORDS: dict[Fit, str] = {"fits": "Fits", "tight": "Tight", "will not fit": "Will not fit"}
_AUTOMATIC = "Automatic"
_TOOL_TIP = "The model that answers (Ctrl+Shift+M)"


class ModelPicker(QComboBox):
    """A list of the models that are there; the first line leaves the choice to the program.

    Attributes:
        model_chosen: Carries the name of a model, empty = automatic. Only for the user's choice.
        opened: The list is shown; what fits may be another than when it was filled.
    """

    model_chosen = Signal(str)
    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelPicker")
        self.setAccessibleName("Model")
        self.setToolTip(_TOOL_TIP)
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

    def show_checks(self, checks: Mapping[str, MemoryCheck]) -> None:
        """Say of each model whether it fits, and what its memory is made of.

        Args:
            checks: By the model's name; one that is missing says nothing.
        """
        for row, model in enumerate(self._models, start=1):
            check = checks.get(model.name)
            if model.problem or check is None:
                continue
            words = f"{words_of(model)}, {_FIT_WORDS[check.verdict].lower()}"
            self.setItemData(row, check.verdict, _FIT_ROLE)
            self.setItemData(row, explanation_of(check), Qt.ItemDataRole.ToolTipRole)
            self.setItemData(row, f"{model.name}, {words}", Qt.ItemDataRole.AccessibleTextRole)
        self._describe()
        self.update()

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
        spoken = self.currentData(Qt.ItemDataRole.AccessibleTextRole)
        self.setAccessibleDescription(str(spoken or self.currentText()))
        explanation = self.currentData(Qt.ItemDataRole.ToolTipRole)
        self.setToolTip(f"{_TOOL_TIP}\n{explanation}" if explanation else _TOOL_TIP)

    def showPopup(self) -> None:
        """Open the list."""
        self.opened.emit()
        super().showPopup()

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
        words = self.currentData(_WORDS_ROLE) or ""
        _paint_lines(painter, self, area, self.currentText(), words, self.currentData(_FIT_ROLE))


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
            painter,
            self._picker,
            area,
            index.data(),
            index.data(_WORDS_ROLE),
            index.data(_FIT_ROLE),
            enabled=enabled,
        )
        painter.restore()


def words_of(model: InstalledModel) -> str:
    """Return size and abilities of a model: "98 MB · text only"."""
    if model.problem:
        return "cannot be used"
    sees = "sees pictures" if model.has_vision else "text only"
    return f"{bytes_in_words(model.size_bytes)} · {sees}"


def explanation_of(check: MemoryCheck) -> str:
    """Return the sum and its parts, a line each."""
    return f"{check.sentence()}\n{check.parts_sentence()}"


def _paint_lines(
    painter: QPainter,
    picker: QWidget,
    area: QRect,
    title: str,
    words: str,
    verdict: Fit | None,
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
    if verdict is not None:
        bottom.setRight(_paint_pill(painter, bottom, verdict).left() - GAP_PX)
        painter.setPen(QColor(theme.muted))
    words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, bottom.width())
    painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)


def _paint_pill(painter: QPainter, area: QRect, verdict: Fit) -> QRect:
    """Paint the verdict at the right end; the word says it, the colour only helps."""
    theme = current_theme()
    colour = {"fits": theme.ok, "tight": theme.warning, "will not fit": theme.error}[verdict]
    words = _FIT_WORDS[verdict]
    width = painter.fontMetrics().horizontalAdvance(words) + 2 * _PILL_PADDING_PX
    height = min(area.height(), painter.fontMetrics().height() + 2)
    pill = QRect(area.right() - width, area.center().y() - height // 2, width, height)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(colour))
    painter.setBrush(QColor(theme.raised))
    painter.drawRoundedRect(pill, height / 2, height / 2)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()
    return pill
