# SPDX-License-Identifier: Apache-2.0
"""The questions and answers of the open conversation, one below the other.

A conversation may hold thousands of messages, and a widget for each would take minutes. So there
are widgets only for the messages in view and some screens around them: they are made one at a
time, so that the window never stands still, and those that are far away are let go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from molmo_desktop.store.records import MessageRecord
from molmo_desktop.ui.controls import centred, follow_in_tab_order
from molmo_desktop.ui.message_views import AnswerView, QuestionView, plain_text_of
from molmo_desktop.ui.theme import EDGE_PX, GROUP_PX

_NEAR_END_PX = 48
_AT_ONCE = 2  # messages that are shown before anything else happens
_READ_AT_ONCE = 12
_SCREENS_AHEAD = 1.5
# Between two steps, so that keys, wheel and painting have their turn.
_PAUSE_MS = 10
_MOST_VIEWS = 40

Source = Callable[..., list[MessageRecord]]


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
        self._source: Source | None = None
        self._older: list[MessageRecord] = []
        self._has_older = self._has_newer = False
        # The newest message above that was let go; what was written since has no number.
        self._let_go_above: int | None = None
        self._held: QuestionView | AnswerView | None = None
        self._is_holding = False
        self._follows = True
        self._filling = QTimer(self)
        self._filling.setSingleShot(True)
        self._filling.timeout.connect(self._fill)
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
        if not (self._source is not None and (self._has_older or self._has_newer)):
            return "\n\n".join(view.plain_text() for view in self._views)
        stored = [plain_text_of(item) for item in self._source() if item.status != "writing"]
        live = [view.plain_text() for view in self._views if view.message_id is None]
        return "\n\n".join([*stored, *live])

    def clear(self, *, is_filled_again: bool = False) -> None:
        """Remove all messages, and show the empty state unless others follow at once."""
        self._release()
        for view in self._views:
            self._messages.removeWidget(view)
            view.hide()
            view.deleteLater()
        self._views, self._older, self._source = [], [], None
        self._let_go_above = None
        self._has_older = self._has_newer = False
        self._filling.stop()
        self._empty_state.setVisible(not is_filled_again)
        self._follows = True

    def show_messages(self, messages: list[MessageRecord], source: Source | None = None) -> None:
        """Show a stored conversation; an answer that is still being written is left out.

        Args:
            messages: The newest messages of the conversation, oldest first.
            source: Reads further ones: takes what `Store.messages` does, but for the conversation.
        """
        self.clear(is_filled_again=bool(messages))
        self._source = source
        self._older = messages[:-_AT_ONCE]
        self._has_older = source is not None or bool(self._older)
        for message in messages[-_AT_ONCE:]:
            if (view := self._view_of(message)) is not None:
                self._add(view)
        self._filling.start(_PAUSE_MS)

    def add_question(self, text: str) -> QuestionView:
        """Add what the user asked."""
        self._go_to_newest()
        view = QuestionView(text)
        self._add(view)
        return view

    def start_answer(self) -> AnswerView:
        """Add an answer that begins now."""
        self._go_to_newest()
        view = self._new_answer()
        self._add(view)
        return view

    def _new_answer(self) -> AnswerView:
        view = AnswerView()
        view.evidence_chosen.connect(
            lambda number, chosen=view: self.evidence_chosen.emit(chosen, number)
        )
        view.again_wanted.connect(self.again_wanted)
        return view

    def _view_of(self, message: MessageRecord) -> QuestionView | AnswerView | None:
        view: QuestionView | AnswerView
        if message.role == "user":
            view = QuestionView(message.text)
        elif message.status != "writing":
            view = self._new_answer()
            view.show_end(message.status, message.answer, text=message.text, error=message.error)
        else:
            return None
        view.message_id = message.id
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

    def _add(self, view: QuestionView | AnswerView, *, follows: bool = True) -> None:
        self._empty_state.hide()
        before = self._views[-1].focus_parts()[-1] if self._views else self
        self._views.append(view)
        self._messages.insertWidget(self._messages.count() - 1, view)
        follow_in_tab_order(before, view.focus_parts())
        if follows:
            self.follow()

    # --- more than there is room for -------------------------------------------------------

    def _fill(self) -> None:
        """Do one step: make a message above or below where the user may come soon, or let go."""
        bar, ahead_px = self.verticalScrollBar(), self.viewport().height() * _SCREENS_AHEAD
        if len(self._views) > _MOST_VIEWS and self._let_go_of_one():
            pass
        elif self._has_older and bar.value() < ahead_px:
            self._add_above()
        elif self._has_newer and bar.maximum() - bar.value() < ahead_px:
            self._add_below()
        else:
            return
        self._filling.start(_PAUSE_MS)

    def _add_above(self) -> None:
        if not self._older:
            first, source = self._views[0].message_id if self._views else None, self._source
            if first is None and self._let_go_above is not None:
                first = self._let_go_above + 1
            self._older = (
                source(before_id=first, limit=_READ_AT_ONCE, newest=True) if source else []
            )
            self._has_older = bool(self._older)
            return
        view = self._view_of(self._older.pop())
        if view is None:
            return
        self._views.insert(0, view)
        # Behind the empty state.
        self._messages.insertWidget(1, view)
        follow_in_tab_order(self, view.focus_parts())
        self._empty_state.hide()

    def _add_below(self) -> None:
        last = self._views[-1].message_id
        if last is None or self._source is None:
            self._has_newer = False
            return
        found = self._source(after_id=last, limit=_AT_ONCE)
        # One that another window is writing is passed over.
        views = [view for item in found if (view := self._view_of(item)) is not None]
        self._has_newer = bool(views)
        for view in views:
            self._add(view, follows=False)

    def _let_go_of_one(self) -> bool:
        """Let a message far out of sight go, that can be read from the store again."""
        bar, height_px = self.verticalScrollBar(), self.viewport().height()
        far_px = 2 * _SCREENS_AHEAD * height_px
        first, last = self._views[0], self._views[-1]
        if self._source is None:
            return False
        if last.message_id is not None and last.y() > bar.value() + height_px + far_px:
            self._views.pop()
            self._has_newer = True
            self._let_go(last)
        elif first.message_id is not None and first.y() + first.height() < bar.value() - far_px:
            self._views.pop(0)
            self._has_older, self._older = True, []
            self._let_go_above = first.message_id
            self._let_go(first)
        else:
            return False
        return True

    def _let_go(self, view: QuestionView | AnswerView) -> None:
        if view is self._held:
            self._release()
        self._messages.removeWidget(view)
        view.hide()
        view.deleteLater()

    def _go_to_oldest(self) -> None:
        """Have the beginning of the conversation at hand, unless something is being written."""
        source = self._source
        if not self._has_older or source is None or self._views[-1].message_id is None:
            return
        first = source(limit=_AT_ONCE)
        self.clear(is_filled_again=bool(first))
        self._source, self._has_newer, self._follows = source, True, False
        for message in first:
            if (view := self._view_of(message)) is not None:
                self._add(view, follows=False)
        self._filling.start(_PAUSE_MS)

    def _go_to_newest(self) -> None:
        """Have the end of the conversation at hand again."""
        if self._has_newer and self._source is not None:
            source = self._source
            self.show_messages(source(limit=_READ_AT_ONCE, newest=True), source)

    # --- scrolling -------------------------------------------------------------------------

    def follow(self) -> None:
        """Go to the end and stay there while the answer grows."""
        self._go_to_newest()
        self._follows = True
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _on_range_changed(self, _minimum: int, maximum: int) -> None:
        if self._follows:
            self.verticalScrollBar().setValue(maximum)

    def _on_value_changed(self, value: int) -> None:
        is_near_end = value >= self.verticalScrollBar().maximum() - _NEAR_END_PX
        self._follows = is_near_end and not self._has_newer
        if not self._is_holding:
            self._hold(value)
        if (self._has_older or self._has_newer) and not self._filling.isActive():
            self._filling.start(_PAUSE_MS)

    def _hold(self, value: int) -> None:
        """Remember the message at the upper edge: it stays there, whatever comes above it."""
        held = next((view for view in self._views if view.y() + view.height() > value), None)
        if held is not self._held:
            self._release()
            self._held = held
            if held is not None:
                held.moved.connect(self._on_held_moved)

    def _release(self) -> None:
        if self._held is not None:
            self._held.moved.disconnect(self._on_held_moved)
            self._held = None

    def _on_held_moved(self, down_px: int) -> None:
        """Move along with the message that is read."""
        if not self._follows:
            bar = self.verticalScrollBar()
            self._is_holding = True
            bar.setValue(bar.value() + down_px)
            self._is_holding = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill a window that got higher."""
        super().resizeEvent(event)
        if self._has_older:
            self._filling.start(_PAUSE_MS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the ends with Home and End."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Home:
            self._go_to_oldest()
            bar.setValue(bar.minimum())
        elif event.key() == Qt.Key.Key_End:
            self.follow()
        else:
            super().keyPressEvent(event)
