# SPDX-License-Identifier: Apache-2.0
"""The questions and answers of the open conversation, one below the other."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from molmo_desktop.store.records import MessageRecord
from molmo_desktop.ui.controls import centred, follow_in_tab_order
from molmo_desktop.ui.message_views import AnswerView, QuestionView
from molmo_desktop.ui.theme import EDGE_PX, GROUP_PX

_NEAR_END_PX = 48


class Transcript(QScrollArea):
    """A column of messages that follows the answer while it grows, unless the user scrolled up.

    Attributes:
        evidence_chosen: A mark of an answer was pressed; carries the view and the number.
        again_wanted: The last question is to be asked once more.
    """

    evidence_chosen = Signal(object, int)
    again_wanted = Signal()

    def __init__(self, empty_state: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transcript")
        self.setAccessibleName("Conversation")
        self.setProperty("role", "ring")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAcceptDrops(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._views: list[QuestionView | AnswerView] = []
        self._follows = True
        self._empty_state = empty_state
        self._build()
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._on_range_changed)
        bar.valueChanged.connect(self._on_value_changed)

    def _build(self) -> None:
        content = QWidget()
        content.setProperty("role", "clear")
        self._column = QWidget()
        self._messages = QVBoxLayout(self._column)
        self._messages.setContentsMargins(EDGE_PX, GROUP_PX, EDGE_PX, GROUP_PX)
        self._messages.setSpacing(GROUP_PX)
        self._messages.addWidget(self._empty_state, 1)
        self._messages.addStretch()
        content.setLayout(centred(self._column))
        self.setWidget(content)

    # --- what is in it ---------------------------------------------------------------------

    @property
    def answers(self) -> tuple[AnswerView, ...]:
        """The answers, oldest first."""
        return tuple(view for view in self._views if isinstance(view, AnswerView))

    @property
    def last_answer(self) -> AnswerView | None:
        """The answer at the end, None while there is none."""
        return self.answers[-1] if self.answers else None

    def plain_text(self) -> str:
        """Return the conversation as text: each question, each answer, an empty line between."""
        return "\n\n".join(view.plain_text() for view in self._views)

    def clear(self) -> None:
        """Remove all messages and show the empty state."""
        for view in self._views:
            self._messages.removeWidget(view)
            view.hide()
            view.deleteLater()
        self._views = []
        self._empty_state.show()
        self._follows = True

    def show_messages(self, messages: list[MessageRecord]) -> None:
        """Show a stored conversation; an answer that is still being written is left out."""
        self.clear()
        for message in messages:
            if message.role == "user":
                self.add_question(message.text)
            elif message.status != "writing":
                view = self.start_answer()
                view.show_end(
                    message.status, message.answer, text=message.text, error=message.error
                )

    def add_question(self, text: str) -> QuestionView:
        """Add what the user asked."""
        view = QuestionView(text)
        self._add(view)
        return view

    def start_answer(self) -> AnswerView:
        """Add an answer that begins now."""
        view = AnswerView()
        view.evidence_chosen.connect(
            lambda number, chosen=view: self.evidence_chosen.emit(chosen, number)
        )
        view.again_wanted.connect(self.again_wanted)
        self._add(view)
        return view

    def end_answer(
        self,
        status: str,
        answer: dict[str, Any] | None,
        *,
        text: str = "",
        error: dict[str, Any] | None = None,
    ) -> None:
        """Show how the last answer ended."""
        if self.last_answer is not None:
            self.last_answer.show_end(status, answer, text=text, error=error)

    def _add(self, view: QuestionView | AnswerView) -> None:
        self._empty_state.hide()
        before = self._views[-1].focus_parts()[-1] if self._views else self
        self._views.append(view)
        self._messages.insertWidget(self._messages.count() - 1, view)
        follow_in_tab_order(before, view.focus_parts())
        self.follow()

    # --- scrolling -------------------------------------------------------------------------

    def follow(self) -> None:
        """Go to the end and stay there while the answer grows."""
        self._follows = True
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        if self._follows:
            self.verticalScrollBar().setValue(maximum)

    def _on_value_changed(self, value: int) -> None:
        self._follows = value >= self.verticalScrollBar().maximum() - _NEAR_END_PX

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the ends with Home and End."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            bar.setValue(bar.minimum())
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)
