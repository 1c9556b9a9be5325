# SPDX-License-Identifier: Apache-2.0
"""What every power source offers, and the arithmetic of counters that they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from molmo_desktop.core.answer import ReadingKind

# No machine that runs this program takes more: a counter that claims it was reset or is broken.
_MAX_POWER_W = 5000.0


@dataclass(frozen=True)
class SourceReading:
    """One look at a source: a counter of energy, or the power at this moment.

    Attributes:
        energy_j: Counted since the source was opened, growing; None for a source without one.
        power_w: Now; None for a source that counts energy.
        gaps: How often the count was lost so far. Two readings with different gaps cannot be
            subtracted.
    """

    energy_j: float | None = None
    power_w: float | None = None
    gaps: int = 0


@dataclass(frozen=True)
class Problem:
    """Why a source cannot be used, and what the user could do about it (may be empty)."""

    reason: str
    fix: str = ""


class PowerSource(Protocol):
    """A way to learn about power. Not thread-safe; `PowerChain` sees to that."""

    @property
    def name(self) -> str:
        """As it stands in `EnergyUse.source`."""
        ...

    @property
    def kind(self) -> ReadingKind:
        """Whether it measures or estimates."""
        ...

    @property
    def scope(self) -> str:
        """What the figure is of, such as "processor" or "whole machine"."""
        ...

    @property
    def interval_s(self) -> float:
        """How often it must be read so that nothing is missed."""
        ...

    @property
    def method(self) -> str:
        """One sentence about how the figure comes about."""
        ...

    def read(self) -> SourceReading | None:
        """Return a reading, None when there is none now."""
        ...

    def problem(self) -> Problem | None:
        """Return why there is no reading, None when there is one."""
        ...


class UnwrappedCounter:
    """Adds up a hardware counter that starts again from zero at its upper end.

    Args:
        range_j: Where the counter wraps; None if it never does.

    Attributes:
        total_j: Joules since the first value.
        gaps: How often a step made no sense and was left out.
    """

    def __init__(self, range_j: float | None) -> None:
        self.total_j = 0.0
        self.gaps = 0
        self._range_j = range_j
        self._last: tuple[float, float] | None = None

    def update(self, value_j: float, time_s: float) -> None:
        """Take the counter's value at a time of a clock that does not jump."""
        last, self._last = self._last, (value_j, time_s)
        if last is None:
            return
        step_j, elapsed_s = value_j - last[0], time_s - last[1]
        if step_j < 0 and self._range_j is not None:
            step_j += self._range_j
        if step_j < 0 or elapsed_s < 0 or step_j > _MAX_POWER_W * max(elapsed_s, 1.0):
            self.gaps += 1
        else:
            self.total_j += step_j

    def lose(self) -> None:
        """Note that the counter could not be read: what it counts now is unknown."""
        if self._last is not None:
            self._last = None
            self.gaps += 1


def read_int(path: Path) -> int | None:
    """Return the number in a one-line file of sysfs, None if it holds none.

    Raises:
        PermissionError: The file is there but may not be read.
    """
    try:
        return int(path.read_text(encoding="ascii"))
    except PermissionError:
        raise
    except (OSError, ValueError):
        return None


def read_text(path: Path) -> str:
    """Return the text of a one-line file of sysfs, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
