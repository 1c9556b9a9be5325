# SPDX-License-Identifier: Apache-2.0
"""Lets Python hear the signals of the system while Qt waits for events."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

_ENDING = (signal.SIGINT, signal.SIGTERM)


class EndingSignals(QObject):
    """Calls back when the program is asked to end, from a terminal or at logout.

    A handler of Python's only runs when Python does, which Qt's event loop may not let happen
    for long: a minimised window has nothing to do. So each signal also writes into a socket that
    Qt watches.

    Args:
        on_asked: Called in the GUI thread.
    """

    def __init__(self, on_asked: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._drain)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._handlers_before = {
            name: signal.signal(name, lambda *_: on_asked()) for name in _ENDING
        }

    def close(self) -> None:
        """Let signals do what they did before."""
        for name, handler in self._handlers_before.items():
            signal.signal(name, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _drain(self) -> None:
        """Empty the socket; running this at all is what lets Python call its handlers."""
        try:
            self._reader.recv(64)
        except BlockingIOError:
            return
