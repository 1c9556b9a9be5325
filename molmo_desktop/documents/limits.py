# SPDX-License-Identifier: Apache-2.0
"""What the reader's process may use, set by that process itself before it opens a file.

Linux enforces a memory limit for us (``RLIMIT_AS``: an allocation beyond it fails, and Python
raises MemoryError). macOS accepts that limit without enforcing it and Windows has none; there
`limit_memory` returns False and the parent watches the process instead (see `child`).
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from multiprocessing import parent_process

import psutil


def limit_memory(limit_bytes: int) -> bool:
    """Return True when the system now refuses this process more than ``limit_bytes``."""
    if not sys.platform.startswith("linux"):
        return False
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, limit_bytes))
    except (ValueError, OSError):
        return False
    return True


def limit_cpu(further_s: float) -> None:
    """End this process once it has used ``further_s`` more seconds of processor time.

    A net below the parent's own clock: it also holds when the parent is gone and native code
    never comes back. Nothing happens on Windows.
    """
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + further_s) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def write_no_core_file() -> None:
    """Keep a crash from leaving the document's content in a core file on the disk."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def collect_rarely() -> None:
    """Keep the garbage collector from walking over and over the many small objects of a page.

    Readers make few cycles; a tenth of the time of a long PDF went into looking for them.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def silence() -> None:
    """Send everything that libraries print to nowhere, also what native code prints.

    libtiff alone prints hundreds of lines about one damaged file.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        try:
            os.dup2(nowhere, descriptor)
        except OSError:  # a program without a console has no such descriptor
            continue
    os.close(nowhere)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def ignore_interrupts() -> None:
    """Leave Ctrl+C in a terminal to the parent, which ends this process in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def die_with_parent() -> None:
    """End this process when its parent is gone, however that ended."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        kill_children(psutil.Process())
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def kill_children(process: psutil.Process) -> None:
    """End the programs that a process has started, as the one for text recognition."""
    try:
        children = process.children(recursive=True)
    except psutil.Error:
        return
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.kill()
