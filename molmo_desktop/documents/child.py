# SPDX-License-Identifier: Apache-2.0
"""Our end of one reader process: start it, ask it one thing at a time, end it.

Everything that can go wrong with a process ends in one of `ChildGoneError` (it ended by
itself, or could not be started), `ChildSilentError` (no sign of life within the limit),
`ChildGreedyError` (more memory than allowed, on systems that do not enforce the limit) and
`MalformedMessageError` (it said what no healthy reader says).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any

import psutil

from molmo_desktop.core.children import shielded_from_ctrl_c
from molmo_desktop.core.wire import receive_message, send_message
from molmo_desktop.documents.limits import kill_children
from molmo_desktop.documents.messages import LIMITS
from molmo_desktop.documents.worker import run

Message = tuple[dict[str, Any], list[bytes]]
_START_S = 60.0
_END_S = 5.0
_WATCH_S = 0.1
_GUARD_S = 0.5
_LAST_KINDS = ("done", "image", "error")


class ChildGoneError(Exception):
    """The process ended by itself, or could not be started.

    Attributes:
        has_begun: It had taken the request; False = it was gone before, or never there.
        exit_code: As `multiprocessing.Process.exitcode`.
    """

    def __init__(self, has_begun: bool, exit_code: int | None) -> None:
        super().__init__(f"exit code {exit_code}")
        self.has_begun = has_begun
        self.exit_code = exit_code


class ChildSilentError(Exception):
    """No progress within the time limit, or no end before the hard stop."""


class ChildGreedyError(Exception):
    """The process went beyond its memory limit."""


class Child:
    """One reader process.

    Args:
        memory_limit_bytes: What it may use.
        hard_stop_s: Longest time for one request, progress or not.
        idle_s: It ends by itself after this time without a request.

    Raises:
        ChildGoneError: It cannot be started.
    """

    def __init__(self, *, memory_limit_bytes: int, hard_stop_s: float, idle_s: float) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._hard_stop_s = hard_stop_s
        self._is_memory_limited: bool | None = None
        self._lock = threading.Lock()
        self._is_ended = False
        self._receive_until: float | None = None
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=run,
            args=(theirs, memory_limit_bytes, hard_stop_s, idle_s),
            name="molmo-desktop-reader",
            daemon=True,
        )
        try:
            with shielded_from_ctrl_c():
                self._process.start()
            # Knows when the process began, so that another one with its number is never meant.
            self._known_process = psutil.Process(self._process.pid)
        except (OSError, psutil.Error) as error:
            self._connection.close()
            if self._process.pid is not None:
                self._process.kill()
                self._process.join(_END_S)
            raise ChildGoneError(False, None) from error
        finally:
            theirs.close()

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._is_ended and self._process.is_alive()

    def ask(
        self,
        request: dict[str, Any],
        *,
        timeout_s: float,
        on_message: Callable[[dict[str, Any], list[bytes]], None],
    ) -> Message:
        """Send a request and return its last reply (done, image or error).

        Args:
            request: As in `worker`.
            timeout_s: Longest time without any reply.
            on_message: Called with each earlier reply, in this thread.

        Raises:
            ChildGoneError: It ended.
            ChildSilentError: It took too long.
            ChildGreedyError: It used too much memory.
            MalformedMessageError: It sent what no healthy reader sends.
        """
        done = threading.Event()
        guard = threading.Thread(target=self._guard, args=(done,), name="reader-guard", daemon=True)
        guard.start()
        try:
            return self._converse(request, timeout_s, on_message)
        finally:
            done.set()
            guard.join()

    def kill(self) -> None:
        """End the process at once, and what it started; may be called from any thread."""
        kill_children(self._known_process)
        self._process.kill()

    def end(self) -> None:
        """End the process and give back what it held; does nothing the second time."""
        with self._lock:
            if self._is_ended:
                return
            self._is_ended = True
        self._connection.close()
        self.kill()
        self._process.join(_END_S)
        if self._process.exitcode is not None:
            self._process.close()

    def _converse(
        self,
        request: dict[str, Any],
        timeout_s: float,
        on_message: Callable[[dict[str, Any], list[bytes]], None],
    ) -> Message:
        if self._is_memory_limited is None:
            ready, _ = self._receive(time.monotonic() + max(timeout_s, _START_S), False)
            self._is_memory_limited = bool(ready.get("is_memory_limited"))
        try:
            send_message(self._connection, request)
        except OSError as error:
            raise ChildGoneError(False, self._exit_code()) from error
        stop_at = time.monotonic() + self._hard_stop_s
        has_begun = False
        while True:
            limit = min(time.monotonic() + timeout_s, stop_at)
            head, blobs = self._receive(limit, has_begun)
            kind = head.get("kind")
            if kind in _LAST_KINDS:
                return head, blobs
            if kind == "begun":
                has_begun = True
            else:
                on_message(head, blobs)

    def _guard(self, done: threading.Event) -> None:
        """End the process when it sent half a message and is late with the rest."""
        while not done.wait(_GUARD_S):
            limit = self._receive_until
            if limit is not None and time.monotonic() >= limit:
                self.kill()
                return

    def _receive(self, limit: float, has_begun: bool) -> Message:
        """Return the next message, or raise what became of the process."""
        self._await(limit)
        # What can be received may be half a message, whose other half never comes.
        self._receive_until = limit
        try:
            return receive_message(self._connection, LIMITS)
        except (EOFError, OSError) as error:
            if time.monotonic() >= limit:
                raise ChildSilentError from error
            raise ChildGoneError(has_begun, self._exit_code()) from error
        finally:
            self._receive_until = None

    def _await(self, limit: float) -> None:
        """Wait until something can be received, or the pipe is closed."""
        while True:
            rest_s = limit - time.monotonic()
            if rest_s <= 0:
                raise ChildSilentError
            step_s = rest_s if self._is_memory_limited else min(rest_s, _WATCH_S)
            if wait([self._connection], step_s):
                return
            if self._is_memory_limited is False:
                self._check_memory()

    def _check_memory(self) -> None:
        try:
            rss_bytes = self._known_process.memory_info().rss
        except psutil.Error:
            return
        if rss_bytes > self._memory_limit_bytes:
            raise ChildGreedyError

    def _exit_code(self) -> int | None:
        self._process.join(_END_S)
        return self._process.exitcode
