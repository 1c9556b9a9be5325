# SPDX-License-Identifier: Apache-2.0
"""Which engine settings work on this machine, remembered in a small JSON file.

The fast settings crash on some machines (a processor that advertises AMX but does not allow
it). When a crash taught us that, the conservative ones are used from then on, until the
processor or the version of the library changes.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from molmo_desktop.core.files import write_atomically
from molmo_desktop.engine.hardware import processor_name

logger = logging.getLogger(__name__)

_FILE_VERSION = 1


@dataclass(frozen=True)
class EngineSettings:
    """How llama.cpp is asked to work.

    Attributes:
        use_extra_bufts: Weights may be repacked for special instructions such as AMX.
        offload: Layers and operations may go to an accelerator.
    """

    use_extra_bufts: bool = True
    offload: bool = True

    @property
    def is_safe(self) -> bool:
        """Whether these are the conservative settings."""
        return self == SAFE


FAST = EngineSettings()
SAFE = EngineSettings(use_extra_bufts=False, offload=False)


@dataclass(frozen=True)
class SafeSettingsNote:
    """Why the conservative settings are in force here.

    Attributes:
        since: The day, as in 2026-11-23.
        reason: How the engine ended with the fast settings: the name of a signal, or a code.
        machine: The processor and the library's version, which this holds for.
    """

    since: str
    reason: str
    machine: str


def machine_key() -> str:
    """Return what a crash depends on: the processor and the library's version."""
    try:
        library = version("llama-cpp-python")
    except PackageNotFoundError:
        library = "unknown"
    return f"{processor_name()} | llama-cpp-python {library}"


class SafeSettingsFile:
    """The remembered settings of one user; an unreadable file counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def needs_safe(self) -> bool:
        """Whether this machine is known to need the conservative settings."""
        return machine_key() in self._read()

    def note(self) -> SafeSettingsNote | None:
        """Return why this machine needs the conservative settings, None if it does not."""
        key = machine_key()
        entry = self._read().get(key)
        if entry is None:
            return None
        known = entry if isinstance(entry, dict) else {}
        return SafeSettingsNote(
            str(known.get("since", "unknown")), str(known.get("reason", "unknown")), key
        )

    def forget(self) -> None:
        """Let the fast settings be tried on this machine again.

        Raises:
            OSError: The file cannot be written.
        """
        machines = self._read()
        if machines.pop(machine_key(), None) is not None:
            self._write(machines)

    def remember(self, reason: str) -> None:
        """Note that this machine needs the conservative settings, and why."""
        machines = self._read()
        day = datetime.now(UTC).date().isoformat()
        machines[machine_key()] = {"settings": "safe", "since": day, "reason": reason}
        try:
            self._write(machines)
        except OSError as error:
            logger.info("Safe settings could not be remembered: %s", error)

    def _write(self, machines: dict[str, Any]) -> None:
        text = json.dumps({"version": _FILE_VERSION, "machines": machines}, indent=2)
        write_atomically(self._path, text + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        machines = data.get("machines") if isinstance(data, dict) else None
        return machines if isinstance(machines, dict) else {}
