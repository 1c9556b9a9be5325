# SPDX-License-Identifier: Apache-2.0
"""The SQLite file behind the index: opening, rebuilding, and documents as rows.

The file is a cache: everything in it can be read again from the user's files. So a file that is
damaged or newer than the program is put aside, one that is older is deleted, and a new one begun.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from molmo_desktop.core.files import keep_private
from molmo_desktop.core.pages import Document, Page, WordBox

SCHEMA_VERSION = 2
_IN_MEMORY = ":memory:"
_BUSY_TIMEOUT_S = 5.0
_WORD = struct.Struct("<IIffff")
_BOX_DECIMALS = 3  # a float32 holds a page's points to this many decimals

_TABLES = {"documents", "pages", "passages", "words"}
_SCHEMA = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    content_hash TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    format TEXT NOT NULL,
    is_picture INTEGER NOT NULL,
    warnings TEXT NOT NULL,
    languages TEXT NOT NULL,
    added_at REAL NOT NULL
) STRICT;
CREATE TABLE pages (
    document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    width_pt REAL NOT NULL,
    height_pt REAL NOT NULL,
    words BLOB NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (document_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document_id INTEGER NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
    page INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    heading TEXT NOT NULL,
    heading_tokens TEXT NOT NULL,
    tokens TEXT NOT NULL,
    endings TEXT NOT NULL
) STRICT;
CREATE INDEX passages_of_document ON passages(document_id, page);
CREATE VIRTUAL TABLE words USING fts5(
    heading_tokens, tokens, endings,
    content='passages', content_rowid='id', detail=none, columnsize=0,
    tokenize="ascii tokenchars ':.@-_/+~'''"
);
"""


class StorageUnusableError(Exception):
    """The file cannot be used where it is; the reason is a sentence."""


def open_storage(path: Path | None, version: int) -> sqlite3.Connection:
    """Open the file, create it, or begin it anew where it cannot be used.

    Args:
        path: The file; None = in memory.
        version: Of what is kept in it; a file of another version is not read.

    Raises:
        StorageUnusableError: Nothing can be written there.
    """
    if path is None:
        return _create(_connect(_IN_MEMORY), version)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _open_file(path, version)
    except (OSError, sqlite3.Error) as error:
        raise StorageUnusableError(f"{path} cannot be used: {error}.") from error


def _open_file(path: Path, version: int) -> sqlite3.Connection:
    if path.exists():
        connection = _open_existing(path, version)
        if connection is not None:
            return connection
    return _create(_connect(str(path)), version)


def _open_existing(path: Path, version: int) -> sqlite3.Connection | None:
    """Return a file that is there; None when it had to make way for a new one."""
    try:
        connection = _connect(str(path))
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        move_aside(path)
        return None
    try:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if found == version and names >= _TABLES:
            # Fails now rather than in the middle of a question when nothing can be written.
            with transaction(connection):
                connection.execute(f"PRAGMA user_version = {version}")
            return connection
    except sqlite3.DatabaseError as error:
        connection.close()
        if not is_damage(error):
            raise
        move_aside(path)
        return None
    connection.close()
    if found < version:
        # Ours and outdated: what stands in it can be read again, and keeping it would keep texts
        # that the user may believe to be removed.
        _delete(path)
    else:
        move_aside(path)
    return None


def _connect(name: str) -> sqlite3.Connection:
    if name != _IN_MEMORY:
        keep_private(Path(name))
    connection = sqlite3.connect(
        name, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What the user removes is overwritten, not only forgotten.
        connection.execute("PRAGMA secure_delete = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection, version: int) -> sqlite3.Connection:
    try:
        with transaction(connection):
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than the moment or the place wrong."""
    return "malformed" in str(error) or "not a database" in str(error)


def _delete(path: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def move_aside(path: Path) -> None:
    """Rename a file that cannot be read, so that it can be looked into.

    Raises:
        OSError: The folder cannot be written.
    """
    path.replace(path.with_name(f"{path.name}.unusable"))
    _delete(path)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of the block or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # SQLite has rolled back by itself after some errors.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def write_document(
    connection: sqlite3.Connection, document: Document, languages: Collection[str]
) -> int:
    """Store a document and its pages and return its row; within a transaction of the caller."""
    cursor = connection.execute(
        "INSERT INTO documents"
        " (content_hash, path, format, is_picture, warnings, languages, added_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            document.content_hash,
            str(document.path),
            document.format,
            int(document.is_picture),
            json.dumps(document.warnings),
            " ".join(sorted(languages)),
            time.time(),
        ),
    )
    row = int(cursor.lastrowid or 0)
    connection.executemany(
        "INSERT INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (row, p.number, _storable(p.text), p.origin, p.width_pt, p.height_pt, _pack(p), p.label)
            for p in document.pages
        ),
    )
    return row


def read_document(connection: sqlite3.Connection, content_hash: str) -> Document | None:
    """Return a stored document, None when there is none."""
    row = connection.execute(
        "SELECT id, path, format, is_picture, warnings FROM documents WHERE content_hash = ?",
        (content_hash,),
    ).fetchone()
    if row is None:
        return None
    pages = connection.execute(
        "SELECT number, text, origin, width_pt, height_pt, words, label FROM pages"
        " WHERE document_id = ? ORDER BY number",
        (row[0],),
    )
    return Document(
        path=Path(row[1]),
        format=row[2],
        content_hash=content_hash,
        pages=tuple(Page(p[0], p[1], p[2], p[3], p[4], _unpack(p[5]), p[6]) for p in pages),
        is_picture=bool(row[3]),
        warnings=tuple(json.loads(row[4])),
    )


def _storable(text: str) -> str:
    """Return the text as SQLite can keep it, as long as before.

    Lone surrogates are refused, and a zero character would end the text.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _pack(page: Page) -> bytes:
    return b"".join(_WORD.pack(*word) for word in page.words)


def _unpack(blob: bytes) -> tuple[WordBox, ...]:
    return tuple(
        WordBox(start, end, *(round(value, _BOX_DECIMALS) for value in box))
        for start, end, *box in _WORD.iter_unpack(blob)
    )
