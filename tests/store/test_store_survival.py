# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost: kills, two programs, damage, full disks, older and newer files."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from molmo_desktop.core.errors import HistoryError
from molmo_desktop.store.database import Database
from molmo_desktop.store.migrations import MIGRATIONS, migrate
from molmo_desktop.store.store import Store
from molmo_desktop.store.writers import is_alive, this_writer

resource = pytest.importorskip("resource", reason="this system has no file size limit")

CHILD = Path(__file__).parent / "writing_child.py"


@contextmanager
def _child(database_file: Path, name: str, count: int | str):
    command = [sys.executable, str(CHILD), str(database_file), name, str(count)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _quick_check(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone()[0]


@pytest.mark.parametrize("finished_count", [1, 7, 40])
def test_a_killed_program_loses_no_finished_message(database_file, finished_count):
    with _child(database_file, "kill me", -1) as process:
        printed = [int(process.stdout.readline()) for _ in range(finished_count)]
        process.kill()
        printed += [int(line) for line in process.stdout if line.endswith("\n")]
        process.wait()
    store = Store(database_file)
    interrupted = store.mark_interrupted()
    [conversation] = store.conversations()
    messages = {message.id: message for message in store.messages(conversation.id)}
    store.close()

    assert store.notice == ""
    for answer_id in printed:
        assert messages[answer_id].status == "finished"
        assert messages[answer_id].text == messages[answer_id].answer["answer"]
        assert messages[messages[answer_id].question_id].status == "saved"
    unfinished = [message for message in messages.values() if message.status == "interrupted"]
    assert len(unfinished) == interrupted <= 1
    assert all(message.status != "writing" for message in messages.values())
    assert _quick_check(database_file) == "ok"


def test_an_interrupted_answer_keeps_its_partial_text(database_file):
    with _child(database_file, "held", "hold") as process:
        answer_id = int(process.stdout.readline())
        store = Store(database_file)
        store.save_partial(answer_id, "The total is")
        assert store.mark_interrupted() == 0, "the other program is still writing it"
        process.kill()
        process.wait()
    assert store.mark_interrupted() == 1
    message = store.messages(store.conversations()[0].id)[1]
    assert (message.status, message.text) == ("interrupted", "The total is")
    assert store.mark_interrupted() == 0
    store.close()


def test_two_programs_write_at_once_and_lose_nothing(database_file):
    count = 40
    with _child(database_file, "one", count) as one, _child(database_file, "two", count) as two:
        outputs = [one.stdout.read().split(), two.stdout.read().split()]
        assert (one.wait(), two.wait()) == (0, 0)
    assert [len(lines) for lines in outputs] == [count, count]
    store = Store(database_file)
    assert {item.title for item in store.conversations()} == {"one", "two"}
    for conversation in store.conversations():
        messages = store.messages(conversation.id)
        assert len(messages) == 2 * count
        assert {m.status for m in messages if m.role == "assistant"} == {"finished"}
    assert len(store.ledger()) == 2 * count
    store.close()
    assert _quick_check(database_file) == "ok"


def _filled(database_file: Path) -> None:
    store = Store(database_file)
    conversation = store.create_conversation("Old times")
    for number in range(50):
        store.add_question(conversation, f"Question {number} " * 20)
    store.close()


@pytest.mark.parametrize("damage", ["nul bytes", "random front", "hole", "cut"])
def test_a_damaged_file_is_moved_aside_and_a_new_one_is_started(database_file, damage):
    _filled(database_file)
    data = bytearray(database_file.read_bytes())
    match damage:
        case "nul bytes":
            data[:] = bytes(len(data))
        case "random front":
            data[:100] = b"\xff\x00" * 50
        case "hole":
            data[4096 : 4096 * 8] = b"\x55" * 4096 * 7
        case "cut":
            del data[len(data) // 2 :]
    database_file.write_bytes(data)

    store = Store(database_file)
    assert store.conversations() == []
    conversation = store.create_conversation("New times")
    store.close()
    [kept] = [path for path in database_file.parent.iterdir() if ".damaged-" in path.name]
    assert kept.read_bytes() == data
    assert "damaged" in store.notice
    assert kept.name in store.notice
    again = Store(database_file)
    assert [item.id for item in again.conversations()] == [conversation]
    assert again.notice == ""
    again.close()


def test_an_empty_file_becomes_a_database(database_file):
    database_file.parent.mkdir(parents=True)
    database_file.touch()
    store = Store(database_file)
    assert store.create_conversation() == 1
    assert store.notice == ""
    store.close()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(database_file):
    _filled(database_file)
    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = database_file.read_bytes()
    with pytest.raises(HistoryError, match="newer version"):
        Store(database_file)
    assert database_file.read_bytes() == before
    assert [path.name for path in database_file.parent.iterdir()] == [database_file.name]


def test_a_database_of_another_program_is_refused_and_left_alone(database_file):
    database_file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database_file)) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER)")
        connection.commit()
    with pytest.raises(HistoryError, match="another program"):
        Store(database_file)
    with closing(sqlite3.connect(database_file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


def test_a_folder_that_cannot_be_made_is_told_with_a_hint(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(HistoryError) as caught:
        Store(tmp_path / "file" / "conversations.db")
    assert "cannot be saved" in caught.value.message
    assert str(tmp_path / "file") in caught.value.hint


def test_a_folder_in_the_place_of_the_file_is_told(database_file):
    database_file.mkdir(parents=True)
    with pytest.raises(HistoryError, match="cannot be saved"):
        Store(database_file)
    assert database_file.is_dir()


@contextmanager
def _largest_file(size_bytes: int):
    """Let every write beyond a size fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _ask_on_and_on(store: Store, conversation: int) -> None:
    for number in range(10_000):
        store.add_question(conversation, f"More {number} " * 200)


def test_a_full_disk_is_told_and_nothing_saved_before_is_lost(database_file):
    _filled(database_file)
    store = Store(database_file)
    conversation = store.conversations()[0].id
    room = sum(path.stat().st_size for path in database_file.parent.iterdir()) + 50_000
    with _largest_file(room), pytest.raises(HistoryError) as caught:
        _ask_on_and_on(store, conversation)
    saved = len(store.messages(conversation)) - 50
    assert saved > 0
    assert "disk" in str(caught.value)
    store.add_question(conversation, "There is space again")
    store.close()
    again = Store(database_file)
    assert len(again.messages(conversation)) == 50 + saved + 1
    assert again.notice == ""
    again.close()


def test_a_disk_that_is_full_from_the_start_is_told(database_file):
    with _largest_file(1000), pytest.raises(HistoryError, match="disk"):
        Store(database_file)
    store = Store(database_file)
    assert store.create_conversation() == 1
    store.close()


def test_a_file_that_another_program_locks_is_told_after_a_while(database_file, monkeypatch):
    monkeypatch.setattr("molmo_desktop.store.database.BUSY_TIMEOUT_S", 0.2)
    store = Store(database_file)
    with closing(sqlite3.connect(database_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="busy"):
            store.create_conversation()
        other.execute("COMMIT")
    assert store.create_conversation() == 1
    store.close()


def test_a_closed_store_says_so_in_words(database_file):
    store = Store(database_file)
    store.close()
    store.close()
    with pytest.raises(HistoryError):
        store.conversations()


# --- versions --------------------------------------------------------------------------------


@pytest.fixture
def version_1(data, database_file) -> Path:
    """Return a copy of a file that was written when version 1 was current."""
    database_file.parent.mkdir(parents=True)
    shutil.copyfile(data / "store" / "version-1.db", database_file)
    return database_file


def test_a_file_of_version_1_opens_with_all_that_is_in_it(version_1):
    store = Store(version_1)
    [conversation] = store.conversations("quarterly")
    messages = store.messages(conversation.id)
    assert conversation.attachment_names == ("report.pdf", "chart.png")
    assert [message.status for message in messages] == [
        "saved",
        "finished",
        "saved",
        "failed",
        "saved",
        "writing",
    ]
    assert messages[1].answer["evidence"][0]["page"] == 3
    assert messages[3].error["kind"] == "EngineCrashedError"
    assert store.draft(conversation.id) == "And the year before"
    assert [row.energy_j for row in store.ledger()] == [12.5]
    assert not conversation.is_private
    store.set_private(conversation.id, True)
    assert store.conversations()[0].is_private
    assert store.mark_interrupted() == 1
    assert store.messages(conversation.id)[5].text == "Sales were"
    store.close()


def _migrated(path: Path, *steps: tuple[str, ...]) -> Path | None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return migrate(connection, path, (*MIGRATIONS, *steps))


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_an_older_file_is_copied_before_it_is_changed(version_1):
    before = Database(version_1)
    before.close()
    copy = _migrated(version_1, ("ALTER TABLE conversations ADD COLUMN folder TEXT",))
    assert copy is not None
    assert _version(version_1) == len(MIGRATIONS) + 1
    assert _version(copy) == len(MIGRATIONS)
    store = Store(copy)
    assert len(store.conversations("quarterly")) == 1
    store.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(version_1):
    steps = ("ALTER TABLE conversations ADD COLUMN folder TEXT", "ALTER TABLE nothing ADD COLUMN a")
    with pytest.raises(sqlite3.Error):
        _migrated(version_1, steps)
    assert _version(version_1) == 1
    with closing(sqlite3.connect(version_1)) as connection:
        columns = connection.execute("PRAGMA table_info(conversations)").fetchall()
    assert "folder" not in [column[1] for column in columns]
    store = Store(version_1)
    assert len(store.conversations("quarterly")) == 1
    store.close()


def test_migrating_twice_changes_nothing(version_1):
    step = ("ALTER TABLE conversations ADD COLUMN folder TEXT",)
    assert _migrated(version_1, step) is not None
    assert _migrated(version_1, step) is None


def test_a_new_file_needs_no_copy(database_file):
    database = Database(database_file)
    database.close()
    assert database.backup is None
    assert [path.name for path in database_file.parent.iterdir()] == [database_file.name]


# --- other windows, other users --------------------------------------------------------------


def test_a_growing_answer_does_not_wait_for_another_window(database_file):
    store = Store(database_file)
    conversation_id = store.create_conversation()
    question_id = store.add_question(conversation_id, "Why?")
    answer_id = store.start_answer(conversation_id, question_id, "m")
    with closing(sqlite3.connect(database_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started_s = time.monotonic()
        assert not store.save_partial(answer_id, "Because")
        assert time.monotonic() - started_s < 1
        other.execute("COMMIT")
    assert store.save_partial(answer_id, "Because of")
    assert store.messages(conversation_id)[1].text == "Because of"
    store.close()


def test_other_saves_still_wait_after_a_growing_answer_did_not(database_file):
    store = Store(database_file)
    conversation_id = store.create_conversation()
    with closing(
        sqlite3.connect(database_file, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not store.save_partial(1, "text")
        release = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        release.start()
        store.rename_conversation(conversation_id, "named")
        release.join()
    assert store.conversation(conversation_id).title == "named"
    store.close()


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
def test_only_the_user_can_read_the_conversations(database_file):
    database_file.parent.mkdir(parents=True)
    database_file.touch(mode=0o644)
    database_file.chmod(0o644)
    store = Store(database_file)
    store.create_conversation()
    files = list(database_file.parent.glob("conversations.db*"))
    assert len(files) >= 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    store.close()


def test_a_writer_is_known_although_the_clock_was_set():
    number, _, started = this_writer().partition(":")
    assert is_alive(f"{number}:{float(started) + 1.5:.2f}")
    assert not is_alive(f"{number}:{float(started) - 60:.2f}")
    assert not is_alive(f"{number}:")
