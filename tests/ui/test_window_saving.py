# SPDX-License-Identifier: Apache-2.0
"""Whatever keeps the database busy, the window goes on and nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtTest import QTest
from window_driver import LoopWatch, ask, type_and_send, wait_for_text

from molmo_desktop.services.conversation_service import ConversationService
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.store import database
from molmo_desktop.store.store import Store


@contextmanager
def _held_by_another_program(window) -> Iterator[None]:
    path = window.backstage.assistant.paths.database_file
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("COMMIT")
        other.close()


def test_a_question_is_saved_before_it_is_asked_and_the_window_does_not_wait(
    window, tiny_model, qtbot
):
    ask(qtbot, window, "Hello?")  # the model is loaded, the writer idle
    qtbot.wait(300)
    session = window.backstage.session
    with _held_by_another_program(window):
        watch = LoopWatch()
        type_and_send(qtbot, window, "And again?")
        QTest.qWait(1500)
        longest_s = watch.stop()
        assert session.is_busy
        assert not session.running.is_asked, "it is not on the disk yet"
        assert "And again?" in window.column.transcript.plain_text()
    # A blocked window would have stood still for all of it; the limit is for a busy machine.
    assert longest_s < 0.75
    with qtbot.waitSignal(window.answer_finished, timeout=60_000):
        pass
    store = Store(window.backstage.assistant.paths.database_file)
    texts = [message.text for message in store.messages(session.conversation_id)]
    store.close()
    assert texts[2] == "And again?"


def test_a_question_that_waits_for_the_disk_can_be_stopped(window, tiny_model, qtbot):
    ask(qtbot, window, "Hello?")
    with _held_by_another_program(window):
        type_and_send(qtbot, window, "And again?")
        qtbot.wait(200)
        window.answers.stop()
        assert not window.backstage.session.is_busy
        assert "Stopped before the end." in window.column.transcript.plain_text()
    ask(qtbot, window, "Once more?")


def test_closing_waits_for_what_is_still_to_be_saved(make_window, tiny_model, qtbot):
    first = make_window()
    ask(qtbot, first, "Hello?")
    conversation_id = first.backstage.session.conversation_id
    path = first.backstage.assistant.paths.database_file
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    first.backstage.conversations.rename(conversation_id, "Kept")

    # Let go from another thread, while the window waits in its end.
    timer = threading.Timer(0.7, lambda: other.execute("COMMIT"))
    timer.start()
    started_s = time.monotonic()
    first.close()
    assert time.monotonic() - started_s > 0.3
    timer.join()
    other.close()
    store = Store(path)
    assert [item.title for item in store.conversations()] == ["Kept"]
    store.close()


def test_an_answer_that_ended_while_the_window_closed_is_stored_as_ended(make_window, qtbot):
    first = make_window()
    type_and_send(qtbot, first, "Say hello.")
    wait_for_text(qtbot, first, length=1)
    # The loop does not come round any more: the answer ends, and nobody is told.
    asking = first.backstage.asking
    deadline_s = time.monotonic() + 90
    while asking.result is None and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert first.backstage.session.running is not None, "it was delivered"
    conversation_id = first.backstage.session.conversation_id
    said = asking.result.answer
    path = first.backstage.assistant.paths.database_file
    first.close()

    store = Store(path)
    message = store.messages(conversation_id)[-1]
    store.close()
    assert message.status == "finished"
    assert message.text == said
    assert message.answer["finish_reason"] in ("stop", "length")


def test_an_answer_that_is_not_saved_yet_is_not_shown_in_a_new_conversation(
    window, tiny_model, qtbot
):
    session = window.backstage.session
    with _held_by_another_program(window):
        type_and_send(qtbot, window, "Hello?")
        assert session.is_running_here()
        window.new_conversation()
        assert session.is_busy
        assert not session.is_running_here()
        assert "Hello?" not in window.column.transcript.plain_text()
        window.answers.stop()


def test_a_window_that_opens_while_another_one_saves_is_saved_all_the_same(
    home, qtbot, monkeypatch
):
    path = home / "data" / "conversations.db"
    Store(path).close()
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    service = ConversationService(path, Notifier())
    try:
        assert service.is_open(patience_s=10)
        other.execute("COMMIT")
        assert service.is_saving
    finally:
        other.close()
        service.close()


@pytest.mark.expects_warnings
def test_what_fails_in_a_way_that_nobody_foresaw_is_told(home, qtbot, caplog):
    notifier = Notifier()
    service = ConversationService(home / "data" / "conversations.db", notifier)
    with qtbot.waitSignal(notifier.message_given) as told:
        stored = service._write(lambda store: store.create_conversation(title=3))
    assert "could not be saved" in told.args[0].text
    assert stored.error is not None
    service.close()
    assert "AttributeError" in caplog.text
