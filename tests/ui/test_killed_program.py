# SPDX-License-Identifier: Apache-2.0
"""Killing the whole program in the middle of an answer loses nothing that was finished."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil


def test_after_a_kill_finished_answers_and_the_beginning_of_the_last_are_there(make_window, qtbot):
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("window_child.py"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == "answered\n"
        engine_pid = int(child.stdout.readline().removeprefix("writing "))
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    qtbot.waitUntil(lambda: not is_running(engine_pid), timeout=10_000)

    window = make_window()
    window.open_conversation(window.backstage.conversations.conversations()[0].id)
    words = window.column.transcript.plain_text()
    assert "You: Say hello." in words
    assert "You: Write a long story about a lighthouse." in words
    qtbot.waitUntil(lambda: len(window.column.transcript.answers) == 2, timeout=10_000)
    first, second = window.column.transcript.answers
    assert first.answer is not None
    assert first.answer["finish_reason"] in ("stop", "length")
    assert len(second.text.markdown) >= 40
    assert "Interrupted" in second.plain_text()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
