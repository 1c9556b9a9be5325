# SPDX-License-Identifier: Apache-2.0
"""Memory of the engine, of this process and of the machine."""

from __future__ import annotations

from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class ProcessMemory:
    """Memory of one process.

    Attributes:
        rss_bytes: Resident.
        mapped_bytes: Of that, mapped from files or shared; None where the system does not say.
    """

    rss_bytes: int
    mapped_bytes: int | None


def process_memory(pid: int | None = None) -> ProcessMemory | None:
    """Return what a process holds, None when it is gone; no ``pid`` = this process."""
    try:
        info = psutil.Process(pid).memory_info()
    except psutil.Error:
        return None
    if not info.rss:
        # A process that ended but was not waited for yet.
        return None
    shared = getattr(info, "shared", None)
    return ProcessMemory(int(info.rss), int(shared) if shared is not None else None)


def system_memory() -> tuple[int, int]:
    """Return total and available bytes of the machine."""
    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)
