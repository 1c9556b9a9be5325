# SPDX-License-Identifier: Apache-2.0
"""How a long task is asked to stop."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable

from molmo_desktop.core.errors import Cancelled


class CancelToken:
    """A flag that any thread may set once, with callbacks for those who wait elsewhere.

    A signal's handler may set it too, in the midst of any method here. So there is no lock
    that such a handler would wait for in vain: each step on the callbacks is whole by itself.
    """

    def __init__(self) -> None:
        self._is_cancelled = False
        self._callbacks: deque[Callable[[], None]] = deque()

    def cancel(self) -> None:
        """Ask for the stop; callbacks run in this thread, once."""
        self._is_cancelled = True
        self._call_back()

    @property
    def is_cancelled(self) -> bool:
        """Whether the stop was asked for."""
        return self._is_cancelled

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the stop was asked for."""
        if self._is_cancelled:
            raise Cancelled

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back at the stop (at once if it was asked for already).

        Returns:
            A function that takes the callback away again.
        """
        self._callbacks.append(callback)
        # Looked at after it was added: a stop from elsewhere has seen it, or is seen here.
        if self._is_cancelled:
            self._call_back()
        return lambda: self._forget(callback)

    def _call_back(self) -> None:
        while True:
            try:
                callback = self._callbacks.popleft()
            except IndexError:
                return
            callback()

    def _forget(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(ValueError):
            self._callbacks.remove(callback)
