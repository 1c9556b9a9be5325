# SPDX-License-Identifier: Apache-2.0
"""Asking, as signals: one question at a time, in a thread of its own.

The engine may write faster than a screen can be painted. Events are collected where they
arise and handed over at most thirty times a second, in the order they came.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from molmo_desktop.assistant.requests import (
    AskEvent,
    AskRequest,
    CoverageEvent,
    NoticeEvent,
    StageEvent,
    TextEvent,
)
from molmo_desktop.core.answer import Answer
from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.services.jobs import Job, Jobs

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant

_HAND_OVER_MS = 33


class AskService(QObject):
    """Answers questions without stopping the window.

    Attributes:
        started: A question is being answered from now on.
        stage_changed: Carries a `StageEvent`.
        coverage_known: Carries a `Coverage`, before the first text.
        notice_given: A sentence to be read now.
        text_added: A piece of the answer.
        answered: Carries the `Answer`; comes last.
        failed: Carries the error, `Cancelled` included; comes last instead.
        result: The answer, from its end on, delivered already or not.
    """

    started = Signal()
    stage_changed = Signal(object)
    coverage_known = Signal(object)
    notice_given = Signal(str)
    text_added = Signal(str)
    answered = Signal(object)
    failed = Signal(object)

    def __init__(self, assistant: Assistant, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._assistant = assistant
        self._jobs = Jobs(self, thread_count=1)
        self._job: Job | None = None
        self._lock = threading.Lock()
        self._collected: list[AskEvent] = []
        self.result: Answer | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_HAND_OVER_MS)
        self._timer.timeout.connect(self._hand_over)

    @property
    def is_busy(self) -> bool:
        """Whether a question is being answered."""
        return self._job is not None

    def ask(self, request: AskRequest) -> bool:
        """Start to answer; False, and nothing happens, while another question is answered."""
        if self._job is not None:
            return False
        self._timer.start()
        self.result = None
        self._job = self._jobs.run(
            lambda job: self._answer(request, job),
            on_done=self._on_done,
            on_failed=self._on_failed,
        )
        self.started.emit()
        return True

    def stop(self) -> None:
        """Ask for the end of the answer; `answered` or `failed` follows."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Stop, wait for the thread, deliver nothing any more."""
        self._timer.stop()
        self._jobs.close()
        self._job = None

    @property
    def rest(self) -> str:
        """The end of the text, as far as it was not delivered."""
        with self._lock:
            texts = [event.text for event in self._collected if isinstance(event, TextEvent)]
        return "".join(texts)

    def _answer(self, request: AskRequest, job: Job) -> Answer:
        answer = self._assistant.ask(request, on_event=self._collect, cancel=job.cancel_token)
        self.result = answer
        return answer

    def _collect(self, event: AskEvent) -> None:
        """Take an event; called in whatever thread it arose."""
        with self._lock:
            last = self._collected[-1] if self._collected else None
            if isinstance(event, TextEvent) and isinstance(last, TextEvent):
                self._collected[-1] = TextEvent(last.text + event.text)
            elif isinstance(event, StageEvent) and isinstance(last, StageEvent):
                self._collected[-1] = event
            else:
                self._collected.append(event)

    def _hand_over(self) -> None:
        with self._lock:
            events, self._collected = self._collected, []
        for event in events:
            if isinstance(event, TextEvent):
                self.text_added.emit(event.text)
            elif isinstance(event, StageEvent):
                self.stage_changed.emit(event)
            elif isinstance(event, CoverageEvent):
                self.coverage_known.emit(event.coverage)
            elif isinstance(event, NoticeEvent):
                self.notice_given.emit(event.text)

    def _on_done(self, answer: Answer) -> None:
        self._end()
        self.answered.emit(answer)

    def _on_failed(self, error: MolmoDesktopError) -> None:
        self._end()
        self.failed.emit(error)

    def _end(self) -> None:
        self._timer.stop()
        self._hand_over()
        self._job = None
