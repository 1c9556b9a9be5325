# SPDX-License-Identifier: Apache-2.0
"""What was learned from deaths of the engine, in words: for ``doctor`` and for the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from molmo_desktop.engine.safe_settings import SafeSettingsNote


@dataclass(frozen=True)
class EngineRecord:
    """What is remembered of the engine on this machine.

    Attributes:
        safe: Why safe settings are in force, None while the fast ones are.
        crash_count: Models and files that ended the engine and did not go well since.
    """

    safe: SafeSettingsNote | None = None
    crash_count: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to forget."""
        return self.safe is None and self.crash_count == 0

    def sentence(self) -> str:
        """Return what holds, and why."""
        words = "The engine works with its fast settings."
        if self.safe is not None:
            words = (
                f"The engine works with safe settings since {_day(self.safe.since)}, because the "
                f"fast ones ended it with {self.safe.reason} ({self.safe.machine})."
            )
        if self.crash_count:
            noun = "model or file" if self.crash_count == 1 else "models or files"
            words += f" {self.crash_count} {noun} ended it before."
        return words

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it stands in JSON."""
        return {
            "settings": "fast" if self.safe is None else "safe",
            "since": self.safe.since if self.safe else None,
            "reason": self.safe.reason if self.safe else None,
            "machine": self.safe.machine if self.safe else None,
            "remembered_crashes": self.crash_count,
        }


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"
