# SPDX-License-Identifier: Apache-2.0
"""The database's layout, as numbered steps that are never edited once released.

`MIGRATIONS[n - 1]` brings a file from version n - 1 to version n; the version stands in the
file's header (``user_version``). Before an older file is changed, a copy of it is put beside it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

# "MolD" in ASCII: tells our file from another program's.
APPLICATION_ID = 0x4D6F6C44

Migration = Sequence[str]

_VERSION_1: Migration = (
    """CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        title_folded TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        deleted_at REAL
    )""",
    """CREATE TABLE attachments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        path NOT NULL,
        name_folded TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        format TEXT NOT NULL,
        page_count INTEGER,
        is_picture INTEGER NOT NULL,
        added_at REAL NOT NULL,
        UNIQUE (conversation_id, path)
    )""",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        text_folded TEXT NOT NULL,
        status TEXT NOT NULL,
        created_at REAL NOT NULL,
        attachments TEXT NOT NULL DEFAULT '[]',
        question_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
        model_name TEXT NOT NULL DEFAULT '',
        writer TEXT NOT NULL DEFAULT '',
        answer TEXT,
        error TEXT
    )""",
    "CREATE INDEX messages_by_conversation ON messages (conversation_id, id)",
    "CREATE INDEX messages_by_question ON messages (question_id)",
    "CREATE INDEX messages_being_written ON messages (status) WHERE status = 'writing'",
    # Key 0 is the draft of the conversation that has not begun.
    "CREATE TABLE drafts (conversation_id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    """CREATE TABLE ledger (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        answer_id INTEGER UNIQUE REFERENCES messages (id) ON DELETE SET NULL,
        finished_at REAL NOT NULL,
        model_name TEXT NOT NULL,
        status TEXT NOT NULL,
        energy_j REAL,
        above_idle_j REAL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        carbon_g REAL,
        grid_g_per_kwh REAL,
        duration_s REAL,
        prompt_tokens INTEGER,
        cached_tokens INTEGER,
        image_tokens INTEGER,
        completion_tokens INTEGER
    )""",
    "CREATE INDEX ledger_by_time ON ledger (finished_at)",
)

# What an earlier version kept beside a conversation was kept with the user's knowledge.
_VERSION_2: Migration = (
    "ALTER TABLE conversations ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0",
)

MIGRATIONS: tuple[Migration, ...] = (_VERSION_1, _VERSION_2)


class NewerFileError(Exception):
    """The file was written by a newer version of the program."""


class ForeignFileError(Exception):
    """The file is a database of another program."""


def migrate(
    connection: sqlite3.Connection,
    path: Path | None,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> Path | None:
    """Bring the file up to date in one transaction; a step that fails leaves it as it was.

    Args:
        connection: In autocommit mode.
        path: The file, to put a copy beside it; None for a database in memory.
        migrations: All steps, the first one from an empty file.

    Returns:
        The copy of the file as it was, None when nothing had to be copied.

    Raises:
        NewerFileError: The file has more steps than this program knows.
        ForeignFileError: It is not our file.
        sqlite3.Error: Damage, a full disk or a file that cannot be written.
    """
    _refuse_what_is_not_ours(connection, len(migrations))
    if _version(connection) == len(migrations):
        return None
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another instance may have been quicker while this one waited for the lock.
        version = _version(connection)
        copy = _copy_beside(path, version) if path is not None and version > 0 else None
        for step in migrations[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return copy


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_what_is_not_ours(connection: sqlite3.Connection, known: int) -> None:
    application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application_id == APPLICATION_ID:
        if _version(connection) > known:
            raise NewerFileError
        return
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if tables or application_id:
        raise ForeignFileError


def _copy_beside(path: Path, version: int) -> Path:
    """Copy the database (with what its log holds) to ``<name>.version-<n>.backup``."""
    target = path.with_name(f"{path.name}.version-{version}.backup")
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(target)
    return target
