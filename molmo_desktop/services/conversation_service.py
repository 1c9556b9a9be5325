# SPDX-License-Identifier: Apache-2.0
"""The conversations on disk, for a window that goes on whatever the disk does.

Everything that writes is done by one thread, in the order it was asked for: another window that
is saving, or a slow disk, keeps that thread waiting and not the window. Reading never waits for
a writer. A call that fails tells the user once through the notifier and returns nothing; the
answer on the screen is never lost for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.core.pages import Document
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.services.stored_id import StoredId
from molmo_desktop.store.records import (
    AttachmentRecord,
    ConversationSummary,
    FinalStatus,
    MessageRecord,
)
from molmo_desktop.store.store import Store

_logger = logging.getLogger(__name__)

_KEEP_DELETED_S = 24 * 3600.0
_KEEP_BACKUPS_S = 7 * 24 * 3600.0
# What is saved in that time is on the screen in the same picture; the rest follows.
_GLANCE_S = 0.012
# At the end of the program, for everything that is still to be saved.
_LAST_PATIENCE_S = 10.0
_Result = TypeVar("_Result")
_Id = int | StoredId


class ConversationService(QObject):
    """Stores and finds conversations.

    Attributes:
        changed: The list of conversations is another one now.
        found: Carries the words that were looked for and the conversations they stand in.
        opened: The store is open; until then what is read or written waits.
        left_disk: What was kept on the disk for a conversation, beside itself, is to be
            forgotten: it was deleted, or marked as private.
    """

    changed = Signal()
    found = Signal(str, object)
    opened = Signal()
    left_disk = Signal(int)
    _ended = Signal(object)

    def __init__(self, path: Path, notifier: Notifier, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifier = notifier
        self._problem: HistoryError | None = None
        self._store: Store | None = None
        self._drafts: dict[int, str] = {}
        self._last: Future[None] | None = None
        self._late: Future[None] | None = None
        self._is_closed = False
        self._ended.connect(self._on_ended)
        self._wanted_words = ""
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="searching")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._opening = self._writer.submit(self._open, path)
        self._opening.add_done_callback(lambda _: self._post(self.opened.emit))

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = Store(path)
            _tidy(store)
        except HistoryError as error:
            self._problem = error
        except OSError as error:
            self._problem = HistoryError(
                "The folder for your conversations cannot be written.",
                hint=f"Check {path.parent}.",
                detail=str(error),
            )
        else:
            self._store = store
            return
        self._store = Store.in_memory()

    def is_open(self, patience_s: float = _GLANCE_S) -> bool:
        """Whether the store is open, perhaps after a short wait."""
        wait([self._opening], patience_s)
        return self._store is not None

    @property
    def is_saving(self) -> bool:
        """False when everything is gone at the end of the program."""
        return self._store is None or self._store.is_saving

    def report_opening(self) -> None:
        """Tell the user what happened when the history was opened, if anything did."""
        if self._problem is not None:
            self._notifier.warning(
                f"{self._problem.message} This session will not be saved.",
                self._problem.hint,
                self._problem.detail,
            )
        elif self._store is not None and self._store.notice:
            self._notifier.warning(self._store.notice)

    def close(self) -> None:
        """Save what is still to be saved, then close the database."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.is_open() and self._store is not None:
            self._store.hurry(_LAST_PATIENCE_S)
        self._searcher.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True)
        if self._store is not None:
            self._store.close()

    # --- conversations -------------------------------------------------------------------

    def conversations(self, search: str = "") -> list[ConversationSummary]:
        """Return the conversations, the last used one first."""
        return self._read(lambda store: store.conversations(search)) or []

    def search(self, words: str) -> None:
        """Look for words in everything that was said; `found` follows, unless others follow."""
        self._wanted_words = words
        self._searcher.submit(self._search, words)

    def _search(self, words: str) -> None:
        if words != self._wanted_words or self._is_closed:
            return
        wait([self._opening])
        try:
            found = self._store.conversations(words) if self._store is not None else []
        except HistoryError as error:
            self._post(partial(self._notifier.error, error))
            return
        self._post(partial(self._tell_found, words, found))

    def _tell_found(self, words: str, found: list[ConversationSummary]) -> None:
        if words == self._wanted_words:
            self.found.emit(words, found)

    def create(self, *, is_private: bool = False) -> StoredId:
        """Begin a conversation; its id comes to nothing when it cannot be stored."""
        return self._write(lambda store: store.create_conversation(is_private=is_private))

    def set_private(self, conversation_id: _Id, is_private: bool) -> None:
        """Mark a conversation as private, or take the mark away."""
        key = _known(conversation_id)
        self._write(lambda store: store.set_private(key(), is_private))
        if is_private and (number := key.value) is not None:
            self.left_disk.emit(number)

    def is_private(self, conversation_id: int) -> bool:
        """Whether a conversation is marked as private."""
        found = self._read(lambda store: store.conversation(conversation_id))
        return found is not None and found.is_private

    def rename(self, conversation_id: _Id, title: str) -> None:
        """Give a conversation another title."""
        key = _known(conversation_id)
        self._write(lambda store: store.rename_conversation(key(), title))

    def delete(self, conversation_id: int) -> None:
        """Hide a conversation."""
        self._write(lambda store: store.delete_conversation(conversation_id))
        self.left_disk.emit(conversation_id)

    def restore(self, conversation_id: int) -> None:
        """Bring a deleted conversation back."""
        self._write(lambda store: store.restore_conversation(conversation_id))

    def messages(self, conversation_id: int, **which: Any) -> list[MessageRecord]:
        """Return questions and answers of a conversation; see `Store.messages`."""
        return self._read(lambda store: store.messages(conversation_id, **which)) or []

    def turns(self, conversation_id: int) -> list[MessageRecord]:
        """Return all questions and answers, their texts alone."""
        return self._read(lambda store: store.turns(conversation_id)) or []

    def export_markdown(self, conversation_id: int) -> str | None:
        """Return a conversation as Markdown."""
        return self._read(lambda store: store.export_markdown(conversation_id))

    # --- attachments ---------------------------------------------------------------------

    def attachments(self, conversation_id: int) -> list[AttachmentRecord]:
        """Return the files of a conversation in the order they were added."""
        return self._read(lambda store: store.attachments(conversation_id)) or []

    def add_attachment(
        self, conversation_id: _Id, path: Path, document: Document | None
    ) -> StoredId:
        """Note a file, at first before it was read and then again with what it is."""
        key = _known(conversation_id)
        return self._write(
            lambda store: store.add_attachment(
                key(),
                path,
                document.content_hash if document else "",
                document.format if document else "",
                len(document.pages) if document else None,
                document.is_picture if document else False,
            ),
            glances=False,
        )

    def remove_attachment(self, attachment_id: _Id) -> None:
        """Take a file off its conversation."""
        key = _known(attachment_id)
        self._write(lambda store: store.remove_attachment(key()))

    def purge_pictures(self, folder: Path) -> None:
        """Delete pasted pictures that no conversation has any more; new ones have a day.

        Nothing is deleted while the history could not be opened as it was.
        """
        self._writer.submit(self._purge_pictures, folder)

    def _purge_pictures(self, folder: Path) -> None:
        store = self._store
        if store is None or self._problem is not None or store.notice or not store.is_saving:
            return
        newest_s = time.time() - _KEEP_DELETED_S
        try:
            old = [file for file in _pictures_in(folder) if file.stat().st_mtime < newest_s]
            in_use = store.attached_paths() if old else set()
            for file in old:
                if file not in in_use:
                    file.unlink(missing_ok=True)
        except (HistoryError, OSError):
            return  # the next start tries again

    # --- questions and answers -----------------------------------------------------------

    def add_question(self, conversation_id: _Id, text: str, files: list[Path]) -> StoredId:
        """Save a question before it is asked."""
        key = _known(conversation_id)
        return self._write(lambda store: store.add_question(key(), text, files), glances=False)

    def start_answer(self, conversation_id: _Id, question_id: _Id, model_name: str) -> StoredId:
        """Note that an answer is being written."""
        key, question = _known(conversation_id), _known(question_id)
        return self._write(
            lambda store: store.start_answer(key(), question(), model_name),
            changes=False,
            glances=False,
        )

    def after_saving(self, call: Callable[[], None]) -> None:
        """Call back once everything that was to be saved up to now is saved, or has failed."""
        last = self._last
        self._glance()
        if last is None or last.done():
            call()
        else:
            last.add_done_callback(lambda _: self._post(call))

    def save_partial(self, answer_id: StoredId, text: str) -> bool:
        """Save what has been written so far; False while the last time is still under way."""
        if self._last is not None and not self._last.done():
            return False
        key = _known(answer_id)
        self._write(lambda store: store.save_partial(key(), text), changes=False, glances=False)
        return True

    def finish_answer(
        self,
        answer_id: StoredId,
        answer: dict[str, Any] | None,
        status: FinalStatus,
        error: dict[str, Any] | None = None,
        *,
        text: str | None = None,
    ) -> None:
        """Save how an answer ended, however long another window keeps this one from it.

        ``text`` is what there is of an answer without an object.
        """
        key = _known(answer_id)
        self._write(
            lambda store: store.finish_answer(key(), answer, status, error, text=text),
            glances=False,
            persists=True,
        )

    def save_draft(self, conversation_id: int | None, text: str) -> None:
        """Save what is typed but not asked."""
        if self._drafts.get(conversation_id or 0) != text:
            self._drafts[conversation_id or 0] = text
            self._write(
                lambda store: store.save_draft(conversation_id, text), changes=False, glances=False
            )

    def draft(self, conversation_id: int | None) -> str:
        """Return what was typed but not asked."""
        known = self._drafts.get(conversation_id or 0)
        if known is None and self._store is None:
            return ""
        if known is None:
            known = self._read(lambda store: store.draft(conversation_id)) or ""
        return known

    # --- reading here, writing there -----------------------------------------------------

    def _read(self, call: Callable[[Store], _Result]) -> _Result | None:
        wait([self._opening])
        try:
            return call(self._store) if self._store is not None else None
        except HistoryError as error:
            self._notifier.error(error)
            return None

    def _write(
        self,
        call: Callable[[Store], Any],
        *,
        changes: bool = True,
        glances: bool = True,
        persists: bool = False,
    ) -> StoredId:
        """Have something written.

        Args:
            call: What; runs in the writing thread, once the store is open.
            changes: The list of conversations is another one then.
            glances: Wait a moment for the end, unless the writer is known to be late.
            persists: Try again for as long as another program is writing.
        """
        stored = StoredId()
        self._last = self._writer.submit(self._work, stored, call, persists)
        if glances:
            self._glance()
        if self._last.done():
            self._deliver(stored, changes)
        else:
            deliver = partial(self._deliver, stored, changes)
            self._last.add_done_callback(lambda _: self._post(deliver))
        return stored

    def _glance(self) -> None:
        """Wait a moment for the writer, but not again while it is late."""
        if self._late is not None and self._late.done():
            self._late = None
        if self._late is None and self._last is not None:
            wait([self._last], _GLANCE_S)
            self._late = None if self._last.done() else self._last

    def _work(self, stored: StoredId, call: Callable[[Store], Any], persists: bool) -> None:
        while True:
            try:
                result = call(self._store) if self._store is not None else None
            except HistoryError as error:
                if not (persists and error.data.get("is_busy")) or self._is_closed:
                    stored.fail(error)
                    return
                self._post(partial(self._notifier.error, error))
            except Exception as error:
                # The border of a thread: what could not be saved must not pass in silence.
                stored.fail(_unforeseen(error))
                return
            else:
                stored.settle(result if type(result) is int else None)
                return

    def _deliver(self, stored: StoredId, changes: bool) -> None:
        if stored.error is not None and not stored.error.data.get("is_unsaved"):
            self._notifier.error(stored.error)
        if changes:
            self.changed.emit()

    def _post(self, call: Callable[[], None]) -> None:
        """Have something called in the thread of this object, unless it closes before."""
        if not self._is_closed:
            self._ended.emit(call)

    def _on_ended(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()


def _tidy(store: Store) -> None:
    """Mark what was left unfinished and remove what was deleted, unless another window is busy.

    Raises:
        HistoryError: The file cannot be written.
    """
    try:
        store.mark_interrupted()
        store.purge_deleted(_KEEP_DELETED_S)
        store.purge_backups(_KEEP_BACKUPS_S)
    except HistoryError as error:
        if not error.data.get("is_busy"):
            raise  # else the next start does it


def _unforeseen(error: Exception) -> HistoryError:
    _logger.error("Unexpected error while saving", exc_info=error)
    return HistoryError(
        "The conversation could not be saved.",
        hint="Try again; if it happens again, please report it with the details.",
        detail=f"{type(error).__name__}: {error}",
    )


def _known(key: _Id) -> StoredId:
    return key if isinstance(key, StoredId) else StoredId(key)


def _pictures_in(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if file.suffix == ".png" and file.is_file()]
    except OSError:
        return []
