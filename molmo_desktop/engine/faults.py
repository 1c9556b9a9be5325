# SPDX-License-Identifier: Apache-2.0
"""Native crashes on request, for tests of survival.

Some machines kill the engine by themselves: a processor that advertises AMX but does not allow
it ends the first evaluation with SIGSEGV or SIGILL. Tests must show on every machine that such
a death is survived, so the engine can be told to die at a stage::

    MOLMO_DESKTOP_ENGINE_FAULT=prefill:SIGSEGV          each time
    MOLMO_DESKTOP_ENGINE_FAULT=load:SIGILL:unsafe       only without safe settings
    MOLMO_DESKTOP_ENGINE_FAULT=encode:HANG              never come back from a native call
    MOLMO_DESKTOP_ENGINE_FAULT=prefill:OOM              go on without any memory left (Linux)

Nothing happens where the variable is not set.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Literal

FAULT_VARIABLE = "MOLMO_DESKTOP_ENGINE_FAULT"
Stage = Literal["load", "encode", "prefill", "decode"]
_HANG_S = 3600.0
_HOARD_BYTES = (1 << 24, 1 << 20, 1 << 16)  # what is too small for the first takes the next
_hoard: list[bytearray] = []


def reach(stage: Stage, *, safe: bool) -> None:
    """Die here if the environment asks for it.

    Args:
        stage: What the engine is about to do.
        safe: Whether safe settings are in force.
    """
    wanted = os.environ.get(FAULT_VARIABLE, "").split(":")
    if wanted[0] != stage or (wanted[2:] == ["unsafe"] and safe):
        return
    if wanted[1] == "HANG":
        time.sleep(_HANG_S)
    if wanted[1] == "OOM":
        _take_all_memory()
        return
    signal.raise_signal(getattr(signal, wanted[1]))


def _take_all_memory() -> None:
    """Forbid this process to grow and fill what it has, so that what comes next finds nothing."""
    if sys.platform != "linux":
        raise MemoryError
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for size in _HOARD_BYTES:
        with contextlib.suppress(MemoryError):
            while True:
                _hoard.append(bytearray(size))
    del _hoard[-3::2]  # two gaps, so that there is room for a line of the log
