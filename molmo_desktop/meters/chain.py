# SPDX-License-Identifier: Apache-2.0
"""The power sources in order: the first one that gives a reading is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from molmo_desktop.core.settings import Settings
from molmo_desktop.meters.battery import BatterySource
from molmo_desktop.meters.battery_charge import has_battery
from molmo_desktop.meters.cpu_model import CpuTimeModel
from molmo_desktop.meters.machine import PowerGuess, guess_power
from molmo_desktop.meters.nvml import NvmlSource
from molmo_desktop.meters.power import PowerSource, SourceReading
from molmo_desktop.meters.rapl import RaplSource


@dataclass(frozen=True)
class ChosenReading:
    """A reading and where it comes from."""

    source: PowerSource
    reading: SourceReading


class PowerChain:
    """Measured sources in order of preference, and the estimate for when none works.

    Any thread may call; the choice is made anew each time, because a power supply is plugged in
    and a permission is given while the program runs.
    """

    def __init__(self, measured: Sequence[PowerSource], estimate: CpuTimeModel) -> None:
        self.estimate = estimate
        self._sources: tuple[PowerSource, ...] = (*measured, estimate)
        self._lock = threading.Lock()

    def read(self) -> ChosenReading | None:
        """Return the reading of the first source that has one."""
        with self._lock:
            for source in self._sources:
                reading = source.read()
                if reading is not None:
                    return ChosenReading(source, reading)
        return None

    def read_source(self, source: PowerSource) -> SourceReading | None:
        """Return a reading of that source alone."""
        with self._lock:
            return source.read()

    def describe(self) -> list[dict[str, str | bool]]:
        """Return each source in words: can it be used, why not, and what would help."""
        chosen = self.read()
        rows: list[dict[str, str | bool]] = []
        with self._lock:
            for source in self._sources:
                problem = source.problem()
                rows.append(
                    {
                        "name": source.name,
                        "kind": source.kind,
                        "scope": source.scope,
                        "method": source.method,
                        "usable": problem is None,
                        "chosen": chosen is not None and chosen.source is source,
                        "reason": problem.reason if problem else "",
                        "fix": problem.fix if problem else "",
                    }
                )
        return rows

    def correct_estimate(self, guess: PowerGuess) -> None:
        """Estimate with other figures from now on; what was counted so far stays."""
        with self._lock:
            self.estimate.read()
            self.estimate.guess = guess

    def close(self) -> None:
        """Let go of drivers."""
        with self._lock:
            for source in self._sources:
                if isinstance(source, NvmlSource):
                    source.close()


def default_chain(
    settings: Settings, engine_pid: Callable[[], int | None], root: Path = Path("/")
) -> PowerChain:
    """Return the chain of this machine.

    Args:
        settings: May hold the user's own figures for the estimate.
        engine_pid: Tells the engine's process.
        root: Of the file system; tests give a recorded tree.
    """
    sysfs = root / "sys"
    return PowerChain(
        [RaplSource(sysfs), NvmlSource(engine_pid), BatterySource(sysfs)],
        CpuTimeModel(corrected_guess(settings, root), psutil.cpu_count() or 1),
    )


def corrected_guess(settings: Settings, root: Path = Path("/")) -> PowerGuess:
    """Return what this machine draws: the user's own figures, where missing the program's guess.

    Args:
        settings: 0 stands for a figure that the user did not give.
        root: Of the file system; tests give a recorded tree.
    """
    guess = guess_power(psutil.cpu_count() or 1, has_battery(), root)
    return PowerGuess(
        machine=guess.machine,
        idle_w=settings.idle_power_w or guess.idle_w,
        full_load_cpu_w=settings.full_load_cpu_power_w or guess.full_load_cpu_w,
    )
