# SPDX-License-Identifier: Apache-2.0
"""What this machine offers the engine: its processor's name and the threads that pay off."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

_CGROUP_LIMIT = Path("/sys/fs/cgroup/cpu.max")
_CPU_INFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """Return the processor's name as the system gives it, for remembering what works on it."""
    try:
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def best_thread_count() -> int:
    """Return the physical cores that this process may use, at least 1.

    A second thread on the same core gains nothing: the matrix code fills the core's units
    already, and both then wait for each other after every operation.
    """
    limits = [psutil.cpu_count(logical=False) or os.cpu_count() or 1, logical_core_count()]
    quota = _cpu_quota()
    if quota is not None:
        limits.append(quota)
    return max(1, min(limits))


def logical_core_count() -> int:
    """Return the logical processors that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_quota() -> int | None:
    """Return the processors that a container may use, None without a limit."""
    try:
        quota, period = _CGROUP_LIMIT.read_text(encoding="ascii").split()
        return max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return None
