# SPDX-License-Identifier: Apache-2.0
"""Power and load now, from one look to the next, and what the machine draws at rest."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.chain import ChosenReading
from molmo_desktop.meters.power import PowerSource

# Closer looks than this are too coarse: the kernel counts processor time in steps of 10 ms.
_SHORTEST_S = 0.1
# After a longer pause the mean since the last look is not "now".
_LONGEST_S = 5.0
_IDLE_SAMPLES = 60
_FEWEST_IDLE_SAMPLES = 5


@dataclass(frozen=True)
class LivePower:
    """Power now; ``power_w`` is None while there is no earlier look to compare with."""

    power_w: float | None
    kind: ReadingKind
    source: str
    scope: str


NO_POWER = LivePower(None, "not available", "none", "")


class LivePowerMeter:
    """Turns readings into power: as it stands, or as the growth of a counter."""

    def __init__(self) -> None:
        self._last: tuple[ChosenReading, float] | None = None
        self._shown = NO_POWER

    def update(self, chosen: ChosenReading | None, time_s: float) -> LivePower:
        """Take a reading and return the power now."""
        if chosen is None:
            self._last, self._shown = None, NO_POWER
            return NO_POWER
        source = chosen.source
        if self._last is not None and self._last[0].source is source:
            if 0 <= time_s - self._last[1] < _SHORTEST_S and self._shown.source == source.name:
                return self._shown
            power_w = _power_w(self._last[0], chosen, time_s - self._last[1])
        else:
            power_w = chosen.reading.power_w
        self._last = (chosen, time_s)
        self._shown = LivePower(power_w, source.kind, source.name, source.scope)
        return self._shown


class IdlePower:
    """Remembers what the machine drew while nothing was asked, by source."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = {}

    def add(self, power: LivePower) -> None:
        """Take a look that was made while no answer was on its way."""
        if power.power_w is not None:
            samples = self._samples.setdefault(power.source, deque(maxlen=_IDLE_SAMPLES))
            samples.append(power.power_w)

    def of(self, source: PowerSource) -> float | None:
        """Return the power at rest, None while too little is known.

        The lower quartile, because some of the looks fell on other work of the machine.
        """
        samples = self._samples.get(source.name, ())
        if len(samples) < _FEWEST_IDLE_SAMPLES:
            return None
        return statistics.quantiles(samples, n=4)[0]


class LoadMeter:
    """Share of all processors that was busy since the last look."""

    def __init__(self, cpu_count: int) -> None:
        self._cpu_count = max(1, cpu_count)
        self._last: tuple[float, float] | None = None
        self._percent: float | None = None

    def update(self, busy_s: float, time_s: float) -> float | None:
        """Take the busy seconds of all processors and return the load in percent."""
        if self._last is None:
            self._last = (busy_s, time_s)
            return None
        elapsed_s = time_s - self._last[1]
        if elapsed_s < _SHORTEST_S:
            return self._percent
        share = (busy_s - self._last[0]) / elapsed_s / self._cpu_count
        self._last = (busy_s, time_s)
        self._percent = 100 * min(1.0, max(0.0, share))
        return self._percent


def _power_w(before: ChosenReading, now: ChosenReading, elapsed_s: float) -> float | None:
    if now.reading.power_w is not None:
        return now.reading.power_w
    if before.reading.energy_j is None or now.reading.energy_j is None:
        return None
    if before.reading.gaps != now.reading.gaps or not 0 < elapsed_s <= _LONGEST_S:
        return None
    power_w = (now.reading.energy_j - before.reading.energy_j) / elapsed_s
    return power_w if power_w > 0 else None
