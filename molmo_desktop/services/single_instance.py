# SPDX-License-Identifier: Apache-2.0
"""One window per home: a second start hands its files to the first and ends."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 1000
_MAX_BYTES = 1 << 20


class SingleInstance(QObject):
    """Listens for later starts of the program.

    Args:
        data_folder: Programs that share it are one program.

    Attributes:
        files_received: A later start handed over these paths; the list may be empty.
    """

    files_received = Signal(object)

    def __init__(self, data_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = server_name(data_folder)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self) -> bool:
        """Begin to listen; False when that is not possible here."""
        # What a crash left behind would be in the way; nobody answers there, we asked before.
        QLocalServer.removeServer(self._name)
        return self._server.listen(self._name)

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _on_connection(self) -> None:
        while socket := self._server.nextPendingConnection():
            socket.readyRead.connect(lambda peer=socket: self._read(peer))
            socket.disconnected.connect(socket.deleteLater)
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            return
        line = bytes(socket.readLine(_MAX_BYTES).data())
        try:
            values = json.loads(line)
        except ValueError:
            return
        if isinstance(values, list):
            self.files_received.emit([Path(value) for value in values if isinstance(value, str)])
        socket.write(b"ok\n")
        socket.flush()


def hand_over(data_folder: Path, files: list[Path]) -> bool:
    """Give files to the program that runs already.

    Returns:
        False when none runs, or it does not answer.
    """
    socket = QLocalSocket()
    socket.connectToServer(server_name(data_folder))
    if not socket.waitForConnected(_WAIT_MS):
        return False
    socket.write(json.dumps([str(path.absolute()) for path in files]).encode("utf-8") + b"\n")
    socket.waitForBytesWritten(_WAIT_MS)
    answered = socket.waitForReadyRead(2 * _WAIT_MS)
    socket.disconnectFromServer()
    return answered


def server_name(data_folder: Path) -> str:
    """Return the name of the meeting point for programs that share a data folder."""
    digest = hashlib.sha256(str(data_folder.absolute()).encode("utf-8")).hexdigest()
    return f"molmo-desktop-{digest[:16]}"
