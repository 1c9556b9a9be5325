# SPDX-License-Identifier: Apache-2.0
"""Which process writes an answer, so that a second window does not take it for abandoned."""

from __future__ import annotations

import os

# Linux counts start times from when the machine was started, and that moves with the clock.
_CLOCK_TOLERANCE_S = 2.0


def this_writer() -> str:
    """Name this process; its start time tells it from a later one with the same number."""
    import psutil  # here: a window opens before it is needed

    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(writer: str) -> bool:
    """Whether the process that was named is still there."""
    import psutil

    number, _, started = writer.partition(":")
    try:
        difference_s = psutil.Process(int(number)).create_time() - float(started)
        return abs(difference_s) <= _CLOCK_TOLERANCE_S
    except (ValueError, psutil.Error):
        return False
