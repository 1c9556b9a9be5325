# SPDX-License-Identifier: Apache-2.0
"""How long a program takes from its start to its first painted window, seen from outside.

The X server is asked, so that nothing in the program has to be changed: it tells when a window
is mapped, and then one pixel of it is looked at until it is not black any more.
"""

from __future__ import annotations

import ctypes
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_uint, c_ulong, c_void_p

_SUBSTRUCTURE_NOTIFY = 1 << 19
_MAP_NOTIFY = 19
_Z_PIXMAP = 2
_LEAST_PX = 200  # helper windows of a toolkit are smaller
_LOOK_EVERY_S = 0.001


class _MapEvent(ctypes.Structure):
    _fields_ = (
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("event", c_ulong),
        ("window", c_ulong),
        ("override_redirect", c_int),
    )


class _Event(ctypes.Union):
    _fields_ = (("type", c_int), ("map", _MapEvent), ("pad", c_long * 24))


class Screen:
    """A connection to the X server.

    Raises:
        SystemExit: There is none.
    """

    def __init__(self) -> None:
        self._x11 = _library()
        self._display = self._x11.XOpenDisplay(None)
        if not self._display:
            raise SystemExit(
                'Run it under a screen of its own: xvfb-run -s "-screen 0 1600x1000x24"'
            )
        self._root = self._x11.XDefaultRootWindow(self._display)
        self._x11.XSelectInput(self._display, self._root, _SUBSTRUCTURE_NOTIFY)
        self._x11.XSync(self._display, 0)

    def seconds_to_first_paint(self, command: Sequence[str], timeout_s: float = 60.0) -> float:
        """Start a program, wait until its window is painted, end it; return the wait."""
        self._forget_events()
        started_s = time.perf_counter()
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                deadline_s = started_s + timeout_s
                window = self._wait_for_window(deadline_s)
                self._wait_for_paint(window, deadline_s)
                painted_s = time.perf_counter()
                time.sleep(0.3)  # a program that is killed in its first breath may leave a mess
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
        return painted_s - started_s

    def _forget_events(self) -> None:
        event = _Event()
        while self._x11.XPending(self._display):
            self._x11.XNextEvent(self._display, byref(event))

    def _wait_for_window(self, deadline_s: float) -> int:
        event = _Event()
        descriptor = self._x11.XConnectionNumber(self._display)
        while True:
            while self._x11.XPending(self._display):
                self._x11.XNextEvent(self._display, byref(event))
                if event.type == _MAP_NOTIFY and self._width(event.map.window) >= _LEAST_PX:
                    return int(event.map.window)
            if time.perf_counter() > deadline_s:
                raise SystemExit("The program showed no window.")
            select.select([descriptor], [], [], 1.0)

    def _wait_for_paint(self, window: int, deadline_s: float) -> None:
        while self._pixel(window) == 0:
            if time.perf_counter() > deadline_s:
                raise SystemExit("The window stayed black.")
            time.sleep(_LOOK_EVERY_S)

    def _width(self, window: int) -> int:
        root, x, y = c_ulong(), c_int(), c_int()
        width, height, border, depth = c_uint(), c_uint(), c_uint(), c_uint()
        self._x11.XGetGeometry(
            self._display,
            window,
            *(byref(item) for item in (root, x, y, width, height, border, depth)),
        )
        return width.value

    def _pixel(self, window: int) -> int:
        image = self._x11.XGetImage(self._display, window, 60, 60, 1, 1, 0xFFFFFF, _Z_PIXMAP)
        if not image:
            return 0
        pixel = int(self._x11.XGetPixel(image, 0, 0)) & 0xFFFFFF
        self._x11.XDestroyImage(image)
        return pixel


def _library() -> ctypes.CDLL:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = c_void_p
    x11.XOpenDisplay.argtypes = (c_char_p,)
    x11.XDefaultRootWindow.restype = c_ulong
    x11.XDefaultRootWindow.argtypes = (c_void_p,)
    x11.XSelectInput.argtypes = (c_void_p, c_ulong, c_long)
    x11.XSync.argtypes = (c_void_p, c_int)
    x11.XPending.argtypes = (c_void_p,)
    x11.XNextEvent.argtypes = (c_void_p, POINTER(_Event))
    x11.XConnectionNumber.argtypes = (c_void_p,)
    x11.XGetGeometry.argtypes = (c_void_p, c_ulong, *[c_void_p] * 7)
    x11.XGetImage.restype = c_void_p
    x11.XGetImage.argtypes = (c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_ulong, c_int)
    x11.XGetPixel.restype = c_ulong
    x11.XGetPixel.argtypes = (c_void_p, c_int, c_int)
    x11.XDestroyImage.argtypes = (c_void_p,)
    return x11
