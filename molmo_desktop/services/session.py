# SPDX-License-Identifier: Apache-2.0
"""The conversation that is open: its files, its questions, and the answer being written.

No widgets here. The window shows what the signals say and calls the methods; what happens to a
question between the key press and the finished answer can be read in this file from top to
bottom. The conversation that is open and the one that is being answered may differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal

from molmo_desktop.assistant.requests import AskOptions, AskRequest, Turn
from molmo_desktop.core.answer import Answer
from molmo_desktop.core.errors import Cancelled, MolmoDesktopError
from molmo_desktop.core.pages import Document
from molmo_desktop.services.ask_service import AskService
from molmo_desktop.services.conversation_service import ConversationService
from molmo_desktop.services.document_service import DocumentService
from molmo_desktop.services.stored_id import StoredId
from molmo_desktop.store.records import MessageRecord

NEWEST_COUNT = 12  # messages that fill a tall window; older ones are read when wanted
_SAVE_PARTIAL_MS = 500

AttachmentState = Literal["reading", "ready", "failed", "missing"]
EndOfAnswer = Literal["finished", "cancelled", "failed"]


@dataclass
class Attachment:
    """A file of the open conversation.

    Attributes:
        done, total: Pages read so far, and in all (None = unknown).
        record_id: In the store; None when it is not saved.
    """

    path: Path
    state: AttachmentState = "reading"
    document: Document | None = None
    error: MolmoDesktopError | None = None
    done: int = 0
    total: int | None = None
    record_id: int | StoredId | None = None


@dataclass
class RunningAnswer:
    """The answer that is being written.

    Attributes:
        text: What was written so far.
        conversation, answer_id: In the store; None when they are not saved.
        is_asked: The question was saved before, so that it is never lost.
    """

    conversation: StoredId | None
    question: str
    answer_id: StoredId | None
    text: str = ""
    saved_length: int = 0
    notices: list[str] = field(default_factory=list)
    is_asked: bool = False

    @property
    def conversation_id(self) -> int | None:
        """The conversation in the store; None when it is not (yet) saved."""
        return self.conversation.value if self.conversation is not None else None


class Session(QObject):
    """What the user is working on.

    Attributes:
        opened: Another conversation is open; carries its list of `MessageRecord`.
        identified: The open conversation got its place in the store; carries the id.
        private_changed: The open conversation is private, or not any more.
        attachments_changed: Files were added or removed.
        attachment_changed: Carries the `Attachment` whose state or progress changed.
        attachment_failed: Carries the `Attachment` that could not be read.
        asked: Carries the `RunningAnswer`; an answer begins.
        text_added, stage_changed, coverage_known, notice_given: About the running answer, only
            while its conversation is open.
        ended: Carries the `RunningAnswer`, how it ended, the ``ask --json`` object or None, and
            the error or None.
    """

    opened = Signal(object)
    identified = Signal(int)
    private_changed = Signal(bool)
    attachments_changed = Signal()
    attachment_changed = Signal(object)
    attachment_failed = Signal(object)
    asked = Signal(object)
    text_added = Signal(str)
    stage_changed = Signal(object)
    coverage_known = Signal(object)
    notice_given = Signal(str)
    ended = Signal(object, str, object, object)

    def __init__(
        self,
        conversations: ConversationService,
        documents: DocumentService,
        asking: AskService,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._conversations = conversations
        self._documents = documents
        self._asking = asking
        self.model_name = ""
        self._place: StoredId | None = None
        self.is_private = False
        self.attachments: list[Attachment] = []
        self.running: RunningAnswer | None = None
        # Read from the store when they are first needed: it takes a while for thousands.
        self._known_turns: list[_AskedTurn] | None = []
        self._save_timer = QTimer(self)
        self._save_timer.setInterval(_SAVE_PARTIAL_MS)
        self._save_timer.timeout.connect(self._save_partial)
        documents.progressed.connect(self._on_progressed)
        documents.document_read.connect(self._on_document_read)
        documents.reading_failed.connect(self._on_reading_failed)
        asking.text_added.connect(self._on_text_added)
        asking.stage_changed.connect(self._on_stage_changed)
        asking.coverage_known.connect(self._on_coverage_known)
        asking.notice_given.connect(self._on_notice_given)
        asking.answered.connect(self._on_answered)
        asking.failed.connect(self._on_failed)

    # --- conversations -------------------------------------------------------------------

    @property
    def conversation_id(self) -> int | None:
        """The open conversation in the store; None when it is not (yet) there."""
        return self._place.value if self._place is not None else None

    def open_new(self, *, is_private: bool = False) -> None:
        """Open a conversation that has not begun; it is stored with its first file or question."""
        self.is_private = is_private
        self._open(None, [])

    def open(self, conversation_id: int) -> None:
        """Open a stored conversation, with its files and answers."""
        self.is_private = self._conversations.is_private(conversation_id)
        newest = self._conversations.messages(conversation_id, limit=NEWEST_COUNT, newest=True)
        self._open(conversation_id, newest)

    def set_private(self, conversation_id: int | None, is_private: bool) -> None:
        """Mark a conversation as private from its next question on; None = one not begun yet."""
        if conversation_id is not None:
            self._conversations.set_private(conversation_id, is_private)
        if conversation_id == self.conversation_id:
            self.is_private = is_private
            self.private_changed.emit(is_private)

    def is_running_here(self) -> bool:
        """Whether the answer being written belongs to the open conversation."""
        return self.running is not None and self.belongs_here(self.running)

    def belongs_here(self, running: RunningAnswer) -> bool:
        """Whether an answer belongs to the open conversation."""
        number = running.conversation_id
        # Two that could not be saved have no number, and are two all the same.
        return running.conversation is self._place or (
            number is not None and number == self.conversation_id
        )

    def _open(self, conversation_id: int | None, messages: list[MessageRecord]) -> None:
        for attachment in self.attachments:
            self._documents.forget(attachment.path)
        self._place = StoredId(conversation_id) if conversation_id is not None else None
        self._known_turns = None if messages else []
        self.attachments = []
        if conversation_id is not None:
            for record in self._conversations.attachments(conversation_id):
                self.attachments.append(Attachment(record.path, record_id=record.id))
        self.opened.emit(messages)
        self.attachments_changed.emit()
        for attachment in list(self.attachments):
            self._read(attachment)

    # --- attachments ---------------------------------------------------------------------

    def attach(self, paths: list[Path]) -> None:
        """Add files; one that is there already is not added again."""
        known = {attachment.path for attachment in self.attachments}
        added = []
        for path in paths:
            path = path.expanduser().absolute()
            if path in known:
                continue
            known.add(path)
            attachment = Attachment(path)
            attachment.record_id = self._conversations.add_attachment(
                self._stored_conversation(), path, None
            )
            self.attachments.append(attachment)
            added.append(attachment)
        if added:
            self.attachments_changed.emit()
        for attachment in added:
            self._read(attachment)

    def remove(self, attachment: Attachment) -> None:
        """Take a file off the conversation."""
        if attachment not in self.attachments:
            return
        self.attachments.remove(attachment)
        self._documents.forget(attachment.path)
        if attachment.record_id is not None:
            self._conversations.remove_attachment(attachment.record_id)
        self.attachments_changed.emit()

    def read_again(self, attachment: Attachment) -> None:
        """Try once more to read a file."""
        attachment.state, attachment.error = "reading", None
        self.attachment_changed.emit(attachment)
        self._read(attachment)

    def document_of(self, path: Path) -> Document | None:
        """Return what was read of an attached file, None when it is not (yet) read."""
        found = self._attachment_of(path)
        return found.document if found else None

    def _read(self, attachment: Attachment) -> None:
        self._documents.read(attachment.path)

    def _attachment_of(self, path: Path) -> Attachment | None:
        return next((item for item in self.attachments if item.path == path), None)

    def _on_progressed(self, path: Path, done: int, total: int | None) -> None:
        if attachment := self._attachment_of(path):
            attachment.done, attachment.total = done, total
            self.attachment_changed.emit(attachment)

    def _on_document_read(self, path: Path, document: Document) -> None:
        if attachment := self._attachment_of(path):
            attachment.state, attachment.document = "ready", document
            if self._place is not None and attachment.record_id is not None:
                self._conversations.add_attachment(self._place, path, document)
            self.attachment_changed.emit(attachment)

    def _on_reading_failed(self, path: Path, error: MolmoDesktopError) -> None:
        attachment = self._attachment_of(path)
        if attachment is None:
            return
        if isinstance(error, Cancelled):
            # Forgotten with another conversation, and wanted again in this one.
            self._read(attachment)
            return
        attachment.state = "failed" if path.exists() else "missing"
        attachment.error = error
        self.attachment_changed.emit(attachment)
        self.attachment_failed.emit(attachment)

    # --- questions -----------------------------------------------------------------------

    def ask(self, question: str) -> bool:
        """Save a question and ask it.

        Returns:
            False when another answer is still being written; nothing happened then.
        """
        question = question.strip()
        if not question or self.is_busy:
            return False
        question_id = self._conversations.add_question(
            self._stored_conversation(), question, self._usable_files()
        )
        self._turns.append(_AskedTurn(question, question_id))
        self._start(question, question_id)
        return True

    def ask_again(self, *, try_anyway: bool = False) -> bool:
        """Ask the last question once more; False when there is none or the engine is busy.

        Args:
            try_anyway: Do also what will probably fail.
        """
        if not self._turns or self.is_busy:
            return False
        turn = self._turns[-1]
        turn.answer = None
        self._start(turn.question, turn.question_id, try_anyway=try_anyway)
        return True

    @property
    def is_busy(self) -> bool:
        """Whether an answer is being written, in this conversation or another."""
        return self._asking.is_busy or self.running is not None

    def stop(self) -> None:
        """End the answer that is being written; what there is of it stays."""
        if self.running is not None and not self.running.is_asked:
            self._end("cancelled", None, Cancelled())
        self._asking.stop()

    def save_now(self) -> None:
        """Save what is written so far; for the end of the program."""
        self._save_timer.stop()
        self._save_partial()

    def abandon(self) -> None:
        """Save how the answer ended, or what there is of it; nobody writes any more."""
        self._save_timer.stop()
        running, self.running = self.running, None
        if running is None or running.answer_id is None:
            return
        running.text += self._asking.rest
        answer = self._asking.result if running.is_asked else None
        if answer is not None:
            end, told = _end_of(answer, running)
            self._conversations.finish_answer(running.answer_id, told, end)
        else:
            self._conversations.finish_answer(
                running.answer_id, None, "cancelled", text=running.text
            )

    def _start(
        self, question: str, question_id: StoredId | int | None, *, try_anyway: bool = False
    ) -> None:
        answer_id = None
        if self._place is not None and question_id is not None:
            answer_id = self._conversations.start_answer(self._place, question_id, self.model_name)
        running = RunningAnswer(self._place, question, answer_id)
        self.running = running
        self._save_timer.start()
        request = AskRequest(
            question=question,
            files=tuple(self._usable_files()),
            history=tuple(
                Turn(turn.question, turn.answer)
                for turn in self._turns[:-1]
                if turn.answer is not None
            ),
            options=AskOptions(model=self.model_name or None, try_anyway=try_anyway),
            is_private=self.is_private,
        )
        self.asked.emit(running)
        for attachment in self.attachments:
            if attachment.path not in request.files:
                self._on_notice_given(_left_out(attachment))
        self._conversations.after_saving(lambda: self._ask_saved(running, request))

    def _ask_saved(self, running: RunningAnswer, request: AskRequest) -> None:
        """Ask, now that the question is on the disk."""
        if self.running is not running:  # stopped meanwhile
            return
        running.is_asked = True
        key = str(running.conversation_id or "")
        self._asking.ask(replace(request, conversation_key=key))

    def _usable_files(self) -> list[Path]:
        return [item.path for item in self.attachments if item.state in ("reading", "ready")]

    def _stored_conversation(self) -> StoredId:
        if self._place is None or self._place.error is not None:
            self._place = place = self._conversations.create(is_private=self.is_private)
            self._conversations.after_saving(lambda: self._identify(place))
        return self._place

    def _identify(self, place: StoredId) -> None:
        if place is self._place and place.value is not None:
            self.identified.emit(place.value)

    @property
    def _turns(self) -> list[_AskedTurn]:
        if self._known_turns is None:
            number = self.conversation_id
            self._known_turns = _turns_of(
                self._conversations.turns(number) if number is not None else []
            )
        return self._known_turns

    # --- the answer ----------------------------------------------------------------------

    def _on_text_added(self, text: str) -> None:
        if self.running is not None:
            self.running.text += text
            if self.is_running_here():
                self.text_added.emit(text)

    def _on_stage_changed(self, event: object) -> None:
        if self.is_running_here():
            self.stage_changed.emit(event)

    def _on_coverage_known(self, coverage: object) -> None:
        if self.is_running_here():
            self.coverage_known.emit(coverage)

    def _on_notice_given(self, sentence: str) -> None:
        if self.running is not None:
            self.running.notices.append(sentence)
            if self.is_running_here():
                self.notice_given.emit(sentence)

    def _save_partial(self) -> None:
        running = self.running
        if running is None or running.answer_id is None:
            return
        length = len(running.text)
        if length != running.saved_length and self._conversations.save_partial(
            running.answer_id, running.text
        ):
            running.saved_length = length

    def _on_answered(self, answer: Answer) -> None:
        if self.running is not None:
            end, told = _end_of(answer, self.running)
            self._end(end, told, None)

    def _on_failed(self, error: MolmoDesktopError) -> None:
        end: EndOfAnswer = "cancelled" if isinstance(error, Cancelled) else "failed"
        self._end(end, None, error)

    def _end(
        self, end: EndOfAnswer, answer: dict[str, Any] | None, error: MolmoDesktopError | None
    ) -> None:
        running, self.running = self.running, None
        self._save_timer.stop()
        if running is None:
            return
        if running.answer_id is not None:
            self._conversations.finish_answer(
                running.answer_id,
                answer,
                end,
                error.to_dict() if error is not None and end == "failed" else None,
                text=running.text if answer is None else None,
            )
        if self.belongs_here(running) and answer is not None and self._turns:
            self._turns[-1].answer = str(answer["answer"])
        self.ended.emit(running, end, answer, error)


@dataclass
class _AskedTurn:
    question: str
    question_id: StoredId | int | None
    answer: str | None = None


def _end_of(answer: Answer, running: RunningAnswer) -> tuple[EndOfAnswer, dict[str, Any]]:
    """Return how an answer ended, and its ``ask --json`` object with all that was said."""
    end: EndOfAnswer = "cancelled" if answer.finish_reason == "cancelled" else "finished"
    left_out = [sentence for sentence in running.notices if sentence not in answer.notices]
    return end, {**answer.to_dict(), "notices": [*left_out, *answer.notices]}


def _left_out(attachment: Attachment) -> str:
    why = "is not there any more" if attachment.state == "missing" else "cannot be read"
    return f"{attachment.path.name} {why} and was left out."


def _turns_of(messages: list[MessageRecord]) -> list[_AskedTurn]:
    """Return the questions with their last usable answers, oldest first."""
    turns: dict[int, _AskedTurn] = {}
    for message in messages:
        if message.role == "user":
            turns[message.id] = _AskedTurn(message.text, message.id)
        elif message.question_id in turns and message.status in ("finished", "cancelled"):
            turns[message.question_id].answer = message.text or None
    return list(turns.values())
