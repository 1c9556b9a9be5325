# SPDX-License-Identifier: Apache-2.0
"""An engine that the system ended for want of memory is not called a crash."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from molmo_desktop.core.errors import EngineCrashedError, OutOfMemoryError
from molmo_desktop.engine import oom_kills
from molmo_desktop.engine.events import TokenEvent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count")


def _answer_until_killed(client, starter, ask, on_kill=lambda: None):
    client.load(starter)
    killed = []

    def kill(event):
        if isinstance(event, TokenEvent) and not killed:
            killed.append(client.pid)
            on_kill()
            os.kill(client.pid, signal.SIGKILL)

    client.generate(ask("Count to a hundred.", max_new_tokens=200), on_event=kill)


def test_linux_counts_such_ends():
    count = oom_kills.oom_kill_count()
    assert count is not None
    assert count >= 0


def test_a_kill_that_the_system_counted_is_told_as_lack_of_memory(
    make_client, starter, ask, tmp_path, monkeypatch
):
    counts = tmp_path / "vmstat"
    counts.write_text("pgfault 5\noom_kill 3\n", encoding="ascii")
    monkeypatch.setattr(oom_kills, "_COUNTS", counts)

    def count_one_more() -> None:
        counts.write_text("pgfault 6\noom_kill 4\n", encoding="ascii")

    client = make_client()
    with pytest.raises(OutOfMemoryError) as caught:
        _answer_until_killed(client, starter, ask, count_one_more)
    assert "not enough memory" in caught.value.message
    assert caught.value.data["partial_text"]
    assert oom_kills.SENTENCE in caught.value.detail


def test_a_kill_that_nobody_counted_stays_a_kill(make_client, starter, ask):
    with pytest.raises(EngineCrashedError):
        _answer_until_killed(make_client(), starter, ask)


def test_a_system_that_does_not_count_is_no_trouble(tmp_path, monkeypatch):
    monkeypatch.setattr(oom_kills, "_COUNTS", tmp_path / "nothing")
    assert oom_kills.oom_kill_count() is None
    (tmp_path / "nothing").write_text("oom_kill\nother 3\n", encoding="ascii")
    assert oom_kills.oom_kill_count() is None
