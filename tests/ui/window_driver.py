# SPDX-License-Identifier: Apache-2.0
"""What a user does with the window, as functions."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from molmo_desktop.store.store import Store
from molmo_desktop.ui.main_window import MainWindow

STARTER = "SmolLM2-135M-Instruct"
ANSWER_MS = 90_000


def choose_model(qtbot: Any, window: MainWindow, name: str) -> None:
    """Choose a model as the user does."""
    picker = window.sidebars.sidebar.picker
    qtbot.waitUntil(lambda: picker.findData(name) >= 0, timeout=10_000)
    picker.setCurrentIndex(picker.findData(name))


def mime_of(*paths: Path) -> QMimeData:
    """Return what a file manager hands over."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def drag(window: MainWindow, mime: QMimeData) -> QDragEnterEvent:
    """Drag something over the window and return the event."""
    event = QDragEnterEvent(
        window.rect().center(),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)
    return event


def drop(window: MainWindow, mime: QMimeData) -> QDropEvent:
    """Drag something over the window, drop it, and return the event."""
    drag(window, mime)
    event = QDropEvent(
        QPointF(window.rect().center()),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, event)
    return event


def drop_files(qtbot: Any, window: MainWindow, *paths: Path) -> None:
    """Drop files with real events and wait until they are read."""
    drop(window, mime_of(*paths))
    qtbot.waitUntil(
        lambda: all(item.state != "reading" for item in window.backstage.session.attachments),
        timeout=30_000,
    )


def type_and_send(qtbot: Any, window: MainWindow, question: str) -> None:
    """Type a question and press Enter."""
    edit = window.column.composer.edit
    edit.setFocus()
    qtbot.keyClicks(edit, question)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def ask(qtbot: Any, window: MainWindow, question: str) -> dict[str, Any]:
    """Ask with the keyboard, wait for the answer, and return it."""
    with qtbot.waitSignal(window.answer_finished, timeout=ANSWER_MS) as finished:
        type_and_send(qtbot, window, question)
    return finished.args[0]


def open_answered(qtbot: Any, window: MainWindow, invoice: Path) -> None:
    """Open a conversation that was answered in an earlier run, and wait for its page."""
    store = Store(window.backstage.assistant.paths.database_file)
    conversation_id = store.create_conversation()
    store.add_attachment(conversation_id, invoice, "", "pdf", 1, False)
    question_id = store.add_question(conversation_id, "What is the total due?", [invoice])
    answer_id = store.start_answer(conversation_id, question_id, STARTER)
    passage = {"text": "Total due: 300.90 EUR", "boxes": [[51.0, 362.2, 171.8, 373.6]]}
    place = {"file": str(invoice), "page": 1, "score": 1.0, "cited": True}
    answer = {"answer": "It is 300.90 EUR.", "finish_reason": "stop", "found": True}
    store.finish_answer(answer_id, {**answer, "evidence": [{**passage, **place}]}, "finished")
    store.close()
    window.open_conversation(conversation_id)
    qtbot.waitUntil(lambda: bool(window.panel.viewer.canvas.boxes), timeout=20_000)


def wait_for_text(qtbot: Any, window: MainWindow, length: int = 20) -> None:
    """Wait until some of the running answer is written."""

    def is_written() -> bool:
        running = window.backstage.session.running
        return running is not None and len(running.text) >= length

    qtbot.waitUntil(is_written, timeout=ANSWER_MS)


class LoopWatch:
    """Measures the longest time in which the event loop did not come round."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last_s = time.monotonic()
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now_s = time.monotonic()
        self.longest_s = max(self.longest_s, now_s - self._last_s)
        self._last_s = now_s

    def stop(self) -> float:
        """Stop measuring and return the longest gap in seconds."""
        self._timer.stop()
        return self.longest_s
