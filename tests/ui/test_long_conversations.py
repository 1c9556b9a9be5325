# SPDX-License-Identifier: Apache-2.0
"""A conversation of thousands of messages opens at once and can be read to its beginning."""

from __future__ import annotations

import time
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from window_driver import LoopWatch

from molmo_desktop.store.store import Store
from molmo_desktop.ui.transcript import Transcript

TURNS = 600


@pytest.fixture
def long_one(home) -> int:
    store = Store(home / "data" / "conversations.db")
    store._database._connection.execute("PRAGMA synchronous = OFF")
    key = store.create_conversation("Long")
    for number in range(TURNS):
        question = store.add_question(key, f"Question {number}?")
        answer = store.start_answer(key, question, "m")
        text = f"Answer {number}.\n\n- one\n- two\n\n" + "It goes on and on. " * 20
        store.finish_answer(answer, {"answer": text, "found": True}, "finished")
    store.close()
    return key


def _top(window) -> str:
    return window.column.transcript._views[0].plain_text()


def test_a_long_conversation_opens_at_its_end_at_once(window, long_one, qtbot):
    watch = LoopWatch()
    started_s = time.monotonic()
    window.open_conversation(long_one)
    qtbot.wait(500)
    longest_s = watch.stop()
    transcript = window.column.transcript
    assert f"Answer {TURNS - 1}." in transcript.last_answer.plain_text()
    bar = transcript.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0
    assert len(transcript.answers) < 20
    # Everything at once took 10 s and more; the limit is for a busy machine.
    assert longest_s < 1
    assert time.monotonic() - started_s < 5
    words = transcript.plain_text()
    assert words.count("You: Question") == TURNS
    assert words.startswith("You: Question 0?")


def test_scrolling_up_brings_older_messages_and_what_is_read_stays_in_place(
    window, long_one, qtbot
):
    window.open_conversation(long_one)
    qtbot.wait(300)
    transcript = window.column.transcript
    bar = transcript.verticalScrollBar()
    for _ in range(12):
        before = _top(window)
        bar.setValue(bar.maximum() // 8)
        view = next(v for v in transcript._views if v.y() + v.height() > bar.value())
        place_px = view.y() - bar.value()
        qtbot.wait(150)
        # A gap between two messages may open or close, no more.
        assert abs(view.y() - bar.value() - place_px) <= 20, "it jumped"
        assert _top(window) != before
    assert len(transcript._views) <= 80
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: not transcript._has_newer or bar.value() < bar.maximum(), timeout=5_000)


def test_home_and_end_go_to_the_ends(window, long_one, qtbot):
    window.open_conversation(long_one)
    qtbot.wait(300)
    transcript = window.column.transcript
    qtbot.keyClick(transcript, Qt.Key.Key_Home)
    qtbot.wait(500)
    assert _top(window) == "You: Question 0?"
    assert transcript.verticalScrollBar().value() == 0
    qtbot.keyClick(transcript, Qt.Key.Key_End)
    qtbot.wait(500)
    bar = transcript.verticalScrollBar()
    assert f"Answer {TURNS - 1}." in transcript.last_answer.plain_text()
    assert bar.value() == bar.maximum()


def test_what_was_asked_since_is_not_shown_twice_above(home, qtbot):
    store = Store.in_memory()
    key = store.create_conversation("Long")
    transcript = Transcript(QWidget())
    qtbot.addWidget(transcript)
    transcript.resize(500, 400)
    transcript.show()

    def ask(number: int) -> None:
        question = store.add_question(key, f"Question {number}?")
        answer = store.start_answer(key, question, "m")
        store.finish_answer(answer, None, "cancelled", text="It goes on and on. " * 20)

    for number in range(10):
        ask(number)
    source = partial(store.messages, key)
    transcript.show_messages(source(limit=12, newest=True), source)
    for number in range(10, 35):
        ask(number)
        transcript.add_question(f"Question {number}?")
        transcript.start_answer().show_end("cancelled", None, text="It goes on and on. " * 20)
        qtbot.wait(30)
    qtbot.waitUntil(lambda: transcript._views[0].message_id is None)

    def is_at_the_beginning() -> bool:
        transcript.verticalScrollBar().setValue(0)
        return transcript._views[0].plain_text() == "You: Question 0?"

    qtbot.waitUntil(is_at_the_beginning, timeout=20_000)
    shown = [view.plain_text() for view in transcript._views]
    questions = [words for words in shown if words.startswith("You:")]
    assert questions == [f"You: Question {number}?" for number in range(35)]
    transcript.clear()
    store.close()


def test_an_answer_that_another_window_writes_is_passed_over(home, qtbot):
    store = Store.in_memory()
    key = store.create_conversation("Long")
    for number in range(20):
        question = store.add_question(key, f"Question {number}?")
        answer = store.start_answer(key, question, "m")
        if number < 19:
            store.finish_answer(answer, None, "cancelled", text="It goes on and on. " * 20)
    reads = []

    def source(**which):
        reads.append(which)
        return store.messages(key, **which)

    transcript = Transcript(QWidget())
    qtbot.addWidget(transcript)
    transcript.resize(500, 400)
    transcript.show()
    transcript.show_messages(store.messages(key, limit=12, newest=True), source)
    transcript._go_to_oldest()

    def is_at_the_end() -> bool:
        transcript.verticalScrollBar().setValue(transcript.verticalScrollBar().maximum())
        return transcript._views[-1].plain_text() == "You: Question 19?"

    qtbot.waitUntil(is_at_the_end, timeout=20_000)
    qtbot.wait(100)
    reads.clear()
    qtbot.wait(300)
    assert not reads
    transcript.clear()
    store.close()
