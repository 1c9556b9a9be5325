# SPDX-License-Identifier: Apache-2.0
"""How much memory a model may take now: what the machine, its container and its limits leave.

A program in a container or under ``ulimit -v`` sees all of the machine's memory as free and is
killed, or refused memory, long before it has taken that much.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

LimitedBy = Literal["machine", "container", "process limit"]

# Addresses that the engine's process reserves beyond what it fills: libraries, stacks and
# heaps of its threads. Measured with SmolLM2-135M: 265 MB (Linux, 2 threads, 2026-11).
_RESERVED_ADDRESS_BYTES = 270_000_000
_ROOT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
# Control groups name "no limit" by a number near the top of 64 bits.
_NO_LIMIT = 1 << 62


@dataclass(frozen=True)
class FreeMemory:
    """Bytes that a new process can fill, and what sets the bound."""

    free_bytes: int
    limited_by: LimitedBy = "machine"


def free_memory(*, reclaimed_bytes: int = 0) -> FreeMemory:
    """Return the memory that is free now, the smallest of all bounds.

    Args:
        reclaimed_bytes: What an engine holds that ends before the new model is loaded.
    """
    found = [FreeMemory(int(psutil.virtual_memory().available) + reclaimed_bytes)]
    container_bytes = container_free_bytes()
    if container_bytes is not None:
        found.append(FreeMemory(container_bytes + reclaimed_bytes, "container"))
    # The limit of addresses holds for each process by itself: nothing is given back to it.
    limit_bytes = _address_limit_bytes()
    if limit_bytes is not None:
        free_bytes = max(0, limit_bytes - _RESERVED_ADDRESS_BYTES)
        found.append(FreeMemory(free_bytes, "process limit"))
    return min(found, key=lambda memory: memory.free_bytes)


def total_memory_bytes() -> int:
    """Return what a program could have if it were alone: the smallest of all limits."""
    bounds = [int(psutil.virtual_memory().total)]
    bounds += [limit for limit, _, _ in _container_limits(_ROOT, _MEMBERSHIP)]
    address_limit_bytes = _address_limit_bytes()
    if address_limit_bytes is not None:
        bounds.append(address_limit_bytes)
    return min(bounds)


def held_bytes(pid: int | None) -> int:
    """Return what comes back when a process ends, 0 when it is gone.

    Pages mapped from files are left out: they count as free already.
    """
    if pid is None:
        return 0
    try:
        info = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return max(0, int(info.rss) - int(getattr(info, "shared", 0)))


def container_free_bytes(root: Path | None = None, membership: Path | None = None) -> int | None:
    """Return what the control groups of Linux leave; None without a limit.

    Args:
        root: Where control groups are mounted; tests give a recorded tree.
        membership: Names the groups of this process.
    """
    limits = _container_limits(root or _ROOT, membership or _MEMBERSHIP)
    return min((max(0, limit - used + files) for limit, used, files in limits), default=None)


def _container_limits(root: Path, membership: Path) -> Iterator[tuple[int, int, int]]:
    """Yield limit, use, and file pages within the use, of each group that bounds this process."""
    if sys.platform != "linux":
        return
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if not controllers:
            yield from _limits_of(root, path, "memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
            yield from _limits_of(root / "memory", path, *files)


def _limits_of(
    mount: Path, path: str, limit_file: str, usage_file: str, prefix: str
) -> Iterator[tuple[int, int, int]]:
    """Yield the limits of each group on the way up to the mount; a group is bound by all."""
    folder = mount / path.lstrip("/")
    # In a container the path is that of the host, and what is mounted is the group itself.
    for group in (folder, *folder.parents) if folder.is_dir() else (mount,):
        if not group.is_relative_to(mount):
            return
        limit, usage = _number(group / limit_file), _number(group / usage_file)
        if limit is not None and usage is not None and limit < _NO_LIMIT:
            yield limit, usage, _file_pages_bytes(group / "memory.stat", prefix)


def _file_pages_bytes(path: Path, prefix: str) -> int:
    """Return the pages of files that a group gives up when it needs memory."""
    wanted = {f"{prefix}inactive_file", f"{prefix}active_file"}
    try:
        rows = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return 0
    return sum(int(row[1]) for row in rows if len(row) == 2 and row[0] in wanted)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" is no number: there is no limit
        return None


def _address_limit_bytes() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY or limit < 0 else int(limit)
