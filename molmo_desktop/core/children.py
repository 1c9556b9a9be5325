# SPDX-License-Identifier: Apache-2.0
"""Starting processes of our own."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def shielded_from_ctrl_c() -> Iterator[None]:
    """Start a process in here, and Ctrl+C in the terminal does not reach it, from its birth on.

    The terminal sends it to the whole group; what is to be done about it, the program decides.
    A new process inherits which signals its starting thread has blocked.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Starting Python's own helper process lifts the block again, so that must have happened.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
