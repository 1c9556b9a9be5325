# SPDX-License-Identifier: Apache-2.0
"""NVIDIA graphics cards, through the optional package ``nvidia-ml-py``.

Used only while the engine computes on a card: an idle card says nothing about an answer.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.power import Problem, SourceReading, UnwrappedCounter

_MILLI = 1e-3


class NvmlSource:
    """The cards that the engine computes on.

    Args:
        engine_pid: Tells the engine's process.
        library: A replacement for the module ``pynvml``, for tests.
        clock: Seconds of a clock that does not jump.
    """

    name = "nvml"
    kind: ReadingKind = "measured"
    scope = "graphics card"
    interval_s = 0.05
    method = "Sensors of the NVIDIA graphics card (NVML)."

    def __init__(
        self,
        engine_pid: Callable[[], int | None],
        library: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine_pid = engine_pid
        self._library = library
        self._clock = clock
        self._is_opened = False
        self._cards: list[Any] = []
        self._counters: list[UnwrappedCounter] = []
        self._problem: Problem | None = _NO_CARD

    def read(self) -> SourceReading | None:
        """Return joules since the first reading, or the power now on cards that do not count."""
        self._open()
        pid = self._engine_pid()
        if not self._cards:
            return None
        if pid is None or not self._computes_here(pid):
            self._problem = _NOT_USED
            for counter in self._counters:
                counter.lose()
            return None
        reading = self._energy() or self._power()
        self._problem = None if reading else Problem("The graphics card reports no power.")
        return reading

    def problem(self) -> Problem | None:
        """Return why there is no reading."""
        self.read()
        return self._problem

    def close(self) -> None:
        """Let go of the driver."""
        if self._cards:
            with contextlib.suppress(self._library.NVMLError):
                self._library.nvmlShutdown()
            self._cards = []

    def _open(self) -> None:
        if self._is_opened:
            return
        self._is_opened = True
        if self._library is None:
            if importlib.util.find_spec("pynvml") is None:
                self._problem = _NO_PACKAGE
                return
            self._library = importlib.import_module("pynvml")
        try:
            self._library.nvmlInit()
            self._cards = [
                self._library.nvmlDeviceGetHandleByIndex(index)
                for index in range(self._library.nvmlDeviceGetCount())
            ]
        except self._library.NVMLError:
            self._problem = _NO_CARD
        self._counters = [UnwrappedCounter(None) for _ in self._cards]

    def _computes_here(self, pid: int) -> bool:
        for card in self._cards:
            with contextlib.suppress(self._library.NVMLError):
                running = self._library.nvmlDeviceGetComputeRunningProcesses(card)
                if any(process.pid == pid for process in running):
                    return True
        return False

    def _energy(self) -> SourceReading | None:
        try:
            values = [
                self._library.nvmlDeviceGetTotalEnergyConsumption(card) for card in self._cards
            ]
        except self._library.NVMLError:
            return None
        now_s = self._clock()
        for counter, value in zip(self._counters, values, strict=True):
            counter.update(value * _MILLI, now_s)
        return SourceReading(
            energy_j=sum(counter.total_j for counter in self._counters),
            gaps=sum(counter.gaps for counter in self._counters),
        )

    def _power(self) -> SourceReading | None:
        try:
            powers = [self._library.nvmlDeviceGetPowerUsage(card) for card in self._cards]
        except self._library.NVMLError:
            return None
        return SourceReading(power_w=sum(powers) * _MILLI)


_NO_PACKAGE = Problem(
    "The package that reads NVIDIA graphics cards is not installed.",
    "If this machine has such a card, install the package nvidia-ml-py.",
)
_NO_CARD = Problem("No NVIDIA graphics card was found.")
_NOT_USED = Problem("The model does not run on a graphics card now.")
