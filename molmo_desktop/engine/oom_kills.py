# SPDX-License-Identifier: Apache-2.0
"""Whether the system ended a process for want of memory.

Linux sends SIGKILL then, like anybody else, but counts how often it did: for the machine and
all containers in it together. Other systems do not tell.
"""

from __future__ import annotations

from pathlib import Path

# In words that `load_errors.tells_of_lack_of_memory` knows.
SENTENCE = "The system ended the process because of insufficient memory."
_COUNTS = Path("/proc/vmstat")


def oom_kill_count() -> int | None:
    """Return how many processes were ended for want of memory so far; None when unknown."""
    try:
        lines = _COUNTS.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return None
    for line in lines:
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.isdecimal():
            return int(value)
    return None
