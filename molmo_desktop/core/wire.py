# SPDX-License-Identifier: Apache-2.0
"""Messages between processes: one JSON object, followed by blobs of bytes.

JSON instead of pickle, because what comes back was made from a stranger's file: a reader that
was taken over must not be able to run code in the window.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

_BLOBS = "__blobs__"


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


def receive_message(connection: Connection) -> tuple[dict[str, Any], list[bytes]]:
    """Wait for the next message.

    Raises:
        EOFError: The other end closed the pipe.
        OSError: The pipe is broken.
    """
    head = json.loads(connection.recv_bytes().decode("utf-8", "surrogatepass"))
    count = int(head.pop(_BLOBS, 0))
    return head, [connection.recv_bytes() for _ in range(count)]
