# SPDX-License-Identifier: Apache-2.0
"""Linux battery: what the whole machine draws, while it runs on the battery.

The battery's own electronics average over seconds: good for long answers, coarse for short ones.
"""

from __future__ import annotations

from pathlib import Path

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.power import Problem, SourceReading, read_int, read_text

_MICRO = 1e-6


class BatterySource:
    """Discharge power of all batteries that feed the machine.

    Args:
        sysfs: Root of sysfs; tests give a recorded tree.
    """

    name = "battery"
    kind: ReadingKind = "measured"
    scope = "whole machine"
    interval_s = 0.5  # each look may ask a slow controller
    method = "Discharge of the battery, as its electronics report it; coarse below ten seconds."

    def __init__(self, sysfs: Path = Path("/sys")) -> None:
        self._folder = sysfs / "class" / "power_supply"

    def read(self) -> SourceReading | None:
        """Return the power now, None while nothing discharges."""
        powers_w = [
            power_w
            for battery in self._batteries()
            if read_text(battery / "status") == "Discharging"
            and (power_w := _power_w(battery)) is not None
        ]
        return SourceReading(power_w=sum(powers_w)) if powers_w else None

    def problem(self) -> Problem | None:
        """Return why there is no reading."""
        if self.read() is not None:
            return None
        batteries = self._batteries()
        if not batteries:
            return Problem("This machine has no battery.")
        if any(read_text(battery / "status") == "Discharging" for battery in batteries):
            return Problem("The battery does not report its power.")
        return Problem(
            "The battery is not in use.", "Unplug the power supply to measure with the battery."
        )

    def _batteries(self) -> list[Path]:
        """Return the machine's batteries; those of a mouse have the scope "Device"."""
        try:
            supplies = sorted(self._folder.iterdir())
        except OSError:
            return []
        return [
            supply
            for supply in supplies
            if read_text(supply / "type") == "Battery" and read_text(supply / "scope") != "Device"
        ]


def _power_w(battery: Path) -> float | None:
    """Return the discharge power; some drivers give it a minus sign, a zero is no reading."""
    power_uw = _number(battery / "power_now")
    if power_uw is not None:
        return abs(power_uw) * _MICRO
    current_ua, voltage_uv = _number(battery / "current_now"), _number(battery / "voltage_now")
    if current_ua is None or voltage_uv is None:
        return None
    return abs(current_ua) * _MICRO * voltage_uv * _MICRO


def _number(path: Path) -> int | None:
    try:
        return read_int(path) or None
    except PermissionError:
        return None
