# SPDX-License-Identifier: Apache-2.0
"""Drafts, deleted things and stuck engines: nothing is lost, nothing lingers."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from window_driver import ask, drop, drop_files, mime_of, type_and_send, wait_for_text

from molmo_desktop.core.paths import app_paths


def test_a_question_that_was_asked_is_no_draft_any_more(window, qtbot):
    window.column.composer.set_text("Say hello.")
    window.new_conversation()
    assert window.column.composer.text == "Say hello.", "nothing was asked yet"
    with qtbot.waitSignal(window.answer_finished, timeout=90_000):
        window.column.composer.ask_button.click()
    window.new_conversation()
    assert window.column.composer.text == ""


def test_what_is_typed_is_saved_without_closing(window, qtbot):
    qtbot.keyClicks(window.column.composer.edit, "half a thought")
    conversations = window.backstage.conversations
    qtbot.waitUntil(lambda: conversations.draft(None) == "half a thought", timeout=5_000)


def test_a_file_that_could_not_be_read_is_named_in_the_answer(window, qtbot, tmp_path, samples):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 and then nothing")
    drop_files(qtbot, window, samples / "invoice.pdf", broken)
    answer = ask(qtbot, window, "What is the total due?")
    assert "broken.pdf cannot be read and was left out." in answer["notices"]
    answer = ask(qtbot, window, "Who wrote it?")
    assert answer["notices"].count("broken.pdf cannot be read and was left out.") == 1


def test_a_deleted_conversation_is_named_and_the_cursor_goes_to_the_question(window, qtbot):
    conversations = window.backstage.conversations
    stored = conversations.create()
    conversations.rename(stored, "Rent")
    listed = window.sidebars.sidebar.list
    qtbot.waitUntil(lambda: bool(listed.findItems("Rent", Qt.MatchFlag.MatchExactly)))
    conversation_id = stored.value
    window.open_conversation(conversation_id)
    window.delete_conversation(conversation_id)
    assert window.column.undo_bar._text.text() == "“Rent” was deleted."
    assert window.focusWidget() is window.column.composer.edit


def test_a_folder_is_not_taken_and_the_way_out_is_said(window, tmp_path):
    drop(window, mime_of(tmp_path))
    assert "Add the files in the folder instead." in window.column.message_bar.text


def test_pasted_pictures_of_no_conversation_go_after_a_day(make_window, qtbot, home):
    window = make_window()
    window.files.add_picture(QImage(64, 64, QImage.Format.Format_RGB32))
    qtbot.waitUntil(lambda: bool(window.backstage.session.attachments), timeout=10_000)
    kept = window.backstage.session.attachments[0].path
    stray, new = kept.with_name("Pasted stray.png"), kept.with_name("Pasted new.png")
    for file in (stray, new):
        file.write_bytes(kept.read_bytes())
    two_days_ago = time.time() - 48 * 3600
    for file in (kept, stray):
        os.utime(file, (two_days_ago, two_days_ago))
    window.close()
    make_window()
    qtbot.waitUntil(lambda: not stray.exists(), timeout=10_000)
    assert (kept.exists(), new.exists()) == (True, True)


def test_pasted_pictures_stay_while_the_history_cannot_be_opened(make_window, home):
    picture = app_paths().make().data / "pasted" / "Pasted old.png"
    picture.parent.mkdir()
    picture.write_bytes(b"x")
    os.utime(picture, (0, 0))
    app_paths().database_file.mkdir()
    make_window()
    assert picture.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot pause a process like this")
def test_a_window_closes_although_its_engine_is_stuck(window, qtbot):
    type_and_send(qtbot, window, "Write a long story about a lighthouse.")
    wait_for_text(qtbot, window)
    os.kill(window.backstage.assistant.engine.pid, signal.SIGSTOP)
    started = time.monotonic()
    window.close()
    assert time.monotonic() - started < 10


@pytest.mark.expects_warnings
def test_figures_that_cannot_be_read_once_come_back(window, qtbot, monkeypatch):
    meters, panel = window.backstage.assistant.meters, window.panel.live
    qtbot.waitUntil(
        lambda: panel.memory_words.full_text not in ("", "not available"), timeout=5_000
    )

    def fail() -> None:
        raise OSError("gone for a moment")

    with monkeypatch.context() as broken:
        broken.setattr(meters, "sample", fail)
        qtbot.waitUntil(lambda: panel.memory_words.full_text == "not available", timeout=5_000)
        assert panel.power_figure.text() == "–"
    qtbot.waitUntil(lambda: panel.memory_words.full_text != "not available", timeout=5_000)
