# SPDX-License-Identifier: Apache-2.0
"""Energy between two moments: exact from counters, integrated from samples of power."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self

from molmo_desktop.core.answer import EnergyUse
from molmo_desktop.meters.carbon import GridIntensity
from molmo_desktop.meters.chain import PowerChain
from molmo_desktop.meters.own_time import own_cpu_seconds
from molmo_desktop.meters.power import PowerSource, SourceReading

# A pause between two samples of power that is longer than this was a machine asleep or stuck:
# what happened in it is unknown.
_LONGEST_PAUSE_S = 10.0


class EnergySum:
    """Adds up the readings of one source.

    Joules come out as a difference of counters, or as the area under the samples of power
    (trapezoids). `energy_j` is None as soon as something is missing in between, and for a
    counter that did not move: no machine computes on zero joules.
    """

    def __init__(self) -> None:
        self._first: SourceReading | None = None
        self._last: SourceReading | None = None
        self._last_s = 0.0
        self._area_j = 0.0
        self._is_broken = False

    def add(self, reading: SourceReading | None, time_s: float) -> None:
        """Take a reading; None breaks the sum for good."""
        if reading is None:
            self._is_broken = True
            return
        if self._last is not None and self._first is not None:
            self._is_broken |= reading.gaps != self._first.gaps
            self._add_area(self._last.power_w, reading.power_w, time_s - self._last_s)
        else:
            self._first = reading
        self._last, self._last_s = reading, time_s

    @property
    def energy_j(self) -> float | None:
        """Joules from the first to the last reading, None when unknown."""
        if self._is_broken or self._first is None or self._last is None:
            return None
        if self._first.energy_j is not None and self._last.energy_j is not None:
            energy_j = self._last.energy_j - self._first.energy_j
        else:
            energy_j = self._area_j
        return energy_j if energy_j > 0 else None

    def _add_area(self, before_w: float | None, now_w: float | None, elapsed_s: float) -> None:
        if before_w is None or now_w is None:
            return
        if not 0 <= elapsed_s <= _LONGEST_PAUSE_S:
            self._is_broken = True
            return
        self._area_j += (before_w + now_w) / 2 * elapsed_s


class EnergySpan:
    """The energy of one answer, from when this is made until `end`.

    A thread reads the source often enough while the span lasts. The estimate runs along, for a
    measured source that vanishes on the way.

    Args:
        chain: The power sources.
        idle_w: Returns the power of the machine at rest by a measured source, None if unknown.
        grid: Carbon is counted with it.
        clock: Seconds of a clock that does not jump.
        own_cpu_s: Returns the processor time that this program took so far.
        samples_itself: False = the caller calls `take_sample`.
        on_end: Called once, with the span, when it ended.
    """

    def __init__(
        self,
        chain: PowerChain,
        idle_w: Callable[[PowerSource], float | None],
        grid: GridIntensity,
        *,
        clock: Callable[[], float] = time.monotonic,
        own_cpu_s: Callable[[], float] = own_cpu_seconds,
        samples_itself: bool = True,
        on_end: Callable[[EnergySpan], None] | None = None,
    ) -> None:
        self._on_end = on_end
        self._chain = chain
        self._idle_w = idle_w
        self._grid = grid
        self._clock = clock
        self._own_cpu_s = own_cpu_s
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._result: EnergyUse | None = None
        chosen = chain.read()
        source = chosen.source if chosen else chain.estimate
        self._sums: list[tuple[PowerSource, EnergySum]] = [(source, EnergySum())]
        if source is not chain.estimate:
            self._sums.append((chain.estimate, EnergySum()))
        self._started_s = clock()
        self._own_cpu_before_s = own_cpu_s()
        self.take_sample()
        self._thread: threading.Thread | None = None
        if samples_itself:
            self._thread = threading.Thread(target=self._run, name="energy", daemon=True)
            self._thread.start()

    def take_sample(self) -> None:
        """Read the sources now."""
        with self._lock:
            for source, energy_sum in self._sums:
                energy_sum.add(self._chain.read_source(source), self._clock())

    def end(self) -> EnergyUse:
        """Stop, and return the energy; the second time, the same again."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._result is None:
            self.take_sample()
            self._result = self._use(self._clock() - self._started_s)
            if self._on_end is not None:
                self._on_end(self)
        return self._result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _use(self, duration_s: float) -> EnergyUse:
        for source, energy_sum in self._sums:
            energy_j = energy_sum.energy_j
            if energy_j is None:
                continue
            above_idle_j = self._above_idle_j(source, energy_j, duration_s)
            return EnergyUse(
                energy_j=energy_j,
                above_idle_j=above_idle_j,
                kind=source.kind,
                source=source.name,
                carbon_g=self._grid.grams(energy_j),
                grid_g_per_kwh=self._grid.g_per_kwh,
            )
        return EnergyUse(grid_g_per_kwh=self._grid.g_per_kwh)

    def _above_idle_j(
        self, source: PowerSource, energy_j: float, duration_s: float
    ) -> float | None:
        """Return what the answer added.

        The estimate counts this program's own work; a sensor cannot tell programs apart, so
        there it is what goes beyond the power at rest.
        """
        if source is self._chain.estimate:
            own_s = self._own_cpu_s() - self._own_cpu_before_s
            return min(energy_j, self._chain.estimate.energy_of_work_j(own_s))
        idle_w = self._idle_w(source)
        return None if idle_w is None else max(0.0, energy_j - idle_w * duration_s)

    def _run(self) -> None:
        interval_s = min(source.interval_s for source, _ in self._sums)
        while not self._stop.wait(interval_s):
            self.take_sample()
