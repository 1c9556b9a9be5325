# SPDX-License-Identifier: Apache-2.0
"""A private conversation says so everywhere, is asked as one, and stays one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu
from window_driver import ask

from molmo_desktop.assistant.requests import AskRequest


def _spoken(window) -> str:
    items = window.sidebars.sidebar.list
    return items.item(1).data(Qt.ItemDataRole.AccessibleTextRole)


def _watch_requests(window, monkeypatch) -> list[AskRequest]:
    asked: list[AskRequest] = []
    real = window.backstage.assistant.ask

    def note(request: AskRequest, **arguments):
        asked.append(request)
        return real(request, **arguments)

    monkeypatch.setattr(window.backstage.assistant, "ask", note)
    return asked


def test_a_private_conversation_is_asked_and_kept_as_one(
    make_window, tiny_model, qtbot, monkeypatch
):
    first = make_window()
    asked = _watch_requests(first, monkeypatch)
    qtbot.waitUntil(first.isActiveWindow, timeout=5_000)
    qtbot.keySequence(first, QKeySequence("Ctrl+Shift+N"))
    assert first.column.private_line.isVisible()
    assert "saved as always" in first.column.private_line.accessibleDescription()
    ask(qtbot, first, "Hello?")
    assert [request.is_private for request in asked] == [True]
    qtbot.waitUntil(lambda: "private" in _spoken(first), timeout=5_000)
    conversation_id = first.backstage.session.conversation_id
    first.close()

    second = make_window()
    assert not second.column.private_line.isVisible()
    second.open_conversation(conversation_id)
    assert second.column.private_line.isVisible()
    assert "Hello?" in second.column.transcript.plain_text(), "the conversation itself is saved"
    second.new_conversation()
    assert not second.column.private_line.isVisible()


@pytest.mark.qt_log_ignore("This plugin does not support (raise|grabbing the keyboard)")
def test_a_conversation_becomes_private_from_its_next_question_on(
    window, tiny_model, qtbot, monkeypatch
):
    asked = _watch_requests(window, monkeypatch)
    ask(qtbot, window, "Hello?")
    items = window.sidebars.sidebar.list
    items.customContextMenuRequested.emit(items.visualItemRect(items.item(1)).center())
    menu = items.findChild(QMenu)
    private = next(action for action in menu.actions() if action.text() == "Private conversation")
    assert not private.isChecked()
    private.trigger()
    menu.close()
    assert window.column.private_line.isVisible()
    qtbot.waitUntil(lambda: "private" in _spoken(window), timeout=5_000)
    ask(qtbot, window, "And again?")
    assert [request.is_private for request in asked] == [False, True]
