# SPDX-License-Identifier: Apache-2.0
"""One window per home: a second start hands its files to the first and ends."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 1000
_MAX_BYTES = 1 << 20
_OK = b"molmo-desktop ok\n"
_LONGEST_PATH = 100  # of a socket; systems allow 104 to 108 bytes


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
        # A program that is merely busy keeps its place; what a crash left behind goes.
        if not _is_deserted(self._name):
            return False
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
        socket.write(_OK)
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
    while not socket.canReadLine() and socket.waitForReadyRead(2 * _WAIT_MS):
        pass
    answered = bytes(socket.readLine(len(_OK) + 1).data()) == _OK
    socket.disconnectFromServer()
    return answered


def server_name(data_folder: Path) -> str:
    """Return the name of the meeting point for programs that share a data folder.

    Where names are files it lies in a folder that only this user can write, so that nobody else
    can wait there for the paths.
    """
    digest = hashlib.sha256(str(data_folder.absolute()).encode("utf-8")).hexdigest()
    name = f"molmo-desktop-{digest[:16]}"
    if sys.platform == "win32":
        return name
    places = [data_folder.absolute() / "socket"]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        places.insert(0, Path(runtime) / name)
    usable = (
        place
        for place in places
        if len(os.fsencode(place)) <= _LONGEST_PATH and os.access(place.parent, os.W_OK)
    )
    return str(next(usable, name))


def _is_deserted(name: str) -> bool:
    """Whether nobody listens at a meeting point that is there."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    connected = socket.waitForConnected(_WAIT_MS)
    refused = socket.error() in (
        QLocalSocket.LocalSocketError.ConnectionRefusedError,
        QLocalSocket.LocalSocketError.ServerNotFoundError,
    )
    socket.abort()
    return not connected and refused
