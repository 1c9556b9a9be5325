# SPDX-License-Identifier: Apache-2.0
"""Collects Python's garbage in the window's own thread, in small portions.

Left to itself Python collects in whatever thread happens to allocate: a widget could be destroyed
in a thread that is not the window's, and a look at everything (half a million word boxes of a
long document) would stop all threads for a tenth of a second. Most garbage is gone without
collecting anyway; what is left are cycles.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_LOOK_EVERY_MS = 200
_LOOK_SELDOM_MS = 3200  # where nothing new arises: a window that nobody uses must cost nothing
_YOUNG = 2000  # new objects that are worth a look
_FLOOD = 40_000
_WHOLE_EVERY_S = 120.0


class GarbageCollector(QObject):
    """Takes over from Python's own schedule until it is closed.

    Args:
        is_idle: Whether nobody would notice a pause of a tenth of a second.
    """

    def __init__(self, is_idle: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_idle = is_idle
        self._last_whole_s = time.monotonic()
        self._was_enabled = gc.isenabled()
        gc.disable()
        # Modules and the window itself stay until the end; they need not be looked at.
        gc.freeze()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def close(self) -> None:
        """Give the schedule back to Python."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def _collect(self) -> None:
        wait_ms = min(2 * self._timer.interval(), _LOOK_SELDOM_MS)
        young = gc.get_count()[0]
        if young > _FLOOD:
            # The words of a document, and no garbage: looking at them would take too long.
            gc.freeze()
        elif young > _YOUNG:
            gc.collect(0)
            wait_ms = _LOOK_EVERY_MS
        self._timer.setInterval(wait_ms)
        now_s = time.monotonic()
        if now_s - self._last_whole_s > _WHOLE_EVERY_S and self._is_idle():
            gc.unfreeze()  # among the words that were set aside may be garbage by now
            gc.collect()
            gc.freeze()
            self._last_whole_s = now_s
