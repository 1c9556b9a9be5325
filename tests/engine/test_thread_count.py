# SPDX-License-Identifier: Apache-2.0
"""The number of threads follows what other programs use."""

import os

import pytest

from molmo_desktop.engine import threads
from molmo_desktop.engine.hardware import best_thread_count, processor_name
from molmo_desktop.engine.threads import ThreadCount, _fitting, _Snapshot


@pytest.mark.parametrize(
    ("cores", "most", "busy_s", "own_s", "expected"),
    [
        (2, 2, 2.0, 2.0, 2),  # all that is busy is ours
        (2, 2, 2.0, 1.0, 1),  # another program holds a core
        (2, 2, 0.3, 0.0, 2),  # a little noise
        (2, 2, 2.0, 0.0, 1),  # nothing is free, one thread all the same
        (16, 8, 4.0, 0.0, 8),  # enough is free for all of ours
        (16, 8, 11.0, 1.0, 6),
        (4, 4, 0.0, 0.5, 4),  # clocks of different grain may give less than nothing
    ],
)
def test_threads_fit_what_is_free(cores, most, busy_s, own_s, expected):
    before = _Snapshot(10.0, 100.0, 50.0)
    now = _Snapshot(11.0, 100.0 + busy_s, 50.0 + own_s)
    assert _fitting(before, now, cores, most) == expected


def test_a_count_that_the_user_chose_is_kept(monkeypatch):
    monkeypatch.setattr(threads, "_snapshot", lambda cores: pytest.fail("load was looked at"))
    count = ThreadCount(3, adaptive=False)
    assert count.current() == 3


def test_the_count_changes_with_the_load(monkeypatch):
    clock = [100.0]
    busy = [0.0]
    monkeypatch.setattr(threads, "_own_cores", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(threads.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(threads, "_snapshot", lambda cores: _Snapshot(clock[0], busy[0], 0.0))
    count = ThreadCount(4)
    assert count.current() == 4
    clock[0], busy[0] = 101.0, 3.0
    assert count.current() == 1
    clock[0], busy[0] = 102.0, 4.0
    assert count.current() == 3
    clock[0] = 103.0
    assert count.current() == 4


def test_the_best_count_is_within_what_this_process_may_use():
    assert 1 <= best_thread_count() <= (os.cpu_count() or 1)
    assert processor_name()


def test_this_machine_can_be_looked_at():
    count = ThreadCount(2)
    count.look()
    assert count.current() in (1, 2)
