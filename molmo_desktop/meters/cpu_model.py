# SPDX-License-Identifier: Apache-2.0
"""An estimate for machines where nothing can be measured: idle power + busy processor time.

Energy = idle power × time + full-load power × (busy processor time / number of processors).
It knows nothing of clock speeds and vector units; expect errors of tens of percent.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.machine import PowerGuess
from molmo_desktop.meters.power import Problem, SourceReading

_IDLE_STATES = ("idle", "iowait", "steal", "guest", "guest_nice")


class CpuTimeModel:
    """The estimate, as a counter of energy.

    Args:
        guess: Power at rest and at full load.
        cpu_count: Logical processors.
        busy_s: Returns the seconds that all processors together were busy so far.
        clock: Seconds of a clock that does not jump.
    """

    name = "cpu time model"
    kind: ReadingKind = "estimated"
    scope = "whole machine"
    interval_s = 10.0

    def __init__(
        self,
        guess: PowerGuess,
        cpu_count: int,
        busy_s: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guess = guess
        self._cpu_count = max(1, cpu_count)
        self._busy_s = busy_s or busy_cpu_seconds
        self._clock = clock
        self._energy_j = 0.0
        self._last = (clock(), self._busy_s())

    @property
    def method(self) -> str:
        """The formula with its numbers."""
        return (
            f"Estimated from processor time: {self.guess.idle_w:.3g} W at rest plus up to "
            f"{self.guess.full_load_cpu_w:.3g} W for a busy processor, "
            f"typical of a {self.guess.machine}; the settings can correct both."
        )

    def read(self) -> SourceReading | None:
        """Return joules since the model was made."""
        now_s, busy_s = self._clock(), self._busy_s()
        elapsed_s = max(0.0, now_s - self._last[0])
        # The kernel's counters may step back a little, or jump when a processor is added.
        busy_step_s = min(max(0.0, busy_s - self._last[1]), elapsed_s * self._cpu_count)
        if elapsed_s > 0:
            self._last = (now_s, busy_s)
        self._energy_j += self.guess.idle_w * elapsed_s
        self._energy_j += self.energy_of_work_j(busy_step_s)
        return SourceReading(energy_j=self._energy_j)

    def energy_of_work_j(self, busy_s: float) -> float:
        """Return what so many seconds of one busy processor add to the machine at rest."""
        return self.guess.full_load_cpu_w * max(0.0, busy_s) / self._cpu_count

    def problem(self) -> Problem | None:
        """It always works."""
        return None


def busy_cpu_seconds() -> float:
    """Return how long all processors together have worked since the machine started."""
    times = psutil.cpu_times()
    # "guest" is contained in "user" already, and stolen time was another machine's.
    return float(sum(getattr(times, state) for state in times._fields if state not in _IDLE_STATES))
