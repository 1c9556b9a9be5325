# SPDX-License-Identifier: Apache-2.0
"""What the end of a process tells: a crash of its own, or something done to it from outside."""

from __future__ import annotations

import contextlib
import signal

# Not SIGKILL, SIGTERM, SIGINT or SIGHUP: those come from the system or the user.
_CRASH_SIGNALS = (
    "SIGSEGV",
    "SIGBUS",
    "SIGILL",
    "SIGABRT",
    "SIGFPE",
    "SIGTRAP",
    "SIGSYS",
    "SIGXCPU",
)
# Windows: access violation, illegal and privileged instruction, division by zero, exhausted
# stack, damaged heap, overrun stack buffer, abort().
_CRASH_CODES = (
    0xC0000005,
    0xC000001D,
    0xC0000096,
    0xC0000094,
    0xC00000FD,
    0xC0000374,
    0xC0000409,
    3,
)


def signal_name(exit_code: int | None) -> str:
    """Return the name of the signal that ended a process; empty where it was none."""
    if exit_code is None or exit_code >= 0:
        return ""
    with contextlib.suppress(ValueError):
        return signal.Signals(-exit_code).name
    return f"signal {-exit_code}"


def is_crash(exit_code: int | None) -> bool:
    """Whether what the process worked on may have ended it.

    Args:
        exit_code: As `multiprocessing.Process.exitcode`: minus the signal where it was one.
    """
    return signal_name(exit_code) in _CRASH_SIGNALS or (
        exit_code is not None and exit_code & 0xFFFFFFFF in _CRASH_CODES
    )
