# SPDX-License-Identifier: Apache-2.0
"""Molmo Desktop: ask questions about your own pictures and documents, on your own machine."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """Return ``__version__``; looking it up takes longer than a window may take to open."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("molmo-desktop")
    except PackageNotFoundError:  # running from a checkout that was never installed
        return "0.0.0+unknown"
