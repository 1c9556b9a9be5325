# SPDX-License-Identifier: Apache-2.0
"""The SQLite connections that several threads share, and what can go wrong with their file.

Write-ahead logging lets one connection read while another writes: so there is one of each, and
nobody who reads waits for a writer, be it in this program or in another. ``synchronous = FULL``
flushes at each commit: a question must survive a power cut, not only a killed process, and a
flush costs milliseconds while an answer takes seconds.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.core.files import keep_private
from molmo_desktop.store.migrations import ForeignFileError, NewerFileError, migrate

BUSY_TIMEOUT_S = 10.0
_LEAST_PATIENCE_S = 0.05
# Only recovering a log after a crash makes readers wait at all.
_READING_PATIENCE_S = 2.0
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

_log = logging.getLogger(__name__)


class Database:
    """An open database; reading statements run under one lock, writing ones under another.

    Args:
        path: The file, created if it is missing; None = in memory.

    Attributes:
        moved_aside: Where a damaged file went, None if it was sound.
        backup: The copy that was made before an older file was changed, if one was.

    Raises:
        HistoryError: The file cannot be opened or written, or is of a newer version.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.moved_aside: Path | None = None
        self.backup: Path | None = None
        self._lock = threading.RLock()
        self._reading_lock = self._lock if path is None else threading.RLock()
        self._give_up_at_s: float | None = None
        try:
            self._connection = self._open()
            self._reader = self._open_reader()
        except sqlite3.DatabaseError as error:
            if path is None or primary_code(error) not in _DAMAGE:
                raise history_error(error, path) from error
            self._connection = self._start_afresh(path)
            self._reader = self._open_reader()
        except (NewerFileError, ForeignFileError, OSError) as error:
            raise history_error(error, path) from error

    def close(self) -> None:
        """Close the file; harmless the second time."""
        with self._reading_lock:
            self._reader.close()
        with self._lock:
            self._connection.close()

    def hurry(self, seconds: float) -> None:
        """Have all further waiting for other programs end in that time: the program closes."""
        self._give_up_at_s = time.monotonic() + seconds

    @contextmanager
    def reading(self, *, apart: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading.

        Args:
            apart: Read with a connection of its own, so that others need not wait meanwhile.

        Raises:
            HistoryError: The file cannot be read.
        """
        if apart and self.path is not None:
            try:
                with closing(self._open_reader()) as connection:
                    yield connection
            except sqlite3.Error as error:
                raise history_error(error, self.path) from error
            return
        with self._reading_lock:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise history_error(error, self.path) from error

    def empty_log(self) -> None:
        """Fold the write-ahead log into the file, as far as nobody reads in it.

        Raises:
            HistoryError: The file cannot be written.
        """
        with self._lock:
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise history_error(error, self.path) from error

    @contextmanager
    def writing(self, patience_s: float | None = None) -> Iterator[sqlite3.Connection]:
        """Give the connection inside a transaction: all of it is saved or nothing.

        Args:
            patience_s: How long to wait for another program that is writing; None = long.

        Raises:
            HistoryError: Nothing was saved; ``data["is_busy"]`` where another program was
                writing all the time.
        """
        with self._lock:
            try:
                self._begin(self._patience_s(patience_s))
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise history_error(error, self.path) from error

    def _patience_s(self, wanted_s: float | None) -> float:
        patience_s = BUSY_TIMEOUT_S if wanted_s is None else wanted_s
        if self._give_up_at_s is None:
            return patience_s
        return min(patience_s, max(_LEAST_PATIENCE_S, self._give_up_at_s - time.monotonic()))

    def _begin(self, patience_s: float) -> None:
        """Begin to write; only this step waits for others."""
        self._connection.execute(f"PRAGMA busy_timeout = {int(patience_s * 1000)}")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")

    def _open(self) -> sqlite3.Connection:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            keep_private(self.path)
        connection = sqlite3.connect(
            self.path or ":memory:",
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.row_factory = sqlite3.Row
            _set_up(connection)
            self.backup = migrate(connection, self.path) or self.backup
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        """Return a second connection, to read what the first one has written."""
        if self.path is None:
            return self._connection
        connection = sqlite3.connect(
            self.path,
            timeout=_READING_PATIENCE_S,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _start_afresh(self, path: Path) -> sqlite3.Connection:
        try:
            self.moved_aside = _move_aside(path)
            connection = self._open()
        except (sqlite3.Error, OSError) as error:
            raise history_error(error, path) from error
        _log.info("a damaged database was moved aside")
        return connection


def primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code, 0 where the error has none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def history_error(error: Exception, path: Path | None) -> HistoryError:
    """Put what went wrong with the database into words."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, NewerFileError):
        return HistoryError(
            "Your conversations were saved by a newer version of this program.",
            hint=f"Install the newer version again; {path} was left as it is.",
        )
    if isinstance(error, ForeignFileError):
        return HistoryError(
            "The file for your conversations belongs to another program.",
            hint=f"Move {path} to another place and start again.",
        )
    code = primary_code(error) if isinstance(error, sqlite3.Error) else 0
    if code in _BUSY:
        return HistoryError(
            "Another window of this program is busy saving conversations.",
            hint="Wait a moment and try again, or close the other window.",
            detail=detail,
            is_busy=True,
        )
    if code in _DAMAGE:
        return HistoryError(
            "The file with your conversations is damaged.",
            hint="Start the program again: it moves the file aside and begins a new one.",
            detail=detail,
        )
    if code == sqlite3.SQLITE_FULL:
        return HistoryError(
            "The conversation could not be saved because the disk is full.",
            hint="Free some space on the disk and try again.",
            detail=detail,
        )
    if code == sqlite3.SQLITE_CONSTRAINT:
        return HistoryError(
            "That conversation is not there any more.",
            hint="Start a new conversation.",
            detail=detail,
        )
    folder = path.parent if path is not None else "the folder"
    return HistoryError(
        "The conversations cannot be saved.",
        hint=f"Check that {folder} can be written and that the disk is not full.",
        detail=detail,
    )


def _set_up(connection: sqlite3.Connection) -> None:
    _switch_to_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What the user deleted shall not be found in the file.
    connection.execute("PRAGMA secure_delete = ON")
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        error = sqlite3.DatabaseError(found)
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Wait for the switch: SQLite's own busy timeout does not cover it."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if primary_code(error) not in _BUSY or time.monotonic() > give_up_at:
                raise
        time.sleep(0.02)


def _move_aside(path: Path) -> Path:
    """Rename the damaged file and its logs; nothing is deleted."""
    stamp = time.strftime("%Y-%m-%d-%H%M%S")
    target = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while target.exists():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for ending in ("-wal", "-shm", ""):
        source = path.with_name(path.name + ending)
        if source.exists():
            source.rename(target.with_name(target.name + ending))
    return target
