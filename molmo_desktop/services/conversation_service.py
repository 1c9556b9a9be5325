# SPDX-License-Identifier: Apache-2.0
"""The conversations on disk, for a window that goes on whatever the disk does.

Every call is quick enough for the GUI thread. A call that fails tells the user once through
the notifier and returns nothing; the answer on the screen is never lost for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.core.pages import Document
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.store.records import (
    AttachmentRecord,
    ConversationSummary,
    FinalStatus,
    MessageRecord,
)
from molmo_desktop.store.store import Store

_KEEP_DELETED_S = 24 * 3600.0
_Result = TypeVar("_Result")


class ConversationService(QObject):
    """Stores and finds conversations.

    Attributes:
        changed: The list of conversations is another one now.
        left_disk: What was kept on the disk for a conversation, beside itself, is to be
            forgotten: it was deleted, or marked as private.
    """

    changed = Signal()
    left_disk = Signal(int)

    def __init__(self, path: Path, notifier: Notifier, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifier = notifier
        self._problem: HistoryError | None = None
        self._store = self._opened(path)

    def _opened(self, path: Path) -> Store:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = Store(path)
            store.mark_interrupted()
            store.purge_deleted(_KEEP_DELETED_S)
        except HistoryError as error:
            self._problem = error
        except OSError as error:
            self._problem = HistoryError(
                "The folder for your conversations cannot be written.",
                hint=f"Check {path.parent}.",
                detail=str(error),
            )
        else:
            return store
        return Store.in_memory()

    @property
    def is_saving(self) -> bool:
        """False when everything is gone at the end of the program."""
        return self._store.is_saving

    def report_opening(self) -> None:
        """Tell the user what happened when the history was opened, if anything did."""
        if self._problem is not None:
            self._notifier.warning(
                f"{self._problem.message} This session will not be saved.",
                self._problem.hint,
                self._problem.detail,
            )
        elif self._store.notice:
            self._notifier.warning(self._store.notice)

    def close(self) -> None:
        """Close the database."""
        self._try(self._store.close)

    # --- conversations -------------------------------------------------------------------

    def conversations(self, search: str = "") -> list[ConversationSummary]:
        """Return the conversations, the last used one first."""
        return self._try(lambda: self._store.conversations(search)) or []

    def create(self, *, is_private: bool = False) -> int | None:
        """Begin a conversation; None when it cannot be stored."""
        return self._changing(lambda: self._store.create_conversation(is_private=is_private))

    def set_private(self, conversation_id: int, is_private: bool) -> None:
        """Mark a conversation as private, or take the mark away."""
        self._changing(lambda: self._store.set_private(conversation_id, is_private))
        if is_private:
            self.left_disk.emit(conversation_id)

    def is_private(self, conversation_id: int) -> bool:
        """Whether a conversation is marked as private."""
        found = self._try(lambda: self._store.conversation(conversation_id))
        return found is not None and found.is_private

    def rename(self, conversation_id: int, title: str) -> None:
        """Give a conversation another title."""
        self._changing(lambda: self._store.rename_conversation(conversation_id, title))

    def delete(self, conversation_id: int) -> None:
        """Hide a conversation."""
        self._changing(lambda: self._store.delete_conversation(conversation_id))
        self.left_disk.emit(conversation_id)

    def restore(self, conversation_id: int) -> None:
        """Bring a deleted conversation back."""
        self._changing(lambda: self._store.restore_conversation(conversation_id))

    def messages(self, conversation_id: int) -> list[MessageRecord]:
        """Return the questions and answers of a conversation, oldest first."""
        return self._try(lambda: self._store.messages(conversation_id)) or []

    def export_markdown(self, conversation_id: int) -> str | None:
        """Return a conversation as Markdown."""
        return self._try(lambda: self._store.export_markdown(conversation_id))

    # --- attachments ---------------------------------------------------------------------

    def attachments(self, conversation_id: int) -> list[AttachmentRecord]:
        """Return the files of a conversation in the order they were added."""
        return self._try(lambda: self._store.attachments(conversation_id)) or []

    def add_attachment(
        self, conversation_id: int, path: Path, document: Document | None
    ) -> int | None:
        """Note a file, at first before it was read and then again with what it is."""
        return self._changing(
            lambda: self._store.add_attachment(
                conversation_id,
                path,
                document.content_hash if document else "",
                document.format if document else "",
                len(document.pages) if document else None,
                document.is_picture if document else False,
            )
        )

    def purge_pictures(self, folder: Path) -> None:
        """Delete pasted pictures that no conversation has any more; new ones have a day.

        Nothing is deleted while the history could not be opened as it was.
        """
        if self._problem is not None or self._store.notice or not self.is_saving:
            return
        newest_s = time.time() - _KEEP_DELETED_S
        old = [file for file in _pictures_in(folder) if file.stat().st_mtime < newest_s]
        if not old:
            return
        in_use = {
            attachment.path
            for conversation in self.conversations()
            for attachment in self.attachments(conversation.id)
        }
        for file in old:
            if file not in in_use:
                file.unlink(missing_ok=True)

    def remove_attachment(self, attachment_id: int) -> None:
        """Take a file off its conversation."""
        self._changing(lambda: self._store.remove_attachment(attachment_id))

    # --- questions and answers -----------------------------------------------------------

    def add_question(self, conversation_id: int, text: str, files: list[Path]) -> int | None:
        """Save a question before it is asked."""
        return self._changing(lambda: self._store.add_question(conversation_id, text, files))

    def start_answer(self, conversation_id: int, question_id: int, model_name: str) -> int | None:
        """Note that an answer is being written."""
        return self._try(lambda: self._store.start_answer(conversation_id, question_id, model_name))

    def save_partial(self, answer_id: int, text: str) -> None:
        """Save what has been written so far."""
        self._try(lambda: self._store.save_partial(answer_id, text))

    def finish_answer(
        self,
        answer_id: int,
        answer: dict[str, Any] | None,
        status: FinalStatus,
        error: dict[str, Any] | None = None,
    ) -> None:
        """Save how an answer ended."""
        self._changing(lambda: self._store.finish_answer(answer_id, answer, status, error))

    def save_draft(self, conversation_id: int | None, text: str) -> None:
        """Save what is typed but not asked."""
        self._try(lambda: self._store.save_draft(conversation_id, text))

    def draft(self, conversation_id: int | None) -> str:
        """Return what was typed but not asked."""
        return self._try(lambda: self._store.draft(conversation_id)) or ""

    def _try(self, call: Callable[[], _Result]) -> _Result | None:
        try:
            return call()
        except HistoryError as error:
            self._notifier.error(error)
            return None

    def _changing(self, call: Callable[[], _Result]) -> _Result | None:
        result = self._try(call)
        self.changed.emit()
        return result


def _pictures_in(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if file.suffix == ".png" and file.is_file()]
    except OSError:
        return []
