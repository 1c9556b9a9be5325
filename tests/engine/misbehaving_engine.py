# SPDX-License-Identifier: Apache-2.0
"""An engine that says what no engine says, for a test of the client."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

from molmo_desktop.core.wire import receive_message, send_message


def talk_nonsense(connection: Connection, _log_file: str, _parent_pid: int) -> None:
    """Answer the first command with a message without a number, and live on."""
    receive_message(connection)
    send_message(connection, {"kind": "event"})
    time.sleep(600)
