# SPDX-License-Identifier: Apache-2.0
"""Files of what a model has read, bounded, least recently used deleted first.

One folder for each model with its settings, one file for each state or encoded picture. A file
is a digest of all that follows, a JSON header and the bytes. It is written beside its name and
moved there, so that no reader meets half of one, and one that does not match its digest is
deleted: losing a file only costs the time to read the document again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_MAGIC = b"MolmoSt1"
_DIGEST_BYTES = 16
_START = struct.Struct(f"<8s{_DIGEST_BYTES}sI")
_MOST_HEADER_BYTES = 1 << 24
_STALE_PART_S = 3600

Header = dict[str, Any]


@dataclass(frozen=True)
class Stored:
    """A file that was read and found to be whole: its header, and the bytes behind it."""

    header: Header
    data: memoryview


class StoredFiles:
    """The files of one model.

    Args:
        folder: Of all models.
        model_key: What a stored state depends on beside the prompt.
        limit_bytes: For all models together.
    """

    def __init__(self, folder: Path, model_key: str, limit_bytes: int) -> None:
        self._root = folder
        self._folder = folder / model_key
        self._limit_bytes = limit_bytes
        self._headers: dict[str, Header] = {}

    def headers(self, suffix: str) -> Iterator[tuple[str, Header]]:
        """Yield name and header of each file of a kind, the most recently used first."""
        for path in sorted(self._folder.glob(f"*{suffix}"), key=_used_at, reverse=True):
            header = self._headers.get(path.name)
            if header is None:
                header = _read_header(path)
                if header is None:
                    path.unlink(missing_ok=True)
                    continue
                self._headers[path.name] = header
            yield path.name, header

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self._folder / name).exists()

    def read(self, name: str) -> Stored | None:
        """Return a file, None where there is none that is whole."""
        path = self._folder / name
        try:
            content = path.read_bytes()
        except (OSError, MemoryError):
            return None
        stored = _unpack(content)
        if stored is None:
            logger.info("%s is damaged and was deleted.", path)
            self.delete(name)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return stored

    def write(self, name: str, header: Header, parts: Sequence[Any]) -> None:
        """Store buffers under a name that tells what is in them, unless they are there already.

        A full disk or a folder that cannot be written is only logged.
        """
        if self.has(name):
            return
        head = json.dumps(header).encode()
        views = [memoryview(part).cast("B") for part in parts]
        digest = hashlib.blake2b(head, digest_size=_DIGEST_BYTES)
        for view in views:
            digest.update(view)
        size = _START.size + len(head) + sum(len(view) for view in views)
        if size > self._limit_bytes:
            return
        try:
            self._make_room(size)
            self._write(name, [_START.pack(_MAGIC, digest.digest(), len(head)), head, *views])
        except OSError as error:
            logger.info("What was read could not be stored: %s", error)
            return
        self._headers[name] = header

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        self._headers.pop(name, None)
        with contextlib.suppress(OSError):
            (self._folder / name).unlink(missing_ok=True)

    def _write(self, name: str, parts: Sequence[Any]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                for piece in parts:
                    stream.write(piece)
            os.replace(part, self._folder / name)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> None:
        """Delete what was not used for longest, so that another file of that size fits."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in trim(self._root, self._limit_bytes - size, least_free_bytes=size):
            self._headers.pop(path.name, None)
        if size > shutil.disk_usage(self._root).free:
            raise OSError("the disk is full")


def trim(folder: Path, limit_bytes: int, *, least_free_bytes: int = 0) -> list[Path]:
    """Delete what was not used for longest, and what was never finished.

    Args:
        folder: Of all models.
        limit_bytes: What may stay.
        least_free_bytes: Delete more as long as less of the disk is free.

    Returns:
        The files that were deleted.

    Raises:
        OSError: A file cannot be deleted.
    """
    files = sorted(_files(folder), key=_used_at)
    newest = _used_at(files[-1]) if files else 0.0
    held = sum(_size(path) for path in files)
    free = shutil.disk_usage(folder).free if files else 0
    gone = []
    for path in files:
        is_stale = path.suffix == ".part" and newest - _used_at(path) > _STALE_PART_S
        if held > limit_bytes or free < least_free_bytes or is_stale:
            held -= _size(path)
            free += _size(path)
            path.unlink(missing_ok=True)
            gone.append(path)
    return gone


def stored_bytes(folder: Path) -> int:
    """Return how much is stored for all models."""
    return sum(_size(path) for path in _files(folder))


def forget_all(folder: Path) -> None:
    """Delete everything that is stored.

    Raises:
        OSError: A file cannot be deleted.
    """
    if folder.exists():
        shutil.rmtree(folder)


def forget_owner(folder: Path, owner: str) -> None:
    """Delete what was stored for one conversation."""
    for path in _files(folder):
        header = _read_header(path)
        if header is not None and header.get("owner") == owner:
            path.unlink(missing_ok=True)


def _unpack(content: bytes) -> Stored | None:
    if len(content) < _START.size:
        return None
    magic, digest, length = _START.unpack_from(content)
    rest = memoryview(content)[_START.size :]
    if magic != _MAGIC or length > len(rest):
        return None
    if hashlib.blake2b(rest, digest_size=_DIGEST_BYTES).digest() != digest:
        return None
    try:
        header = json.loads(bytes(rest[:length]))
    except ValueError:  # its length is the one thing that the digest does not hold
        return None
    return Stored(header, rest[length:]) if isinstance(header, dict) else None


def _read_header(path: Path) -> Header | None:
    try:
        with path.open("rb") as stream:
            magic, _, length = _START.unpack(stream.read(_START.size))
            if magic != _MAGIC or length > _MOST_HEADER_BYTES:
                return None
            header = json.loads(stream.read(length))
    except (OSError, ValueError, struct.error):
        return None
    return header if isinstance(header, dict) else None


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
