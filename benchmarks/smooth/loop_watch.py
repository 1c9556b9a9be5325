# SPDX-License-Identifier: Apache-2.0
"""The gaps of an event loop: how long it did not come round.

A precise timer wakes the loop every two milliseconds; what lies between two wakings is a gap.
The kernel tells how long the thread was ready to run but had to wait for a core
(``/proc/<pid>/task/<tid>/schedstat``): that part is the machine's, not the program's.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time
from array import array
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer

_TICK_MS = 2
_LOOK_EVERY_S = 0.003


@dataclass(frozen=True)
class Gaps:
    """What was seen in one stretch of time, in milliseconds.

    Attributes:
        longest_ms: The longest time in which the loop did not come round.
        late_ms: At 99.9 % of all moments an event waited at most this long.
        longest_own_ms, late_own_ms: The same without the time spent waiting for a core.
    """

    seconds: float
    longest_ms: float
    late_ms: float
    longest_own_ms: float
    late_own_ms: float


class LoopWatch(QObject):
    """Watches the loop of the thread it is made in.

    Args:
        blame_ms: Print where the thread was when a gap got longer than this; 0 = never. Costs
            time itself, so it is for finding a cause, not for figures.
    """

    def __init__(self, blame_ms: float = 0.0) -> None:
        super().__init__()
        self._gaps_ns = array("q")
        self._own_ns = array("q")
        self._last_ns = 0
        self._waited_ns = 0
        self._schedstat = _open_schedstat()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        if blame_ms:
            _Accuser(self, blame_ms).start()

    @property
    def last_ns(self) -> int:
        """When the loop came round last; 0 while nothing is watched."""
        return self._last_ns

    def begin(self) -> None:
        """Begin a stretch."""
        self._gaps_ns, self._own_ns = array("q"), array("q")
        self._waited_ns = self._core_wait_ns()
        self._last_ns = time.perf_counter_ns()
        self._timer.start()

    def end(self) -> Gaps:
        """End the stretch and return what was seen."""
        self._tick()
        self._timer.stop()
        self._last_ns = 0
        return Gaps(
            seconds=round(sum(self._gaps_ns) / 1e9, 2),
            longest_ms=round(max(self._gaps_ns) / 1e6, 1),
            late_ms=round(late(self._gaps_ns) / 1e6, 1),
            longest_own_ms=round(max(self._own_ns) / 1e6, 1),
            late_own_ms=round(late(self._own_ns) / 1e6, 1),
        )

    def _tick(self) -> None:
        now_ns, waited_ns = time.perf_counter_ns(), self._core_wait_ns()
        gap_ns = now_ns - self._last_ns
        self._gaps_ns.append(gap_ns)
        self._own_ns.append(max(0, gap_ns - (waited_ns - self._waited_ns)))
        self._last_ns, self._waited_ns = now_ns, waited_ns

    def _core_wait_ns(self) -> int:
        if self._schedstat is None:
            return 0
        return int(os.pread(self._schedstat, 128, 0).split()[1])


def late(gaps_ns: array[int], share: float = 0.001) -> float:
    """Return the wait that only this share of all moments exceeds.

    An event that comes at a random moment waits for the rest of the gap it falls into. So a gap
    counts by its length: twenty gaps of 50 ms in a second are not made good by many short ones.
    """
    allowed = share * sum(gaps_ns)
    ordered = sorted(gaps_ns, reverse=True)
    above, level = 0.0, float(ordered[0])
    for count, gap in enumerate(ordered):
        # Between two lengths the time spent above falls linearly, `count` gaps sharing it.
        if above + count * (level - gap) > allowed:
            return level - (allowed - above) / count
        above += count * (level - gap)
        level = float(gap)
    return level


def _open_schedstat() -> int | None:
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except OSError:
        return None


class _Accuser(threading.Thread):
    """Prints the stacks of all threads while the watched one is late."""

    def __init__(self, watch: LoopWatch, limit_ms: float) -> None:
        super().__init__(name="accuser", daemon=True)
        self._watch = watch
        self._limit_ns = limit_ms * 1e6

    def run(self) -> None:
        told = 0
        while True:
            time.sleep(_LOOK_EVERY_S)
            last_ns = self._watch.last_ns
            if last_ns and last_ns != told and time.perf_counter_ns() - last_ns > self._limit_ns:
                told = last_ns
                late_ms = (time.perf_counter_ns() - last_ns) / 1e6
                print(f"--- late by {late_ms:.0f} ms", file=sys.stderr, flush=True)
                # Not by frame objects: they would keep widgets alive and end them in this thread.
                faulthandler.dump_traceback(sys.stderr)
