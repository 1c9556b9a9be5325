# SPDX-License-Identifier: Apache-2.0
"""Small file habits that every room shares."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from molmo_desktop.core.cancel import CancelToken

_CHUNK_BYTES = 1 << 20


def write_atomically(path: Path, text: str) -> None:
    """Replace a text file in one step: readers see the old file or the new one, never half.

    Raises:
        OSError: The folder cannot be written or the disk is full; the old file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def keep_private(path: Path) -> None:
    """Let nobody but the user read a file, which is created empty if it is missing.

    SQLite gives the logs beside a database the same rights. On Windows the user's own folders
    are private already.

    Raises:
        OSError: The file cannot be created.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix":
        # Not ours to change on some drives, which then have rules of their own.
        with contextlib.suppress(OSError):
            path.chmod(0o600)


def content_hash(path: Path, cancel: CancelToken | None = None) -> str:
    """Return the SHA-256 of a file's bytes as hex; a file is known by what is in it.

    Raises:
        OSError: The file cannot be read.
        Cancelled: The user asked for it.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if cancel is not None:
                cancel.raise_if_cancelled()
            digest.update(chunk)
    return digest.hexdigest()
