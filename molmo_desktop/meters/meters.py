# SPDX-License-Identifier: Apache-2.0
"""All meters together: what the rest of the program talks to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psutil

from molmo_desktop.core.settings import Settings
from molmo_desktop.meters.battery_charge import BatteryCharge
from molmo_desktop.meters.carbon import grid_of
from molmo_desktop.meters.chain import PowerChain, corrected_guess, default_chain
from molmo_desktop.meters.cpu_model import busy_cpu_seconds
from molmo_desktop.meters.energy import EnergySpan
from molmo_desktop.meters.live import IdlePower, LivePowerMeter, LoadMeter
from molmo_desktop.meters.memory import process_memory, system_memory
from molmo_desktop.meters.power import PowerSource
from molmo_desktop.meters.reading import LiveReading

__all__ = ["EnergySpan", "LiveReading", "Meters"]


class Meters:
    """Live readings and the energy of answers. Any thread may call.

    Args:
        settings: Country of the grid and the user's own figures for the estimate.
        engine_pid: Returns the engine's process, None while it does not run.
        chain: Power sources; None = those of this machine.
    """

    def __init__(
        self,
        settings: Settings,
        engine_pid: Callable[[], int | None],
        *,
        chain: PowerChain | None = None,
    ) -> None:
        self._settings = settings
        self._engine_pid = engine_pid
        self._chain = chain or default_chain(settings, engine_pid)
        self._lock = threading.Lock()
        self._power = LivePowerMeter()
        self._idle = IdlePower()
        self._load = LoadMeter(psutil.cpu_count() or 1)
        self._battery = BatteryCharge()
        self._spans: set[EnergySpan] = set()

    def sample(self) -> LiveReading:
        """Return memory, power and load now; takes less than a millisecond on Linux."""
        pid = self._engine_pid()
        engine = process_memory(pid) if pid is not None else None
        window = process_memory()
        total_bytes, available_bytes = system_memory()
        with self._lock:
            now_s = time.monotonic()
            power = self._power.update(self._chain.read(), now_s)
            if not self._spans:
                self._idle.add(power)
            cpu_percent = self._load.update(busy_cpu_seconds(), now_s)
            battery_percent, is_on_battery = self._battery.read(now_s)
        return LiveReading(
            time_s=now_s,
            engine_rss_bytes=engine.rss_bytes if engine else None,
            engine_mapped_bytes=engine.mapped_bytes if engine else None,
            window_rss_bytes=window.rss_bytes if window else None,
            system_total_bytes=total_bytes,
            system_available_bytes=available_bytes,
            power_w=power.power_w,
            power_kind=power.kind,
            power_source=power.source,
            power_scope=power.scope,
            cpu_percent=cpu_percent,
            battery_percent=battery_percent,
            is_on_battery=is_on_battery,
        )

    def begin_span(self) -> EnergySpan:
        """Begin to count the energy of an answer; the caller ends it."""
        grid = grid_of(self._settings.country)
        span = EnergySpan(self._chain, self._idle_w, grid, on_end=self._forget)
        with self._lock:
            self._spans.add(span)
        return span

    def use_settings(self, settings: Settings) -> None:
        """Take another country and other figures for the estimate, also while one is counted."""
        self._settings = settings
        self._chain.correct_estimate(corrected_guess(settings))

    def describe(self) -> list[dict[str, Any]]:
        """Return each power source in words: usable, why not, and what would help."""
        return [dict(row) for row in self._chain.describe()]

    def close(self) -> None:
        """End what is still being counted and let go of drivers."""
        with self._lock:
            spans = list(self._spans)
        for span in spans:
            span.end()
        self._chain.close()

    def _idle_w(self, source: PowerSource) -> float | None:
        with self._lock:
            return self._idle.of(source)

    def _forget(self, span: EnergySpan) -> None:
        with self._lock:
            self._spans.discard(span)
