# SPDX-License-Identifier: Apache-2.0
"""How much memory this process holds: the highest during a span, and llama.cpp's own parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import psutil

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
_KV_LINE = re.compile(r"(?:KV|RS) buffer size\s*=\s*([\d.]+) MiB")
_REPACKED_LINE = re.compile(r"REPACK\w* model buffer size\s*=\s*([\d.]+) MiB")
_COMPUTE_LINE = re.compile(r"(?:compute|output) buffer size\s*=\s*([\d.]+) MiB")
_MIB = 1 << 20


class PeakMemory:
    """The highest resident size of this process since `start`.

    Linux keeps the peak itself and lets it be reset. Elsewhere it is the highest of the sizes
    seen at `look`.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._kernel_counts = False
        self._seen_bytes = 0

    def start(self) -> None:
        """Begin a new span."""
        try:
            _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
            self._kernel_counts = True
        except OSError:
            self._kernel_counts = False
        self._seen_bytes = 0
        self.look()

    def look(self) -> None:
        """Take the present size into account; costs some microseconds."""
        if not self._kernel_counts:
            self._seen_bytes = max(self._seen_bytes, int(self._process.memory_info().rss))

    def peak_bytes(self) -> int:
        """Return the highest resident size since `start`."""
        if self._kernel_counts:
            for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
        self.look()
        return self._seen_bytes


def kv_cache_bytes(log_lines: Sequence[str]) -> int:
    """Return what the context's memory takes, as llama.cpp logged it when it was made."""
    return _sum(_KV_LINE, log_lines)


def compute_bytes(log_lines: Sequence[str]) -> int | None:
    """Return the scratch and output buffers that llama.cpp logged, None if it logged none."""
    return _sum(_COMPUTE_LINE, log_lines) or None


def repacked_bytes(log_lines: Sequence[str]) -> int:
    """Return the weights that llama.cpp copied into another order; they stay mapped as well."""
    return _sum(_REPACKED_LINE, log_lines)


def _sum(pattern: re.Pattern[str], lines: Sequence[str]) -> int:
    found = (pattern.search(line) for line in lines)
    return round(sum(float(match[1]) for match in found if match) * _MIB)
