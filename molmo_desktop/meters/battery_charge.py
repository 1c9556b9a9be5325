# SPDX-License-Identifier: Apache-2.0
"""How full the battery is, and whether the machine runs on it."""

from __future__ import annotations

from typing import Any

import psutil

# Charge changes slowly, and asking for it wakes a slow controller.
_INTERVAL_S = 10.0


class BatteryCharge:
    """Asks the system now and then, and remembers the answer in between."""

    def __init__(self) -> None:
        self._asked_s: float | None = None
        self._percent: float | None = None
        self._is_on_battery: bool | None = None

    def read(self, time_s: float) -> tuple[float | None, bool | None]:
        """Return charge in percent and whether the battery is in use; None when unknown.

        Args:
            time_s: Now, by a clock that does not jump.
        """
        if self._asked_s is None or time_s - self._asked_s >= _INTERVAL_S:
            self._asked_s = time_s
            battery = _battery()
            self._percent = float(battery.percent) if battery else None
            plugged = battery.power_plugged if battery else None
            self._is_on_battery = None if plugged is None else not plugged
        return self._percent, self._is_on_battery


def has_battery() -> bool:
    """Whether the system knows of a battery."""
    return _battery() is not None


def _battery() -> Any:
    # Some systems that psutil runs on know nothing of batteries.
    sensors = getattr(psutil, "sensors_battery", None)
    return sensors() if sensors is not None else None
