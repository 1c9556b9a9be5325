# SPDX-License-Identifier: Apache-2.0
"""The engine process: owns every native object, answers commands from a pipe.

The main thread reads commands, so that a cancel is heard at any time; one inference thread runs
llama.cpp. When the pipe ends the window is gone, and this process ends at once, whatever
llama.cpp is doing.

Commands (JSON, see `wire_format.py`), each with an ``id``::

    load(request, settings) -> result   generate(request) -> events…, result
    count_tokens(messages) -> result    ping -> result
    settle -> result, once what the last answer read is on the disk
    cancel                              unload: the process ends
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from molmo_desktop.core.errors import EngineError, MolmoDesktopError, OutOfMemoryError
from molmo_desktop.core.wire import receive_message, send_message
from molmo_desktop.engine import load_errors, wire_format
from molmo_desktop.engine.events import EngineEvent, TokenEvent
from molmo_desktop.engine.safe_settings import EngineSettings

if TYPE_CHECKING:
    from molmo_desktop.engine.generation import Answering
    from molmo_desktop.engine.llama_model import LlamaModel
    from molmo_desktop.engine.native import NativeLog

_TEXT_INTERVAL_S = 0.02
_LOAD_INTERVAL_S = 1.0
# How long a thread turns in circles at a barrier before it sleeps. libgomp's own value is
# milliseconds: when another program holds a core, that is time taken from the very thread that
# is waited for. Measured with two threads: the same speed on idle cores (104 and 107 tokens/s),
# and with busy cores 15 to 26 tokens/s instead of 0.4 to 6.
_BARRIER_SPINS = "1000"
# Less than the client waits for the end of this process.
_STORE_LIMIT_S = 1.5
_PR_SET_PDEATHSIG = 1


def run_engine(connection: Connection, log_file: str, parent_pid: int) -> None:
    """Serve commands until the pipe ends; the target of the spawned process."""
    _prepare_process(log_file, parent_pid)
    Worker(connection).run()


def _prepare_process(log_file: str, parent_pid: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the client, which then cancels
    _die_with(parent_pid)
    handle = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    sys.stdout = sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - open as long as the process
    os.environ.setdefault("GOMP_SPINCOUNT", _BARRIER_SPINS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy only copies here
    faulthandler.enable(sys.stderr)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)


def _die_with(parent_pid: int) -> None:
    """Ask Linux to end this process with its parent, should the main thread ever hang.

    The signal comes when the *thread* ends that started this process: the client starts it
    from the thread that then reads the pipe until this process is gone.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)


class Worker:
    """The two threads of the engine and what they share."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._send_lock = threading.Lock()
        self._tasks: queue.SimpleQueue[tuple[dict[str, Any], list[bytes]] | None]
        self._tasks = queue.SimpleQueue()
        self._answering: Answering | None = None
        self._has_ended = threading.Event()
        self._cancels: dict[int, threading.Event] = {}
        self._model: LlamaModel | None = None
        self._log: NativeLog | None = None
        self._commands: dict[str, Callable[[dict[str, Any], list[bytes]], dict[str, Any]]] = {
            "load": self._load,
            "generate": self._generate,
            "count_tokens": self._count_tokens,
            # Commands wait for one another, and for what follows an answer.
            "settle": lambda _message, _blobs: {},
        }

    def run(self) -> None:
        """Read commands until the pipe ends; never returns."""
        threading.Thread(target=self._infer, name="inference", daemon=True).start()
        try:
            while True:
                if self._connection.poll(_LOAD_INTERVAL_S):
                    self._take(*receive_message(self._connection))
                elif not self._cancels and self._model is not None:
                    self._model.threads.look()
        except (EOFError, OSError):
            pass
        finally:
            os._exit(0)

    def _take(self, message: dict[str, Any], blobs: list[bytes]) -> None:
        command, number = message["command"], message["id"]
        if command == "unload":
            self._tasks.put(None)
            self._has_ended.wait(_STORE_LIMIT_S)
            raise EOFError
        if command == "ping":
            self._send({"kind": "result", "id": number, "result": {}})
        elif command == "cancel":
            flag = self._cancels.get(number)
            if flag is not None:
                flag.set()
        else:
            self._cancels[number] = threading.Event()
            self._tasks.put((message, blobs))

    def _infer(self) -> None:
        while (task := self._tasks.get()) is not None:
            message, blobs = task
            number = message["id"]
            try:
                result = self._commands[message["command"]](message, blobs)
                reply = {"kind": "result", "id": number, "result": result}
            except MolmoDesktopError as error:
                reply = {"kind": "error", "id": number, "error": error.to_dict()}
            except MemoryError:
                lack = OutOfMemoryError(
                    "There is not enough memory for this question.",
                    hint="Close other programs, or attach fewer pages.",
                )
                reply = {"kind": "error", "id": number, "error": lack.to_dict()}
            except Exception:
                traceback.print_exc()
                failure = EngineError(
                    "The engine met an unexpected problem.",
                    hint="Ask again; if it happens again, choose another model.",
                    detail=traceback.format_exc(),
                )
                reply = {"kind": "error", "id": number, "error": failure.to_dict()}
            del task, blobs
            self._cancels.pop(number, None)
            self._send(reply)
            self._store_last_answer()
        self._has_ended.set()

    def _store_last_answer(self) -> None:
        """Keep on the disk what was read; a failure costs the time to read it again, no more.

        The next question does not wait for that: it stores the state that it leaves itself.
        """
        answering, self._answering = self._answering, None
        try:
            if answering is not None and not self._cancels:
                answering.store()
        except Exception:
            traceback.print_exc()

    def _load(self, message: dict[str, Any], _blobs: list[bytes]) -> dict[str, Any]:
        # Importing this loads the native library, which takes a third of a second.
        try:
            from molmo_desktop.engine.llama_model import LlamaModel, Watch
            from molmo_desktop.engine.native import start_library
        except (ImportError, OSError, RuntimeError) as error:
            raise load_errors.library_error(str(error)) from error

        if self._log is None:
            self._log = start_library()
        number = message["id"]
        percent = _Steps(lambda value: self._emit_progress(number, value))
        watch = Watch(self._cancels[number].is_set, percent)
        request = wire_format.decode_load(message["request"])
        settings = EngineSettings(**message["settings"])
        self._model = LlamaModel(request, settings, self._log, watch)
        return asdict(self._model.describe())

    def _generate(self, message: dict[str, Any], blobs: list[bytes]) -> dict[str, Any]:
        from molmo_desktop.engine.generation import Answering

        number = message["id"]
        sender = _EventSender(lambda event: self._send_event(number, event))
        answering = Answering(
            self._loaded(),
            wire_format.decode_generate(message["request"], blobs),
            emit=sender.emit,
            should_stop=self._cancels[number].is_set,
        )
        generation = answering.run()
        sender.flush()
        self._answering = answering
        return asdict(generation)

    def _count_tokens(self, message: dict[str, Any], _blobs: list[bytes]) -> dict[str, Any]:
        from molmo_desktop.engine.generation import count_prompt_tokens

        messages = wire_format.decode_messages(message["messages"])
        return {"token_count": count_prompt_tokens(self._loaded(), messages)}

    def _loaded(self) -> LlamaModel:
        if self._model is None:
            raise EngineError("No model is loaded.", hint="Choose a model first.")
        return self._model

    def _emit_progress(self, number: int, percent: int) -> None:
        event = {"event": "progress", "stage": "loading", "done": percent, "total": 100}
        self._send({"kind": "event", "id": number, **event})

    def _send_event(self, number: int, event: EngineEvent) -> None:
        self._send({"kind": "event", "id": number, **wire_format.encode_event(event)})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            with self._send_lock:
                send_message(self._connection, message)
        except OSError:
            os._exit(0)  # nobody listens any more


class _Steps:
    """Passes a number on only when it changed."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._last = -1

    def __call__(self, value: int) -> None:
        if value != self._last:
            self._last = value
            self._report(value)


class _EventSender:
    """Sends events, text at most every 20 ms.

    Each message wakes the window's process, which takes time from the threads that compute.
    Slow models are not delayed: their tokens come further apart than the interval.
    """

    def __init__(self, send: Callable[[EngineEvent], None]) -> None:
        self._send = send
        self._text = ""
        self._sent_at = 0.0

    def emit(self, event: EngineEvent) -> None:
        """Take an event; text may wait for the next one."""
        if not isinstance(event, TokenEvent):
            self._send(event)
            return
        self._text += event.text
        if time.perf_counter() - self._sent_at >= _TEXT_INTERVAL_S:
            self.flush()

    def flush(self) -> None:
        """Send the text that waits."""
        if self._text:
            self._send(TokenEvent(self._text))
            self._text = ""
            self._sent_at = time.perf_counter()
