# SPDX-License-Identifier: Apache-2.0
"""The live panel's figures, read once a second in a thread of their own."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant


_SLOWER = 3
_logger = logging.getLogger(__name__)


class MeterService(QObject):
    """Reads memory and power while somebody looks at them.

    Attributes:
        reading_taken: Carries a `LiveReading`, or None when nothing could be read.
    """

    reading_taken = Signal(object)

    def __init__(
        self, assistant: Assistant, interval_ms: int, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._assistant = assistant
        self._interval_s = max(0.2, interval_ms / 1000)
        self._is_slow = False
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meters", daemon=True)
        self._thread.start()

    def set_wanted(self, wanted: bool) -> None:
        """Start or pause; a paused service costs nothing."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def set_slow(self, slow: bool) -> None:
        """Look less often, for figures in a single line; saves half of what the panel costs."""
        self._is_slow = slow

    def close(self) -> None:
        """End the thread and wait for it."""
        self._closing.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        is_told = False
        while self._wanted.wait() and not self._closing.is_set():
            try:
                reading = self._assistant.live_reading()
            except Exception:
                # The border of a thread: one look that failed must not end the next ones.
                if not is_told:
                    _logger.exception("The live figures could not be read")
                is_told = True
                reading = None
            if not self._closing.is_set():
                self.reading_taken.emit(reading)
            self._closing.wait(self._interval_s * (_SLOWER if self._is_slow else 1))
