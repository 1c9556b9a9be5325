# SPDX-License-Identifier: Apache-2.0
"""Sizes in words, alike everywhere: in the window, in the terminal and in errors."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def bytes_in_words(count: int | None, unknown: str = "not available") -> str:
    """Return a size with its unit, in thousands: "98 MB", "1.9 GB"."""
    if count is None:
        return unknown
    value, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    digits = 1 if value < 10 and unit not in ("B", "kB") else 0
    return f"{value:.{digits}f} {unit}"
