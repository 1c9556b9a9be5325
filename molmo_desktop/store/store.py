# SPDX-License-Identifier: Apache-2.0
"""Conversations on disk: the one class that the rest of the program talks to.

What the user typed is saved before anything is asked, an answer is saved while it is written,
and each call is one transaction. Any thread may call; two windows may use one file.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.store.database import Database
from molmo_desktop.store.export import conversation_as_markdown
from molmo_desktop.store.ledger import read_ledger, write_ledger_row
from molmo_desktop.store.records import (
    AttachmentRecord,
    ConversationSummary,
    FinalStatus,
    LedgerRecord,
    MessageRecord,
)
from molmo_desktop.store.rows import (
    attachment_from,
    attachment_names,
    message_from,
    summary_from,
)
from molmo_desktop.store.words import (
    folded,
    path_from_column,
    path_to_column,
    paths_to_json,
    storable,
    title_from,
    to_json,
)
from molmo_desktop.store.writers import is_alive, this_writer

_NOT_BEGUN = 0
_LAST_ID = (1 << 63) - 1
# The window saves from the thread that draws: not longer than a picture takes.
_PARTIAL_PATIENCE_S = 0.02


class Store:
    """The conversations of one user.

    Args:
        path: The database; made if missing. A damaged one is moved aside, never deleted.

    Attributes:
        notice: A sentence for the user about what happened at opening; empty if nothing did.
        is_saving: False for a store in memory: everything is gone when the program ends.

    Raises:
        HistoryError: The file cannot be opened or is of a newer version. The program may go
            on with `Store.in_memory`.
    """

    def __init__(self, path: Path) -> None:
        self._open(Database(path))

    @classmethod
    def in_memory(cls) -> Store:
        """Return a store that forgets everything at the end, for when nothing can be saved."""
        store = cls.__new__(cls)
        store._open(Database(None))
        return store

    def _open(self, database: Database) -> None:
        self._database = database
        self._writer = ""
        self.path = database.path
        self.is_saving = database.path is not None
        self.notice = (
            "The file with your conversations was damaged and has been kept as "
            f"{database.moved_aside}; a new one was started."
            if database.moved_aside
            else ""
        )

    def hurry(self, seconds: float) -> None:
        """Have all further waiting for other windows end in that time: the program closes."""
        self._database.hurry(seconds)

    def close(self) -> None:
        """Close the file; harmless the second time."""
        self._database.close()

    # --- conversations -------------------------------------------------------------------

    def conversations(self, search: str = "") -> list[ConversationSummary]:
        """Return the conversations, the last used one first.

        Args:
            search: Words, or beginnings of words, that must all appear in the title, in a
                message or in a file's name; empty = all conversations.
        """
        words = folded(storable(search)).split()
        condition = "deleted_at IS NULL" + _FOUND * len(words)
        with self._database.reading(apart=bool(words)) as connection:
            rows = connection.execute(
                f"SELECT * FROM conversations AS c WHERE {condition} "
                "ORDER BY updated_at DESC, id DESC",
                [word for word in words for _ in range(3)],
            ).fetchall()
            names = attachment_names(connection)
        return [summary_from(row, names) for row in rows]

    def conversation(self, conversation_id: int) -> ConversationSummary | None:
        """Return one conversation, None if it is not there or deleted."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT * FROM conversations WHERE id = ? AND deleted_at IS NULL",
                (conversation_id,),
            ).fetchone()
            return summary_from(row, attachment_names(connection, conversation_id)) if row else None

    def create_conversation(self, title: str = "", *, is_private: bool = False) -> int:
        """Begin a conversation and return its id."""
        title, now = storable(title), time.time()
        with self._database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO conversations "
                "(title, title_folded, created_at, updated_at, is_private) "
                "VALUES (?, ?, ?, ?, ?)",
                (title, folded(title), now, now, is_private),
            )
            return _new_id(cursor)

    def rename_conversation(self, conversation_id: int, title: str) -> None:
        """Give a conversation another title."""
        with self._database.writing() as connection:
            _set_title(connection, conversation_id, storable(title.strip()))

    def set_private(self, conversation_id: int, is_private: bool) -> None:
        """Mark a conversation as private, or take the mark away."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE conversations SET is_private = ? WHERE id = ?",
                (is_private, conversation_id),
            )

    def delete_conversation(self, conversation_id: int) -> None:
        """Hide a conversation; `restore_conversation` brings it back."""
        self._set_deleted(conversation_id, time.time())

    def restore_conversation(self, conversation_id: int) -> None:
        """Bring a deleted conversation back."""
        self._set_deleted(conversation_id, None)

    def purge_deleted(self, older_than_s: float = 0.0) -> int:
        """Remove for good what was deleted at least that long ago, and return how many."""
        deleted_before = time.time() - older_than_s
        with self._database.writing() as connection:
            gone = connection.execute(
                "DELETE FROM conversations WHERE deleted_at <= ?", (deleted_before,)
            ).rowcount
            connection.execute(
                "DELETE FROM drafts WHERE conversation_id <> ? "
                "AND conversation_id NOT IN (SELECT id FROM conversations)",
                (_NOT_BEGUN,),
            )
        # The log still holds the words until it is folded into the file.
        self._database.empty_log()
        return gone

    def purge_backups(self, older_than_s: float) -> None:
        """Delete copies made before a change of the file's layout at least that long ago.

        They hold conversations that were deleted since.
        """
        if self.path is None:
            return
        made_before = time.time() - older_than_s
        for copy in self.path.parent.glob(f"{self.path.name}.version-*.backup"):
            with contextlib.suppress(OSError):
                if copy.stat().st_mtime <= made_before:
                    copy.unlink()

    def _set_deleted(self, conversation_id: int, deleted_at: float | None) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE conversations SET deleted_at = ? WHERE id = ?",
                (deleted_at, conversation_id),
            )

    # --- attachments ---------------------------------------------------------------------

    def add_attachment(
        self,
        conversation_id: int,
        path: Path,
        content_hash: str,
        format: str,
        page_count: int | None,
        is_picture: bool,
    ) -> int:
        """Note a file of a conversation and return its id; the same path twice is one file."""
        with self._database.writing() as connection:
            row = connection.execute(
                "INSERT INTO attachments (conversation_id, path, name_folded, content_hash, "
                "format, page_count, is_picture, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (conversation_id, path) DO UPDATE SET "
                "content_hash = excluded.content_hash, format = excluded.format, "
                "page_count = excluded.page_count, is_picture = excluded.is_picture "
                "RETURNING id",
                (
                    conversation_id,
                    path_to_column(path),
                    folded(storable(path.name)),
                    content_hash,
                    format,
                    page_count,
                    is_picture,
                    time.time(),
                ),
            ).fetchone()
            return int(row["id"])

    def remove_attachment(self, attachment_id: int) -> None:
        """Take a file off its conversation; the file itself is not touched."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM attachments WHERE id = ?", (attachment_id,))

    def attachments(self, conversation_id: int) -> list[AttachmentRecord]:
        """Return the files of a conversation in the order they were added."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM attachments WHERE conversation_id = ? ORDER BY id",
                (conversation_id,),
            ).fetchall()
        return [attachment_from(row) for row in rows]

    def attached_paths(self) -> set[Path]:
        """Return the files of all conversations that are not deleted."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT path FROM attachments JOIN conversations AS c "
                "ON c.id = conversation_id WHERE c.deleted_at IS NULL"
            ).fetchall()
        return {path_from_column(row["path"]) for row in rows}

    # --- questions and answers -----------------------------------------------------------

    def add_question(
        self, conversation_id: int, text: str, attachments: Sequence[Path] = ()
    ) -> int:
        """Save a question, before it is asked, and return its id.

        The first question gives an untitled conversation its title.
        """
        paths, text = tuple(attachments), storable(text)
        with self._database.writing() as connection:
            message_id = _new_id(
                connection.execute(
                    "INSERT INTO messages (conversation_id, role, text, text_folded, status, "
                    "created_at, attachments) VALUES (?, 'user', ?, ?, 'saved', ?, ?)",
                    (conversation_id, text, folded(text), time.time(), paths_to_json(paths)),
                )
            )
            row = connection.execute(
                "SELECT title FROM conversations WHERE id = ?", (conversation_id,)
            ).fetchone()
            if not row["title"]:
                _set_title(connection, conversation_id, title_from(text, paths))
            _touch(connection, conversation_id)
            return message_id

    def start_answer(self, conversation_id: int, question_id: int, model_name: str) -> int:
        """Note that an answer is being written, and return its id."""
        self._writer = self._writer or this_writer()
        with self._database.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO messages (conversation_id, role, text, text_folded, status, "
                "created_at, question_id, model_name, writer) "
                "VALUES (?, 'assistant', '', '', 'writing', ?, ?, ?, ?)",
                (conversation_id, time.time(), question_id, storable(model_name), self._writer),
            )
            return _new_id(cursor)

    def save_partial(self, answer_id: int, text: str) -> bool:
        """Save what has been written of an answer so far; too late is harmless.

        Does not wait for another window that is saving: the answer grows, and the next call
        saves this text too.

        Returns:
            Whether it was saved now.
        """
        text = storable(text)
        try:
            with self._database.writing(patience_s=_PARTIAL_PATIENCE_S) as connection:
                connection.execute(
                    "UPDATE messages SET text = ?, text_folded = ? "
                    "WHERE id = ? AND status = 'writing'",
                    (text, folded(text), answer_id),
                )
        except HistoryError as error:
            if not error.data.get("is_busy"):
                raise
            return False
        return True

    def finish_answer(
        self,
        answer_id: int,
        answer: dict[str, Any] | None,
        status: FinalStatus,
        error: dict[str, Any] | None = None,
        *,
        text: str | None = None,
    ) -> None:
        """Save how an answer ended, and what it cost.

        Args:
            answer_id: As returned by `start_answer`.
            answer: The ``ask --json`` object; None where there is none.
            status: How it ended.
            error: Kind, message and hint, for an answer that failed.
            text: Of an answer without an object; None keeps what was saved so far.
        """
        now = time.time()
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT conversation_id, text, model_name FROM messages WHERE id = ?",
                (answer_id,),
            ).fetchone()
            if answer is not None:
                write_ledger_row(
                    connection,
                    answer_id if row else None,
                    answer,
                    finished_at=now,
                    status=status,
                )
            if row is None:
                return
            model_name = row["model_name"]
            text = row["text"] if text is None else storable(text)
            if answer is not None:
                text = storable(str(answer.get("answer", text)))
                model_name = storable(_model_name(answer) or model_name)
            connection.execute(
                "UPDATE messages SET text = ?, text_folded = ?, status = ?, model_name = ?, "
                "answer = ?, error = ? WHERE id = ?",
                (
                    text,
                    folded(text),
                    status,
                    model_name,
                    to_json(answer),
                    to_json(error),
                    answer_id,
                ),
            )
            _touch(connection, row["conversation_id"])

    def messages(
        self,
        conversation_id: int,
        *,
        before_id: int | None = None,
        after_id: int = 0,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[MessageRecord]:
        """Return the questions and answers of a conversation, oldest first.

        Args:
            conversation_id: Which conversation.
            before_id: Only messages before this one.
            after_id: Only messages after this one.
            limit: At most so many.
            newest: Where there are more than ``limit``, the last of them instead of the first.
        """
        order = "DESC" if newest else "ASC"
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM messages WHERE conversation_id = ? AND id > ? AND id < ? "
                f"ORDER BY id {order} LIMIT ?",
                (
                    conversation_id,
                    after_id,
                    _LAST_ID if before_id is None else before_id,
                    -1 if limit is None else limit,
                ),
            ).fetchall()
        records = [message_from(row) for row in rows]
        return records[::-1] if newest else records

    def turns(self, conversation_id: int) -> list[MessageRecord]:
        """Return the same messages without the ``ask --json`` objects: quick for thousands."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, conversation_id, role, text, status, created_at, '[]' AS attachments, "
                "question_id, model_name, NULL AS answer, NULL AS error "
                "FROM messages WHERE conversation_id = ? ORDER BY id",
                (conversation_id,),
            ).fetchall()
        return [message_from(row) for row in rows]

    def mark_interrupted(self) -> int:
        """Mark answers that a program which is gone left unfinished, and return how many.

        Their text stays as far as it was saved. Answers that another window is writing now
        are left alone.
        """
        with self._database.writing() as connection:
            rows = connection.execute(
                "SELECT id, writer FROM messages WHERE status = 'writing'"
            ).fetchall()
            left = [(row["id"],) for row in rows if not is_alive(row["writer"])]
            connection.executemany("UPDATE messages SET status = 'interrupted' WHERE id = ?", left)
        return len(left)

    # --- drafts, ledger, export ----------------------------------------------------------

    def save_draft(self, conversation_id: int | None, text: str) -> None:
        """Save what is typed but not asked; None = the conversation that has not begun."""
        key = conversation_id or _NOT_BEGUN
        with self._database.writing() as connection:
            if text:
                connection.execute(
                    "INSERT OR REPLACE INTO drafts (conversation_id, text) VALUES (?, ?)",
                    (key, storable(text)),
                )
            else:
                connection.execute("DELETE FROM drafts WHERE conversation_id = ?", (key,))

    def draft(self, conversation_id: int | None) -> str:
        """Return what was typed but not asked; empty if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT text FROM drafts WHERE conversation_id = ?",
                (conversation_id or _NOT_BEGUN,),
            ).fetchone()
        return str(row["text"]) if row else ""

    def ledger(self, since: float = 0.0) -> list[LedgerRecord]:
        """Return what answers cost that ended at that time or later, oldest first."""
        with self._database.reading() as connection:
            return read_ledger(connection, since)

    def export_markdown(self, conversation_id: int) -> str:
        """Return a conversation as Markdown with the passages its answers rest on.

        Raises:
            HistoryError: There is no such conversation.
        """
        conversation = self.conversation(conversation_id)
        if conversation is None:
            raise HistoryError(
                "That conversation is not there any more.", hint="Choose another one in the list."
            )
        return conversation_as_markdown(
            conversation, self.attachments(conversation_id), self.messages(conversation_id)
        )


_FOUND = (
    " AND (instr(c.title_folded, ?)"
    " OR EXISTS (SELECT 1 FROM messages WHERE conversation_id = c.id AND instr(text_folded, ?))"
    " OR EXISTS (SELECT 1 FROM attachments WHERE conversation_id = c.id"
    " AND instr(name_folded, ?)))"
)


def _new_id(cursor: sqlite3.Cursor) -> int:
    return int(cursor.lastrowid or 0)


def _touch(connection: sqlite3.Connection, conversation_id: int) -> None:
    connection.execute(
        "UPDATE conversations SET updated_at = ? WHERE id = ?", (time.time(), conversation_id)
    )


def _set_title(connection: sqlite3.Connection, conversation_id: int, title: str) -> None:
    connection.execute(
        "UPDATE conversations SET title = ?, title_folded = ? WHERE id = ?",
        (title, folded(title), conversation_id),
    )


def _model_name(answer: dict[str, Any]) -> str:
    model = answer.get("model")
    return str(model.get("name", "")) if isinstance(model, dict) else ""
