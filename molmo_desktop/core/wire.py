# SPDX-License-Identifier: Apache-2.0
"""Messages between processes: one JSON object, followed by blobs of bytes.

JSON instead of pickle, because what comes back was made from a stranger's file: a reader that
was taken over must not be able to run code in the window, nor to fill its memory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

_BLOBS = "__blobs__"


class MalformedMessageError(ValueError):
    """The other process sent something that a healthy one never sends."""


@dataclass(frozen=True)
class WireLimits:
    """The most that one message may hold.

    Attributes:
        head_bytes: Of the JSON text.
        blob_count: How many blobs.
        blob_bytes: Of each blob.
    """

    head_bytes: int
    blob_count: int
    blob_bytes: int


def send_message(
    connection: Connection, message: dict[str, Any], blobs: Sequence[bytes] = ()
) -> None:
    """Send a JSON-able object and its blobs.

    Raises:
        OSError: The other end is gone.
    """
    head = {**message, _BLOBS: len(blobs)} if blobs else message
    connection.send_bytes(json.dumps(head, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    for blob in blobs:
        connection.send_bytes(blob)


def receive_message(
    connection: Connection, limits: WireLimits | None = None
) -> tuple[dict[str, Any], list[bytes]]:
    """Wait for the next message.

    Args:
        connection: Our end of the pipe.
        limits: What the other end may send; None = it is trusted.

    Raises:
        EOFError: The other end closed the pipe.
        OSError: The pipe is broken.
        MalformedMessageError: It is no message, or larger than allowed; the pipe is of no use
            any more.
    """
    text = _receive_bytes(connection, limits.head_bytes if limits else None)
    try:
        head = json.loads(text.decode("utf-8", "surrogatepass"))
        count = int(head.pop(_BLOBS, 0))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessageError(f"no message: {error}") from error
    if count < 0 or (limits is not None and count > limits.blob_count):
        raise MalformedMessageError(f"{count} blobs")
    largest = limits.blob_bytes if limits else None
    return head, [_receive_bytes(connection, largest) for _ in range(count)]


def _receive_bytes(connection: Connection, most: int | None) -> bytes:
    try:
        return connection.recv_bytes(most)
    except OSError as error:
        # Something longer is not read; from then on the connection counts as unreadable.
        if not connection.closed and not connection.readable:
            raise MalformedMessageError(f"more than {most} bytes") from error
        raise
