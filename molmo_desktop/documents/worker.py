# SPDX-License-Identifier: Apache-2.0
"""The main loop of the reader's process: one request after the other until the pipe closes.

Requests: ``{"operation": "read" | "render" | "full_image", "path", "page_number", "max_px"}``,
and ``{"operation": "recognise", "path", "page_numbers"}`` for text recognition.
Replies to one request, in order: ``begun``; any number of ``expect``, ``beat``, ``page`` and
``warning``; then one of ``done``, ``image`` and ``error``.
"""

from __future__ import annotations

from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.files import content_hash
from molmo_desktop.core.pages import Page
from molmo_desktop.core.wire import receive_message, send_message
from molmo_desktop.documents import limits, problems
from molmo_desktop.documents.detect import detect_format
from molmo_desktop.documents.formats import format_info
from molmo_desktop.documents.messages import pack_image, pack_page
from molmo_desktop.documents.registry import read_file, recognise_page, render_page
from molmo_desktop.documents.sink import Sink


def run(connection: Connection, memory_limit_bytes: int, hard_stop_s: float, idle_s: float) -> None:
    """Serve requests; ends when the pipe closes, or after ``idle_s`` without a request."""
    limits.silence()
    limits.ignore_interrupts()
    limits.collect_rarely()
    limits.write_no_core_file()
    limits.die_with_parent()
    is_limited = limits.limit_memory(memory_limit_bytes)
    try:
        send_message(connection, {"kind": "ready", "is_memory_limited": is_limited})
        while connection.poll(idle_s):
            request, _ = receive_message(connection)
            limits.limit_cpu(hard_stop_s)
            send_message(connection, {"kind": "begun"})
            _serve(connection, request, memory_limit_bytes)
    except (EOFError, OSError):
        return


def _serve(connection: Connection, request: dict[str, Any], memory_limit_bytes: int) -> None:
    """Answer one request; every failure becomes an ``error`` reply."""
    path = Path(str(request["path"]))
    try:
        reply, blobs = _answer(connection, request, path)
    except MolmoDesktopError as error:
        reply, blobs = {"kind": "error", "error": error.to_dict()}, []
    except MemoryError as error:
        too_large = problems.needs_memory(path, memory_limit_bytes, str(error))
        reply, blobs = {"kind": "error", "error": too_large.to_dict(), "is_worn_out": True}, []
    except Exception as error:
        # The border of the process: a library may raise anything on a stranger's file.
        detail = f"{type(error).__name__}: {error}"
        reply, blobs = {"kind": "error", "error": _unexpected(path, detail).to_dict()}, []
    send_message(connection, reply, blobs)


def _answer(
    connection: Connection, request: dict[str, Any], path: Path
) -> tuple[dict[str, Any], list[bytes]]:
    format_name = detect_format(path)
    operation = request["operation"]
    if operation == "read":
        sink = _PipeSink(path, connection)
        digest = content_hash(path)
        read_file(path, format_name, sink)
        return {"kind": "done", "format": format_name, "content_hash": digest}, []
    if operation == "recognise":
        for number in request["page_numbers"]:
            page = recognise_page(path, format_name, int(number), partial(_beat, connection))
            send_message(connection, *pack_page(page))
        return {"kind": "done", "format": format_name}, []
    max_px = int(request["max_px"]) if request.get("max_px") else None
    return pack_image(render_page(path, format_name, int(request["page_number"]), max_px))


def _beat(connection: Connection) -> None:
    send_message(connection, {"kind": "beat"})


def _unexpected(path: Path, detail: str) -> MolmoDesktopError:
    try:
        return problems.damaged(path, format_info(detect_format(path)).title, detail)
    except MolmoDesktopError as error:  # it vanished meanwhile, or the like
        return error


class _PipeSink(Sink):
    """Sends each page as soon as it is read."""

    def __init__(self, path: Path, connection: Connection) -> None:
        super().__init__(path)
        self._connection = connection

    def expect(self, page_count: int) -> None:
        send_message(self._connection, {"kind": "expect", "page_count": page_count})

    def beat(self) -> None:
        send_message(self._connection, {"kind": "beat"})

    def warn(self, sentence: str) -> None:
        send_message(self._connection, {"kind": "warning", "sentence": sentence})

    def _deliver(self, page: Page) -> None:
        send_message(self._connection, *pack_page(page))
