# SPDX-License-Identifier: Apache-2.0
"""The index: documents that were read, their passages, and full-text search over them.

One SQLite file (FTS5) that is a cache: it can be deleted at any time. Where it cannot be written,
the index works in memory and says so in `PassageIndex.memory_reason`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.passages import Passage, ScoredPassage
from molmo_desktop.retrieval.records import (
    forget_words,
    passages_of_document,
    prepare,
    write_passages,
)
from molmo_desktop.retrieval.search import search_passages
from molmo_desktop.retrieval.storage import (
    SCHEMA_VERSION,
    StorageUnusableError,
    is_damage,
    move_aside,
    open_storage,
    read_document,
    transaction,
    write_document,
)
from molmo_desktop.retrieval.tokens import TOKENS_VERSION

_log = logging.getLogger(__name__)
_SESSION_DOCUMENTS = 64  # carried along when the file fails
_Result = TypeVar("_Result")


class PassageIndex:
    """Passages of documents, searchable; safe to use from several threads.

    Args:
        path: The file, created when missing; None = in memory.
        reader_version: Raise it when documents are read differently; a file that was written
            with another one is begun anew.
    """

    def __init__(self, path: Path | None, *, reader_version: int = 0) -> None:
        self._version = SCHEMA_VERSION * 1_000_000 + TOKENS_VERSION * 1000 + reader_version
        self._lock = threading.RLock()
        self._session: OrderedDict[str, None] = OrderedDict()
        self._memory_reason: str | None = None
        self._is_closed = False
        self._path = path
        self._is_file = False
        self._open()

    @property
    def memory_reason(self) -> str | None:
        """Why nothing is kept on the disk although a file was wanted; None when all is well."""
        return self._memory_reason

    def add(self, document: Document) -> None:
        """Store a document and make it searchable; one that is there is replaced."""
        self._touch(document.content_hash)
        self._guarded(lambda: self._write(document))

    def document(self, content_hash: str) -> Document | None:
        """Return a document as it was read; its path is where it lay then."""
        self._touch(content_hash)
        return self._guarded(lambda: read_document(self._connection, content_hash))

    def passages(self, content_hash: str) -> list[Passage]:
        """Return the passages of a document in reading order."""
        return self._guarded(lambda: passages_of_document(self._connection, content_hash))

    def search(
        self,
        question: str,
        content_hashes: Sequence[str],
        *,
        limit: int = 8,
        pages: Sequence[int] = (),
    ) -> list[ScoredPassage]:
        """Return the passages that fit the question best, best first.

        Args:
            question: In the user's words.
            content_hashes: The documents to search.
            limit: At most this many passages.
            pages: Only these pages, counted from 1; empty = all.

        Returns:
            Passages with at least one word of the question. A question without telling words
            ("What is this about?") gets the beginnings of the documents, with score 0.
        """
        return self._guarded(
            lambda: search_passages(
                self._connection, question, content_hashes, limit=limit, pages=pages
            )
        )

    def remove(self, content_hash: str) -> None:
        """Delete a document and everything stored about it."""
        self._session.pop(content_hash, None)
        self._guarded(lambda: self._delete(content_hash))

    def clear(self) -> None:
        """Delete all documents, and give the room on the disk back."""
        self._session.clear()
        self._guarded(self._delete_all)

    def close(self) -> None:
        """Close the file; the index cannot be used afterwards."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._connection.close()

    def _touch(self, content_hash: str) -> None:
        with self._lock:
            self._session[content_hash] = None
            self._session.move_to_end(content_hash)
            while len(self._session) > _SESSION_DOCUMENTS:
                self._session.popitem(last=False)

    def _guarded(self, work: Callable[[], _Result]) -> _Result:
        """Do the work; when the file fails, do it again with a new file or in memory."""
        with self._lock:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if not self._is_file or self._is_closed:
                    raise
                self._leave_file(error)
                return work()

    def _leave_file(self, error: sqlite3.DatabaseError) -> None:
        """Go on without the file, with what this session uses as far as it can be read."""
        documents = [self._readable(content_hash) for content_hash in self._session]
        self._connection.close()
        if is_damage(error):
            _log.info("The index is damaged and is begun anew: %s", error)
            self._open_anew()
        else:
            self._use_memory(f"The file of documents read before cannot be written: {error}.")
        for document in documents:
            if document is not None:
                self._write(document)

    def _readable(self, content_hash: str) -> Document | None:
        try:
            return read_document(self._connection, content_hash)
        except sqlite3.DatabaseError:
            return None

    def _open(self) -> None:
        """Open the file, or memory where that fails."""
        try:
            self._connection = open_storage(self._path, self._version)
            self._is_file = self._path is not None
        except StorageUnusableError as error:
            self._use_memory(str(error))

    def _open_anew(self) -> None:
        """Put a damaged file aside and open a new one, or memory where that fails."""
        try:
            if self._path is not None:
                move_aside(self._path)
        except OSError as error:
            self._use_memory(f"{self._path} is damaged and cannot be replaced: {error}.")
        else:
            self._open()

    def _use_memory(self, reason: str) -> None:
        _log.info("The index works in memory: %s", reason)
        self._memory_reason = reason
        self._connection = open_storage(None, self._version)
        self._is_file = False

    def _row(self, content_hash: str) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM documents WHERE content_hash = ?", (content_hash,)
        ).fetchone()
        return int(row[0]) if row else None

    def _write(self, document: Document) -> None:
        languages, rows = prepare(document)
        with transaction(self._connection):
            self._delete_rows(document.content_hash)
            document_row = write_document(self._connection, document, languages)
            write_passages(self._connection, document_row, rows)

    def _delete(self, content_hash: str) -> None:
        with transaction(self._connection):
            self._delete_rows(content_hash)

    def _delete_all(self) -> None:
        with transaction(self._connection):
            self._connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
            self._connection.execute("DELETE FROM documents")
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _delete_rows(self, content_hash: str) -> None:
        document_row = self._row(content_hash)
        if document_row is not None:
            forget_words(self._connection, document_row)
            self._connection.execute("DELETE FROM documents WHERE id = ?", (document_row,))
