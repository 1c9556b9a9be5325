# SPDX-License-Identifier: Apache-2.0
"""The client's hold on one engine process: start, calls, events, death.

One thread per process starts it, reads its pipe and reaps it. The same thread must do all
three: Linux ends the engine when the thread that started it ends.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.children import shielded_from_ctrl_c
from molmo_desktop.core.errors import EngineCrashedError, error_from_dict
from molmo_desktop.core.exit_codes import signal_name
from molmo_desktop.core.wire import WireLimits, receive_message, send_message
from molmo_desktop.engine.events import EngineEvent, TokenEvent
from molmo_desktop.engine.oom_kills import SENTENCE, oom_kill_count
from molmo_desktop.engine.wire_format import decode_event
from molmo_desktop.engine.worker import run_engine

logger = logging.getLogger(__name__)

_CANCEL_GRACE_S = 5.0
_EXIT_GRACE_S = 2.0
# Waiting goes in steps: Ctrl+C interrupts no endless wait on Windows, and on any system its
# handler may run just before the wait begins, so that its wake-up is lost.
_WAIT_STEP_S = 0.2
# A model's file is a stranger's too: what the engine says has bounds, and it sends no blobs.
_REPLY_LIMITS = WireLimits(head_bytes=1 << 26, blob_count=0, blob_bytes=0)
_LOG_LIMIT_BYTES = 1_000_000
_LOG_TAIL_BYTES = 4000
OnEvent = Callable[[EngineEvent], None]


class EngineDied(Exception):
    """The process ended while a call was open.

    Attributes:
        exit_code: As `multiprocessing` gives it: minus the signal on Linux and macOS.
        by_us: The client ended it: closed, a cancel that was not heard in time, a call that
            took too long, or a message that made no sense.
        began: At least one event had come.
        partial_text: What had been streamed.
        detail: The last lines of its log.
    """

    def __init__(
        self, exit_code: int | None, *, by_us: bool, began: bool, partial: str, detail: str
    ) -> None:
        super().__init__(f"engine ended with {exit_code}")
        self.began = began
        self.exit_code = exit_code
        self.by_us = by_us
        self.partial_text = partial
        self.detail = detail

    @property
    def signal_name(self) -> str:
        """Name of the signal that ended the process; empty where it was none."""
        return signal_name(self.exit_code)


class _Call:
    """A command that waits for its reply."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self.on_event = on_event
        self.reply: dict[str, Any] | None = None
        self.began = False
        self.text = ""


class EngineProcess:
    """A running engine process.

    Args:
        log_folder: Where its log goes; None = a temporary file.

    Raises:
        EngineCrashedError: The process cannot be started.
    """

    def __init__(self, log_folder: Path | None = None) -> None:
        self._keeps_log = log_folder is not None
        self._log_file, self._log_start = _open_log(log_folder)
        self._changed = threading.Condition()
        self._send_lock = threading.Lock()
        self._calls: dict[int, _Call] = {}
        self._next_id = 1
        self._ended_by_us = False
        self._dead = False
        self._connection: Connection | None = None
        self._process: BaseProcess | None = None
        self._start_error: BaseException | None = None
        self._tail = ""
        self._oom_kills = oom_kill_count()
        self.exit_code: int | None = None
        self.pid: int | None = None
        self._thread = threading.Thread(target=self._live, name="engine-reader", daemon=True)
        self._thread.start()
        self._wait_until(lambda: self.pid is not None or self._dead)
        if self.pid is None:
            raise EngineCrashedError(
                "The engine could not be started.",
                hint="Restart the program.",
                detail=str(self._start_error),
            ) from self._start_error

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs, as far as is known."""
        return not self._dead

    def call(
        self,
        command: dict[str, Any],
        blobs: Sequence[bytes] = (),
        *,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
        limit_s: float | None = None,
    ) -> dict[str, Any]:
        """Send a command and wait for its result.

        Args:
            command: Without the id.
            blobs: Bytes that go with it.
            on_event: Called in the reader's thread.
            cancel: Asks the engine to stop; after a grace period the process is ended.
            limit_s: The process is ended when it takes longer; None = no limit.

        Raises:
            EngineDied: The process ended.
            MolmoDesktopError: What the engine reported.
        """
        call = _Call(on_event)
        with self._changed:
            number, self._next_id = self._next_id, self._next_id + 1
            self._calls[number] = call
        forget = cancel.on_cancel(self._wake) if cancel is not None else lambda: None
        try:
            self._send({**command, "id": number}, blobs)
            self._wait(number, call, cancel, limit_s)
        finally:
            forget()
            with self._changed:
                self._calls.pop(number, None)
        if call.reply is None:
            raise EngineDied(
                self.exit_code,
                by_us=self._ended_by_us,
                began=call.began,
                partial=call.text,
                detail=self.log_tail(),
            )
        if call.reply["kind"] == "error":
            raise error_from_dict(call.reply["error"])
        result: dict[str, Any] = call.reply["result"]
        return result

    def close(self) -> None:
        """End the process and wait until it is gone."""
        self._ended_by_us = True
        self._send({"command": "unload", "id": 0})
        self._thread.join(_EXIT_GRACE_S)
        self.kill()
        self._thread.join()

    def kill(self) -> None:
        """End the process at once; calls in flight raise `EngineDied` with ``by_us``."""
        self._ended_by_us = True
        with self._changed:
            if self._process is not None:
                self._process.kill()

    def log_tail(self) -> str:
        """Return the last lines that this process logged."""
        return self._tail

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _wait(
        self, number: int, call: _Call, cancel: CancelToken | None, limit_s: float | None
    ) -> None:
        def is_over() -> bool:
            return call.reply is not None or self._dead

        def is_over_or_cancelled() -> bool:
            return is_over() or (cancel is not None and cancel.is_cancelled)

        if self._wait_until(is_over_or_cancelled, limit_s):
            if is_over():
                return
            self._send({"command": "cancel", "id": number})
            if self._wait_until(is_over, _CANCEL_GRACE_S):
                return
        logger.info("The engine did not end its work in time and is ended.")
        self.kill()
        self._wait_until(is_over)

    def _wait_until(self, is_over: Callable[[], bool], limit_s: float | None = None) -> bool:
        """Wait, and return whether it came about within the limit."""
        give_up_at = None if limit_s is None else time.monotonic() + limit_s
        with self._changed:
            while not self._changed.wait_for(is_over, _WAIT_STEP_S):
                if give_up_at is not None and time.monotonic() > give_up_at:
                    return False
        return True

    def _send(self, message: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Send a message; a broken pipe is noticed by the reader."""
        if self._connection is None:
            return
        with contextlib.suppress(OSError, ValueError), self._send_lock:
            send_message(self._connection, message, blobs)

    def _live(self) -> None:
        """Start the process, read it until it ends, reap it."""
        try:
            connection, process = self._start()
            try:
                self._read(connection)
            except Exception:
                # Nothing that it says can be relied on any more.
                logger.exception("The engine sent what cannot be understood and is ended.")
                self.kill()
            self._reap(connection, process)
        except Exception as error:
            self._start_error = error
        finally:
            with self._changed:
                self._dead = True
                self._changed.notify_all()

    def _start(self) -> tuple[Connection, BaseProcess]:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        try:
            process = context.Process(
                target=run_engine,
                args=(theirs, str(self._log_file), os.getpid()),
                name="molmo-engine",
                daemon=True,
            )
            with shielded_from_ctrl_c():
                process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        with self._changed:
            self._connection = ours
            self._process = process
            self.pid = process.pid
            self._changed.notify_all()
        return ours, process

    def _read(self, connection: Connection) -> None:
        while True:
            try:
                message, _ = receive_message(connection, _REPLY_LIMITS)
            except (EOFError, OSError):
                return
            self._deliver(message)

    def _deliver(self, message: dict[str, Any]) -> None:
        call = self._calls.get(message.pop("id"))
        if call is None:
            return
        if message["kind"] == "event":
            del message["kind"]
            event = decode_event(message)
            call.began = True
            if isinstance(event, TokenEvent):
                call.text += event.text
            self._report(call, event)
            return
        with self._changed:
            call.reply = message
            self._changed.notify_all()

    def _report(self, call: _Call, event: EngineEvent) -> None:
        if call.on_event is None:
            return
        try:
            call.on_event(event)
        except Exception:
            logger.exception("A listener of the engine failed.")

    def _reap(self, connection: Connection, process: BaseProcess) -> None:
        process.join(_EXIT_GRACE_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        self.exit_code = process.exitcode
        # Its pipes would stay open until somebody collects the traceback of the error it caused.
        with self._changed:
            self._process = None
        process.close()
        self._tail = _read_tail(self._log_file, self._log_start)
        if self._was_killed_for_memory():
            self._tail = f"{self._tail}\n{SENTENCE}".strip()
        if not self._keeps_log:
            self._log_file.unlink(missing_ok=True)
        with self._send_lock:
            connection.close()

    def _was_killed_for_memory(self) -> bool:
        """Whether the system ended some process for want of memory while this one lived."""
        if self._ended_by_us or signal_name(self.exit_code) != "SIGKILL":
            return False
        return (oom_kill_count() or 0) > (self._oom_kills or 0)


def _open_log(folder: Path | None) -> tuple[Path, int]:
    """Return the engine's log file and where this process's part begins in it."""
    if folder is not None:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "engine.log"
            with path.open("ab") as stream:
                if stream.tell() > _LOG_LIMIT_BYTES:
                    stream.truncate(0)
            return path, path.stat().st_size
    handle, name = tempfile.mkstemp(prefix="molmo-engine-", suffix=".log")
    os.close(handle)
    return Path(name), 0


def _read_tail(path: Path, start: int) -> str:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(start, size - _LOG_TAIL_BYTES))
            return stream.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
