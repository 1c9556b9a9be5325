# SPDX-License-Identifier: Apache-2.0
"""Whether this processor has the instructions that the bundled engine was compiled with.

The bundle's engine uses AVX2, FMA and F16C, which laptops have had since about 2013 to 2015. On
an older processor it would end with an illegal instruction, so it is better to say it first.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import sys
from pathlib import Path

NEEDED_INSTRUCTIONS = ("avx2", "fma", "f16c")

_CPU_INFO = Path("/proc/cpuinfo")
_X86_NAMES = ("x86_64", "amd64")
_WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE in winnt.h
_MACOS_KEYS = {"avx2": "hw.optional.avx2_0", "fma": "hw.optional.fma", "f16c": "hw.optional.f16c"}


def missing_instructions() -> list[str] | None:
    """Return which of the needed instructions this processor lacks.

    Returns:
        Their names, empty when it has all or is no x86 processor; None when it cannot be told.
    """
    if platform.machine().lower() not in _X86_NAMES:
        return []
    present = _present_instructions()
    if present is None:
        return None
    return [name for name in NEEDED_INSTRUCTIONS if name not in present]


def instructions_in(cpu_info: str) -> set[str] | None:
    """Return the features that the text of Linux's ``/proc/cpuinfo`` lists, None without any."""
    for line in cpu_info.splitlines():
        if line.startswith("flags"):
            return set(line.partition(":")[2].split())
    return None


def _present_instructions() -> set[str] | None:
    system: str = sys.platform
    try:
        if system == "linux":
            return instructions_in(_CPU_INFO.read_text(encoding="utf-8", errors="replace"))
        if system == "win32":
            return _on_windows()
        if system == "darwin":
            return _on_macos()
    except (OSError, AttributeError):
        return None
    return None


def _on_windows() -> set[str]:
    """Ask Windows, which knows of AVX2 only; every processor with it has the other two."""
    kernel32 = ctypes.CDLL("kernel32")
    has_avx2 = bool(kernel32.IsProcessorFeaturePresent(_WINDOWS_AVX2))
    return set(NEEDED_INSTRUCTIONS) if has_avx2 else set()


def _on_macos() -> set[str]:
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    present = set()
    for name, key in _MACOS_KEYS.items():
        value = ctypes.c_int(0)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        failed = library.sysctlbyname(
            key.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)
        )
        if not failed and value.value:
            present.add(name)
    return present
