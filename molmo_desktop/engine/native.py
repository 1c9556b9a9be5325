# SPDX-License-Identifier: Apache-2.0
"""llama.cpp itself: made ready once per process, its log caught.

Import this before any other module that imports `llama_cpp`. Nothing here may be imported in
the window's process: the library's crashes would be the window's.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections import deque
from importlib.metadata import version
from pathlib import Path
from typing import Any

# After a failed check llama.cpp starts a debugger to print a backtrace, which takes seconds.
os.environ["GGML_NO_BACKTRACE"] = "1"

import llama_cpp
from llama_cpp import llama_cpp as lib
from llama_cpp import mtmd_cpp

LIBRARY_VERSION = version("llama-cpp-python")
_KEPT_LINES = 400
_LEVEL_DEBUG = 1  # ggml.h, ggml_log_level
_LEVEL_CONTINUED = 5


class NativeLog:
    """The last lines that llama.cpp wrote; they explain a failure.

    Lines also go to standard error, which the worker has turned into a file: after a crash
    that file is all that is left.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._count = 0
        self._open = ""
        self._muted = False
        self._callback = lib.llama_log_callback(self._take)

    def install(self) -> None:
        """Make llama.cpp, ggml and mtmd log here."""
        lib.llama_log_set(self._callback, ctypes.c_void_p(0))
        mtmd_cpp.mtmd_helper_log_set(self._callback, ctypes.c_void_p(0))

    def mark(self) -> int:
        """Return a place in the log, for `since`."""
        return self._count

    def since(self, mark: int) -> list[str]:
        """Return the lines written after a mark, as far as they are kept."""
        wanted = min(self._count - mark, len(self._lines))
        return list(self._lines)[len(self._lines) - wanted :]

    def tail(self, count: int = 12) -> str:
        """Return the last lines as one text."""
        return "\n".join(list(self._lines)[-count:])

    def _take(self, level: int, text: bytes, _user_data: Any) -> None:
        if level == _LEVEL_DEBUG:
            self._muted = True
            return
        if level != _LEVEL_CONTINUED:
            self._muted = False
        if self._muted:
            return
        *lines, self._open = (self._open + text.decode("utf-8", "replace")).split("\n")
        for line in lines:
            if line.strip(" ."):
                self._lines.append(line)
                self._count += 1
                sys.stderr.write(line + "\n")
        if lines:
            sys.stderr.flush()


def start_library() -> NativeLog:
    """Prepare llama.cpp in this process and return its log."""
    log = NativeLog()
    log.install()
    _load_backends()
    lib.llama_backend_init()
    return log


def _load_backends() -> None:
    """Load ggml's processor variants where the build keeps them in files of their own.

    The symbols are looked up through libllama, because only the copy of ggml that libllama is
    linked to counts; the binding's own handle may be a second copy with an empty registry.
    """
    native = lib._lib
    try:
        if native.ggml_backend_dev_count() == 0:
            folder = Path(llama_cpp.__file__).parent / "lib"
            native.ggml_backend_load_all_from_path(str(folder).encode())
    except AttributeError:
        # Windows looks only into the library itself; its builds have the processor built in.
        return
