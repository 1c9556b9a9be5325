# SPDX-License-Identifier: Apache-2.0
"""Files that made a reader crash: known by their content, not tried again by themselves.

A small JSON file. It is read again when another process (a window, the command line) changed
it; entries of another version of the program are forgotten, because its readers may have been
mended since. Sizes are kept so that a file is hashed only
when one of that size is in quarantine.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from molmo_desktop import __version__
from molmo_desktop.core.files import content_hash, write_atomically

_MAX_ENTRIES = 500


class Quarantine:
    """The list, in memory and, where a path is given, on disk. Safe for threads."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        # (content hash, operation) → size in bytes
        self._entries: dict[tuple[str, str], int] = {}
        self._state = self._state_on_disk()
        if path is not None:
            self._load(path)

    def holds(self, path: Path, operation: str) -> bool:
        """Whether that operation on this content crashed before."""
        try:
            size_bytes = path.stat().st_size
        except OSError:
            return False
        with self._lock:
            self._refresh()
            candidates = {
                digest
                for (digest, known), size in self._entries.items()
                if known == operation and size == size_bytes
            }
        return bool(candidates) and _hash_or_none(path) in candidates

    def add(self, path: Path, operation: str) -> None:
        """Remember that the operation crashed on this content."""
        digest = _hash_or_none(path)
        if digest is None:
            return
        with self._lock:
            self._refresh()
            self._entries[digest, operation] = path.stat().st_size
            while len(self._entries) > _MAX_ENTRIES:
                del self._entries[next(iter(self._entries))]
            self._save()

    def remove(self, path: Path, operation: str) -> None:
        """Forget the content, because it was read after all."""
        with self._lock:
            self._refresh()
            if not self._entries:
                return
        digest = _hash_or_none(path)
        with self._lock:
            if digest is not None and self._entries.pop((digest, operation), None) is not None:
                self._save()

    def _refresh(self) -> None:
        """Take over what another process wrote since."""
        state = self._state_on_disk()
        if self._path is not None and state is not None and state != self._state:
            self._state = state
            self._entries.clear()
            self._load(self._path)

    def _state_on_disk(self) -> tuple[int, int] | None:
        """Return what changes with the file: time (ns) and number; None where there is none."""
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino) if found is not None else None

    def _load(self, path: Path) -> None:
        try:
            data: Any = json.loads(path.read_text(encoding="utf-8"))
            if data["program_version"] != __version__:
                return
            for entry in data["files"]:
                key = str(entry["content_hash"]), str(entry["operation"])
                self._entries[key] = int(entry["size_bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return  # no list, or a damaged one: the worst is that a crash happens once more

    def _save(self) -> None:
        if self._path is None:
            return
        files = [
            {"content_hash": digest, "operation": operation, "size_bytes": size_bytes}
            for (digest, operation), size_bytes in self._entries.items()
        ]
        text = json.dumps({"program_version": __version__, "files": files}, indent=1)
        try:
            write_atomically(self._path, text + "\n")
        except OSError:
            return  # a full disk must not turn a refused file into another error
        self._state = self._state_on_disk()


def _hash_or_none(path: Path) -> str | None:
    try:
        return content_hash(path)
    except OSError:
        return None
