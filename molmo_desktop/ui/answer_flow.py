# SPDX-License-Identifier: Apache-2.0
"""What the window shows from the question to the evidence of its answer."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from molmo_desktop.assistant.requests import StageEvent
from molmo_desktop.core.answer import Coverage
from molmo_desktop.core.errors import (
    Cancelled,
    MolmoDesktopError,
    OutOfMemoryError,
    RepeatedCrashError,
    UnsupportedFormatError,
)
from molmo_desktop.services.notifier import Message
from molmo_desktop.services.session import RunningAnswer, Session
from molmo_desktop.ui.conversation_column import ConversationColumn
from molmo_desktop.ui.message_views import AnswerView
from molmo_desktop.ui.model_picker import ModelPicker
from molmo_desktop.ui.side_panel import SidePanel
from molmo_desktop.ui.status_line import StatusLine

_END_WORDS = {"finished": "Ready", "cancelled": "Stopped", "failed": "Not answered"}


class AnswerFlow(QObject):
    """Asks, shows the answer while it grows, and opens what it rests on.

    Attributes:
        started: A question was asked.
        finished: Carries the ``ask --json`` object.
        failed: Carries the question and the error, as ``ask --json`` prints them.
    """

    started = Signal()
    finished = Signal(dict)
    failed = Signal(dict)

    def __init__(
        self,
        session: Session,
        column: ConversationColumn,
        panel: SidePanel,
        picker: ModelPicker,
        status: StatusLine,
    ) -> None:
        super().__init__()
        self._session = session
        self._column = column
        self._panel = panel
        self._picker = picker
        self._status = status
        session.asked.connect(self._on_asked)
        session.text_added.connect(self._on_text_added)
        session.stage_changed.connect(self._on_stage_changed)
        session.coverage_known.connect(self._on_coverage_known)
        session.notice_given.connect(status.say)
        session.ended.connect(self._on_ended)
        column.transcript.evidence_chosen.connect(self._on_mark_chosen)
        column.transcript.again_wanted.connect(self.ask_again)

    # --- asking ----------------------------------------------------------------------------

    def ask(self, question: str) -> bool:
        """Ask a question; False, and nothing happens, while another one is answered."""
        if self._session.is_busy or not question.strip():
            return False
        self._column.message_bar.hide()
        self._column.transcript.add_question(question.strip())
        return self._session.ask(question)

    def ask_again(self) -> None:
        """Ask the last question of the open conversation once more."""
        self._column.message_bar.hide()
        self._session.ask_again()

    def try_anyway(self) -> None:
        """Ask it once more, and do what was refused because it will probably fail."""
        self._column.message_bar.hide()
        self._session.ask_again(try_anyway=True)

    def stop(self) -> None:
        """Stop the answer that is being written."""
        if self._session.is_busy:
            self._column.composer.set_stopping()
            self._session.stop()

    # --- while it is written ---------------------------------------------------------------

    def show_running(self) -> None:
        """Show an answer that is already being written, in a conversation that was opened."""
        running = self._session.running
        composer = self._column.composer
        composer.set_busy(self._session.is_busy)
        if running is not None and self._session.is_running_here():
            self._column.transcript.start_answer().append_text(running.text)
        elif self._session.is_busy:
            composer.stage.set_full_text("Answering in another conversation…")

    def _on_asked(self, _running: RunningAnswer) -> None:
        self._column.transcript.start_answer()
        self._column.transcript.follow()
        self._column.composer.set_busy(True)
        self._panel.live.set_answering(True)
        self._status.say("Answering")
        self.started.emit()

    def _on_text_added(self, text: str) -> None:
        if (view := self._column.transcript.last_answer) is not None:
            view.append_text(text)

    def _on_stage_changed(self, event: StageEvent) -> None:
        self._column.composer.show_stage(event)

    def _on_coverage_known(self, coverage: Coverage) -> None:
        sentence = coverage.sentence()
        if sentence:
            self._status.say(sentence[0].upper() + sentence[1:])

    # --- the end ---------------------------------------------------------------------------

    def _on_ended(
        self,
        running: RunningAnswer,
        end: str,
        answer: dict[str, Any] | None,
        error: MolmoDesktopError | None,
    ) -> None:
        self._column.composer.set_busy(False)
        self._panel.live.set_answering(False)
        self._status.say(_END_WORDS.get(end, "Ready"))
        failure = error if error is not None and not isinstance(error, Cancelled) else None
        is_open = self._session.belongs_here(running)
        if is_open:
            self._show_end(running, end, answer, failure)
        if failure is not None:
            self._show_failure(failure, can_ask=is_open)
        if answer is not None:
            self._panel.live.show_answer(answer)
            self.finished.emit(answer)
        elif error is not None:
            told = error.shown()
            self.failed.emit({"question": running.question, "error": told})

    def _show_end(
        self,
        running: RunningAnswer,
        end: str,
        answer: dict[str, Any] | None,
        failure: MolmoDesktopError | None,
    ) -> None:
        self._column.transcript.end_answer(
            end,
            answer,
            text=running.text,
            # What to do about it stands in the bar.
            error={"message": failure.message} if failure else None,
        )
        view = self._column.transcript.last_answer
        if answer is not None and view is not None:
            self.show_evidence(view)

    def _show_failure(self, failure: MolmoDesktopError, *, can_ask: bool) -> None:
        message = Message("error", failure.message, failure.hint, failure.detail)
        bar = self._column.message_bar
        models = self._picker.models
        seeing = next((m for m in models if m.has_vision and not m.problem), None)
        if not can_ask:
            bar.show_message(message)
        elif isinstance(failure, UnsupportedFormatError) and seeing is not None:
            name = seeing.name
            bar.show_message(message, f"Ask {name}", lambda: self._ask_another(name))
        elif _was_refused(failure):
            bar.show_message(message, "Try anyway", self.try_anyway)
        else:
            bar.show_message(message, "Ask again", self.ask_again)

    def _ask_another(self, model_name: str) -> None:
        """Switch to another model and ask the last question again."""
        self._picker.setCurrentIndex(self._picker.findData(model_name))
        self.ask_again()

    # --- evidence --------------------------------------------------------------------------

    def show_evidence(self, view: AnswerView) -> None:
        """Show the passages and points of an answer, and open the first that it rests on."""
        self._show_cards(view)
        self._panel.show_points(view.points)
        cited = [item for item in view.evidence if item.cited]
        if cited and not view.points:
            self._panel.show_passage(cited[0])

    def _on_mark_chosen(self, view: AnswerView, number: int) -> None:
        self._show_cards(view)
        self._panel.show_passage(view.evidence[number])

    def _show_cards(self, view: AnswerView) -> None:
        answer = view.answer or {}
        words = f"{answer.get('question', '')} {answer.get('answer', '')}"
        self._panel.show_evidence(view.evidence, words)


def _was_refused(failure: MolmoDesktopError) -> bool:
    """Whether nothing was tried, because it will probably fail."""
    too_large = isinstance(failure, OutOfMemoryError) and "needed_bytes" in failure.data
    return too_large or isinstance(failure, RepeatedCrashError)
