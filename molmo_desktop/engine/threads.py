# SPDX-License-Identifier: Apache-2.0
"""How many threads to compute with right now: what the machine has, less what others use.

The threads of a matrix product wait for each other a thousand times per token. When another
program holds one of the cores, the thread on it is paused for milliseconds and all others wait:
on a machine with two cores and one busy program, two threads gave 0.4 to 6 tokens/s and one
thread 70 (measured with the starter model, Linux). So the count follows the load, also in the
middle of an answer.
"""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass

import psutil

_INTERVAL_S = 0.25
_SHORTEST_WINDOW_S = 0.15
_LONGEST_WINDOW_S = 5.0
# A core counts as free for us when others use less than this share of it.
_TOLERATED_SHARE = 0.4


@dataclass(frozen=True)
class _Snapshot:
    """Seconds of processor time up to now: of all processes, and of this one."""

    at_s: float
    busy_s: float
    own_s: float


class ThreadCount:
    """The number of threads for the next evaluation.

    Args:
        most: Upper bound; what pays off on an idle machine.
        adaptive: False = always ``most``, as the user asked for.
    """

    def __init__(self, most: int, *, adaptive: bool = True) -> None:
        self.most = most
        self._adaptive = adaptive and most > 1
        self._cores = _own_cores()
        self._snapshots: deque[_Snapshot] = deque(maxlen=4)
        self._current = most
        self._next_look_s = 0.0
        self.look()

    def look(self) -> None:
        """Note the load; called now and then while nothing is evaluated."""
        if self._adaptive:
            self._snapshots.append(_snapshot(self._cores))

    def current(self) -> int:
        """Return how many threads to use now; cheap enough to ask for every token."""
        if self._adaptive and time.monotonic() >= self._next_look_s:
            self._choose()
            self._next_look_s = time.monotonic() + _INTERVAL_S
        return self._current

    def _choose(self) -> None:
        now = _snapshot(self._cores)
        before = self._reference(now.at_s)
        self._snapshots.append(now)
        if before is not None:
            self._current = _fitting(before, now, len(self._cores), self.most)

    def _reference(self, now_s: float) -> _Snapshot | None:
        """Return the newest snapshot that is old enough to compare with, and not too old."""
        for snapshot in reversed(self._snapshots):
            if _SHORTEST_WINDOW_S <= now_s - snapshot.at_s <= _LONGEST_WINDOW_S:
                return snapshot
        return None


def _fitting(before: _Snapshot, now: _Snapshot, core_count: int, most: int) -> int:
    others_s = (now.busy_s - before.busy_s) - (now.own_s - before.own_s)
    used_cores = max(0.0, others_s) / (now.at_s - before.at_s)
    return max(1, min(most, int(core_count - used_cores + _TOLERATED_SHARE)))


def _own_cores() -> list[int]:
    """Return the numbers of the logical processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _snapshot(cores: list[int]) -> _Snapshot:
    own = os.times()
    own_s = 0.0 if _is_nice() else own.user + own.system
    per_core = psutil.cpu_times(percpu=True)
    busy_s = sum(_busy_s(per_core[core]) for core in cores if core < len(per_core))
    return _Snapshot(time.monotonic(), busy_s, own_s)


def _is_nice() -> bool:
    """Whether this process itself was told to be nice; then its time is not in the sum either."""
    return hasattr(os, "nice") and os.nice(0) > 0


def _busy_s(times: object) -> float:
    """Return user, system, interrupt and stolen time of a core; guests are within user.

    Time of programs that were told to be nice does not count: they make room for us.
    """
    names = ("user", "system", "irq", "softirq", "steal", "interrupt", "dpc")
    return float(sum(getattr(times, name, 0.0) for name in names))
