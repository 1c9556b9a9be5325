# SPDX-License-Identifier: Apache-2.0
"""What was asked and answered is there again after a restart, whatever happened to the files."""

from __future__ import annotations

import shutil
import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLineEdit
from window_driver import ask, drop_files, type_and_send, wait_for_text

from molmo_desktop.ui.conversation_list import group_of


def titles(window):
    items = window.sidebars.sidebar.list
    return [items.item(row).text() for row in range(items.count())]


def test_a_restart_shows_the_conversation_with_its_answer_and_evidence(
    make_window, qtbot, samples, tmp_path
):
    invoice = shutil.copy(samples / "invoice.pdf", tmp_path / "invoice.pdf")
    first = make_window()
    drop_files(qtbot, first, invoice)
    ask(qtbot, first, "What is the total due?")
    qtbot.keyClicks(first.column.composer.edit, "And when is it")
    said = first.column.transcript.plain_text()
    first.close()

    second = make_window()
    assert titles(second) == ["Today", "What is the total due?"]
    assert second.column.transcript.plain_text() == ""
    conversation_id = second.sidebars.sidebar.list.item(1).data(Qt.ItemDataRole.UserRole)
    second.open_conversation(conversation_id)
    assert second.column.transcript.plain_text() == said
    assert second.column.composer.text == "And when is it"
    evidence = second.panel.evidence
    qtbot.waitUntil(lambda: bool(evidence.cards), timeout=5_000)
    assert "300.90" in evidence.cards[0].evidence.text
    canvas = second.panel.viewer.canvas
    qtbot.waitUntil(lambda: bool(canvas.boxes), timeout=20_000)
    assert "tok/s" in second.column.transcript.last_answer.quiet_line.text()
    second.close()

    (tmp_path / "invoice.pdf").unlink()
    third = make_window()
    third.open_conversation(conversation_id)
    chip = third.column.tray.chips[0]
    qtbot.waitUntil(lambda: chip.state.full_text == "no longer there", timeout=20_000)
    assert third.column.transcript.plain_text() == said
    assert "invoice.pdf" in third.column.message_bar.text


def test_closing_in_the_middle_of_an_answer_keeps_what_was_written(make_window, qtbot):
    first = make_window()
    type_and_send(qtbot, first, "Write a long story about a lighthouse.")
    wait_for_text(qtbot, first)
    conversation_id = first.backstage.session.conversation_id
    first.close()

    second = make_window()
    second.open_conversation(conversation_id)
    words = second.column.transcript.plain_text()
    assert "Write a long story about a lighthouse." in words
    assert len(second.column.transcript.last_answer.text.markdown) >= 20
    assert "Stopped before the end." in words


def test_conversations_are_renamed_searched_deleted_and_brought_back(window, qtbot, samples):
    drop_files(qtbot, window, samples / "lease.pdf")
    listed = window.sidebars.sidebar.list
    assert titles(window) == ["Today", "lease.pdf"]

    listed.setFocus()
    qtbot.keyClick(listed, Qt.Key.Key_F2)
    editor = listed.findChild(QLineEdit)
    editor.setText("The flat")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: titles(window) == ["Today", "The flat"], timeout=2_000)

    qtbot.keySequence(window, QKeySequence("Ctrl+K"))
    search = window.sidebars.sidebar.search
    qtbot.keyClicks(search, "nothing like it")
    qtbot.waitUntil(lambda: titles(window) == [], timeout=2_000)
    assert window.sidebars.sidebar.nothing.text() == "Nothing found"
    search.setText("lease")
    qtbot.waitUntil(lambda: titles(window) == ["Today", "The flat"], timeout=2_000)
    search.clear()

    conversation_id = window.backstage.session.conversation_id
    qtbot.waitUntil(lambda: listed.current_id() == conversation_id, timeout=2_000)
    qtbot.keyClick(listed, Qt.Key.Key_Delete)
    assert titles(window) == []
    assert window.column.undo_bar.isVisible()
    assert window.column.tray.chips == ()
    window.column.undo_bar.undo_button.click()
    assert titles(window) == ["Today", "The flat"]
    assert window.backstage.session.conversation_id == conversation_id
    assert [chip.name.full_text for chip in window.column.tray.chips] == ["lease.pdf"]


def test_a_draft_stays_with_its_conversation(window, qtbot, samples):
    drop_files(qtbot, window, samples / "lease.pdf")
    qtbot.keyClicks(window.column.composer.edit, "about the lease")
    lease_id = window.backstage.session.conversation_id
    window.new_conversation()
    assert window.column.composer.text == ""
    qtbot.keyClicks(window.column.composer.edit, "something else")
    window.open_conversation(lease_id)
    assert window.column.composer.text == "about the lease"
    window.new_conversation()
    assert window.column.composer.text == "something else"


def test_an_answer_goes_on_while_another_conversation_is_looked_at(window, qtbot):
    type_and_send(qtbot, window, "Write a long story about a lighthouse.")
    wait_for_text(qtbot, window)
    first_id = window.backstage.session.conversation_id
    window.new_conversation()
    assert window.column.transcript.plain_text() == ""
    assert not window.column.composer.ask_button.isEnabled()
    qtbot.wait(300)
    assert window.column.transcript.plain_text() == ""
    window.open_conversation(first_id)
    shown = window.column.transcript.last_answer
    qtbot.waitUntil(
        lambda: len(shown.text.markdown) > 20 and window.backstage.session.is_running_here()
    )
    with qtbot.waitSignal(window.answer_finished, timeout=90_000) as finished:
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert finished.args[0]["finish_reason"] == "cancelled"
    assert "Stopped before the end." in window.column.transcript.plain_text()


def test_conversations_are_grouped_by_day():
    now = time.time()
    assert group_of(now) == "Today"
    assert group_of(now - 24 * 3600) == "Yesterday"
    assert group_of(now - 72 * 3600) == "Earlier"
