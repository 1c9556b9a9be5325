# SPDX-License-Identifier: Apache-2.0
"""Readers that were taken over or are broken: each function stands for `worker.run`."""

from __future__ import annotations

import os
import struct
import time
from multiprocessing.connection import Connection
from typing import Any

from molmo_desktop.core.wire import receive_message, send_message

_FOR_EVER_S = 600.0


def die_at_once(*_arguments: object) -> None:
    """Crash before any request was taken."""
    os.abort()


def stop_in_a_message(connection: Connection, *_limits: object) -> None:
    """Send the beginning of a message and never the rest."""
    _begin(connection)
    os.write(connection.fileno(), struct.pack("!i", 1000) + b"half")
    time.sleep(_FOR_EVER_S)


def announce_a_terabyte(connection: Connection, *_limits: object) -> None:
    """Say that a very long message comes."""
    _begin(connection)
    os.write(connection.fileno(), struct.pack("!i", -1) + struct.pack("!Q", 1 << 40))
    time.sleep(_FOR_EVER_S)


def send_many_blobs(connection: Connection, *_limits: object) -> None:
    """Say that very many blobs come."""
    _send_bytes(connection, b'{"kind": "page", "__blobs__": 1000000000}')


def send_no_json(connection: Connection, *_limits: object) -> None:
    """Send what cannot be parsed."""
    _send_bytes(connection, b'{"kind": "pa')


def send_a_list(connection: Connection, *_limits: object) -> None:
    """Send JSON that is no message."""
    _send_bytes(connection, b"[1, 2]")


def expect_nothing(connection: Connection, *_limits: object) -> None:
    """Leave out the number of pages."""
    _send(connection, {"kind": "expect"})


def be_done_with_nothing(connection: Connection, *_limits: object) -> None:
    """Leave out the format."""
    _send(connection, {"kind": "done"})


def report_nonsense(connection: Connection, *_limits: object) -> None:
    """Report an error whose values clash with those of every error."""
    _send(connection, {"kind": "error", "error": {"data": {"message": 1, "self": 2}}})


def _begin(connection: Connection) -> None:
    send_message(connection, {"kind": "ready", "is_memory_limited": True})
    receive_message(connection)
    send_message(connection, {"kind": "begun"})


def _send(connection: Connection, message: dict[str, Any]) -> None:
    _begin(connection)
    send_message(connection, message)
    time.sleep(_FOR_EVER_S)


def _send_bytes(connection: Connection, data: bytes) -> None:
    _begin(connection)
    connection.send_bytes(data)
    time.sleep(_FOR_EVER_S)
