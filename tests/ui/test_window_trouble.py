# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is said in one sentence, and nothing is lost."""

from __future__ import annotations

import os
import signal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from window_driver import (
    ANSWER_MS,
    STARTER,
    ask,
    choose_model,
    drop,
    drop_files,
    mime_of,
    type_and_send,
    wait_for_text,
)

from molmo_desktop.engine.faults import FAULT_VARIABLE
from molmo_desktop.models import library


def test_escape_stops_an_answer_and_keeps_what_was_written(window, qtbot):
    type_and_send(qtbot, window, "Write a long story about a lighthouse.")
    wait_for_text(qtbot, window)
    assert window.column.composer.stop_button.isVisible()
    with qtbot.waitSignal(window.answer_finished, timeout=10_000) as finished:
        qtbot.keySequence(window, QKeySequence("Esc"))
    assert finished.args[0]["finish_reason"] == "cancelled"
    assert len(window.column.transcript.last_answer.text.markdown) >= 20
    assert "Stopped before the end." in window.column.transcript.plain_text()
    assert not window.column.composer.stop_button.isVisible()


@pytest.mark.expects_warnings
def test_a_killed_engine_is_told_and_the_next_question_is_answered(window, qtbot):
    type_and_send(qtbot, window, "Write a long story about a lighthouse.")
    wait_for_text(qtbot, window)
    with qtbot.waitSignal(window.answer_failed, timeout=20_000) as failed:
        os.kill(window.backstage.assistant.engine.pid, signal.SIGKILL)
    assert failed.args[0]["error"]["kind"] == "EngineCrashedError"
    assert failed.args[0]["question"] == "Write a long story about a lighthouse."
    assert window.column.message_bar.text
    assert window.column.message_bar.action_button.text() == "Ask again"
    assert len(window.column.transcript.last_answer.text.markdown) >= 20
    answer = ask(qtbot, window, "Say hello.")
    assert answer["answer"]
    assert window.column.message_bar.isHidden()
    assert window.column.transcript.plain_text().count("You:") == 2


@pytest.mark.expects_warnings
def test_a_model_file_that_makes_llama_cpp_crash_costs_no_more_than_a_sentence(
    tiny_model, window, qtbot, home, tiny_vlm
):
    projector = home / "data" / "models" / tiny_model / "mmproj.gguf"
    data = projector.read_bytes()
    projector.write_bytes(data.replace(b"v.blk.1.attn_q.weight", b"v.blk.1.attn_x.weight"))
    choose_model(qtbot, window, tiny_model)
    drop_files(qtbot, window, tiny_vlm / "images" / "colour_1.png")
    with qtbot.waitSignal(window.answer_failed, timeout=20_000) as failed:
        type_and_send(qtbot, window, "What colour is the shape?")
    assert failed.args[0]["error"]["kind"] == "EngineCrashedError"
    assert window.column.message_bar.text.endswith(".")
    window.new_conversation()
    choose_model(qtbot, window, STARTER)
    assert ask(qtbot, window, "Say hello.")["answer"]
    assert not (home / "config" / "engine.json").exists(), "safe settings would not have helped"


@pytest.mark.expects_warnings
def test_a_model_that_died_twice_is_tried_again_only_when_the_user_says_so(
    window, qtbot, monkeypatch
):
    bar = window.column.message_bar
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGSEGV")
    for _ in range(2):
        with qtbot.waitSignal(window.answer_failed, timeout=20_000):
            type_and_send(qtbot, window, "Say hello.")
        assert bar.action_button.text() == "Ask again"
    with qtbot.waitSignal(window.answer_failed, timeout=5_000) as failed:
        type_and_send(qtbot, window, "Say hello.")
    assert failed.args[0]["error"]["kind"] == "RepeatedCrashError"
    assert "ended the engine twice" in bar.text
    assert bar.action_button.text() == "Try anyway"
    monkeypatch.delenv(FAULT_VARIABLE)
    with qtbot.waitSignal(window.answer_finished, timeout=ANSWER_MS):
        bar.action_button.click()
    assert bar.isHidden()
    assert window.column.transcript.plain_text().count("You:") == 3
    ask(qtbot, window, "Say hello.")


def test_a_picture_for_a_model_that_reads_text_only_offers_one_that_sees(
    tiny_model, window, qtbot, tiny_vlm
):
    choose_model(qtbot, window, STARTER)
    picture = next((tiny_vlm / "images").glob("colour_*.png"))
    drop_files(qtbot, window, picture)
    with qtbot.waitSignal(window.answer_failed, timeout=ANSWER_MS) as failed:
        type_and_send(qtbot, window, "What colour is the shape?")
    assert failed.args[0]["error"]["kind"] == "UnsupportedFormatError"
    bar = window.column.message_bar
    assert bar.action_button.text() == f"Ask {tiny_model}"
    with qtbot.waitSignal(window.answer_finished, timeout=ANSWER_MS) as finished:
        bar.action_button.click()
    assert finished.args[0]["model"]["name"] == tiny_model
    assert bar.isHidden()
    assert window.column.transcript.plain_text().count("You:") == 1


def test_files_that_cannot_be_used_are_named_with_the_reason(window, qtbot, tmp_path):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 and then nothing")
    empty = tmp_path / "empty.pdf"
    empty.touch()
    drop(window, mime_of(tmp_path, empty, tmp_path / "gone.pdf"))
    text = window.column.message_bar.text
    assert "a folder" in text
    assert "empty.pdf (empty)" in text
    assert "gone.pdf (not there any more)" in text
    assert window.backstage.session.attachments == []

    drop_files(qtbot, window, broken)
    chip = window.column.tray.chips[0]
    assert chip.state.full_text == "cannot be read"
    assert "broken.pdf" in window.column.message_bar.text
    window.column.message_bar.action_button.click()
    assert window.column.tray.chips == ()


def test_without_a_model_the_window_says_how_to_get_one(make_window, qtbot, monkeypatch):
    monkeypatch.setattr(library, "starter_model_path", lambda: None)
    window = make_window()
    qtbot.waitUntil(
        lambda: "no model" in window.column.empty_state.model_words.lower(), timeout=5_000
    )
    assert ".gguf" in window.column.empty_state.model_words
    assert window.sidebars.sidebar.picker.currentText() == "No model"
    with qtbot.waitSignal(window.answer_failed, timeout=20_000) as failed:
        type_and_send(qtbot, window, "Hello?")
    assert failed.args[0]["error"]["kind"] == "ModelNotFoundError"
    assert window.column.message_bar.text


def test_a_history_that_cannot_be_opened_does_not_stop_the_work(make_window, qtbot, home):
    (home / "data" / "conversations.db").mkdir(parents=True)
    window = make_window()
    assert "not be saved" in window.column.message_bar.text
    answer = ask(qtbot, window, "Say hello.")
    assert answer["answer"]
    assert answer["answer"] in window.column.transcript.plain_text()


def test_the_last_question_is_asked_again_below_its_answer(window, qtbot):
    ask(qtbot, window, "Say hello.")
    with qtbot.waitSignal(window.answer_finished, timeout=ANSWER_MS):
        qtbot.keySequence(window, QKeySequence("Ctrl+R"))
    assert len(window.column.transcript.answers) == 2
    assert window.column.transcript.plain_text().count("You:") == 1


def test_shift_enter_starts_a_new_line_and_nothing_is_asked(window, qtbot):
    edit = window.column.composer.edit
    qtbot.keyClicks(edit, "one")
    qtbot.keyClick(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(edit, "two")
    assert window.column.composer.text == "one\ntwo"
    assert not window.backstage.session.is_busy
    edit.clear()
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert not window.backstage.session.is_busy, "an empty question is not asked"
