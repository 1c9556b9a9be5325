# SPDX-License-Identifier: Apache-2.0
"""Linux powercap (RAPL): energy counters inside Intel and AMD processors.

Counted are the packages and, where it is separate, the memory. "psys" (the whole platform)
contains the packages and is left out, or they would count twice.

Source: kernel documentation, ``Documentation/power/powercap/powercap.rst``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.power import (
    Problem,
    SourceReading,
    UnwrappedCounter,
    read_int,
    read_text,
)

_MICRO = 1e-6


@dataclass
class _Domain:
    energy_file: Path
    counter: UnwrappedCounter


class RaplSource:
    """The processor's own energy counters.

    Args:
        sysfs: Root of sysfs; tests give a recorded tree.
        clock: Seconds of a clock that does not jump.
    """

    name = "rapl"
    kind: ReadingKind = "measured"
    interval_s = 10.0  # often enough for a counter that wraps every 20 minutes at 200 W
    method = "Energy counters inside the processor (RAPL)."

    def __init__(
        self, sysfs: Path = Path("/sys"), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = sysfs / "class" / "powercap"
        self._clock = clock
        self._domains: list[_Domain] = []
        self._has_memory = False
        self._gaps = 0
        self._problem: Problem | None = None

    @property
    def scope(self) -> str:
        """The processor, and the memory where it has a counter of its own."""
        return "processor and memory" if self._has_memory else "processor"

    def read(self) -> SourceReading | None:
        """Return joules since the first reading."""
        if not self._domains:
            self._find_domains()
        try:
            values = [read_int(domain.energy_file) for domain in self._domains]
        except PermissionError:
            self._forget(_NOT_ALLOWED)
            return None
        if not values or None in values:
            self._forget(_NOT_THERE)
            return None
        now_s = self._clock()
        for domain, value in zip(self._domains, values, strict=True):
            domain.counter.update((value or 0) * _MICRO, now_s)
        self._problem = None
        return SourceReading(
            energy_j=sum(domain.counter.total_j for domain in self._domains),
            gaps=self._gaps + sum(domain.counter.gaps for domain in self._domains),
        )

    def problem(self) -> Problem | None:
        """Return why it cannot be read."""
        self.read()
        return self._problem

    def _forget(self, problem: Problem) -> None:
        """Begin anew at the next reading; what was counted until then is lost."""
        self._problem = problem
        if self._domains:
            self._gaps += 1 + sum(domain.counter.gaps for domain in self._domains)
            self._domains = []

    def _find_domains(self) -> None:
        self._has_memory = False
        try:
            zones = sorted(self._folder.glob("intel-rapl:*"))
        except OSError:
            return
        for zone in zones:
            label = read_text(zone / "name")
            if not label.startswith(("package", "dram")):
                continue
            range_uj = _range_uj(zone)
            counter = UnwrappedCounter(range_uj * _MICRO if range_uj else None)
            self._domains.append(_Domain(zone / "energy_uj", counter))
            self._has_memory |= label.startswith("dram")


def _range_uj(zone: Path) -> int | None:
    try:
        return read_int(zone / "max_energy_range_uj")
    except PermissionError:
        return None


_NOT_THERE = Problem("This machine offers no energy counters of its processor.")
_NOT_ALLOWED = Problem(
    "The processor's energy counters may only be read by the administrator.",
    "An administrator can allow it until the next start with: "
    "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj "
    "(on a machine that others use as well, it lets them guess what the processor computes).",
)
