# SPDX-License-Identifier: Apache-2.0
"""Whether there is a screen to open a window on; Qt would end the program with its own words."""

from __future__ import annotations

import ctypes
import os
import sys

from molmo_desktop.core.errors import UsageError


def check_screen() -> None:
    """Raise when no window can be opened.

    Raises:
        UsageError: There is no screen, or it does not let this program in.
    """
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return
    if os.environ.get("WAYLAND_DISPLAY") or _can_open_x11():
        return
    raise UsageError(
        "There is no screen to open the window on.",
        hint='Start it from a desktop; "molmo-desktop ask QUESTION FILE" answers without a window.',
    )


def _can_open_x11() -> bool:
    if not os.environ.get("DISPLAY"):
        return False
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:  # Qt will name the library that is missing
        return True
    x11.XOpenDisplay.restype = ctypes.c_void_p
    display = x11.XOpenDisplay(None)
    if not display:
        return False
    x11.XCloseDisplay(ctypes.c_void_p(display))
    return True
