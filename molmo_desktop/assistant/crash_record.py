# SPDX-License-Identifier: Apache-2.0
"""Which models and files ended the engine: after the second time nobody tries again unasked.

A small JSON file. A model is known by its path, size and time (it may have gigabytes), an
attachment by its content together with the model. What ended well is forgotten, and so is
everything when the processor or the library changes. A file in a private conversation is
remembered only until the program ends.

An engine that dies with fast settings and answers with safe ones has not died here: only the
final failure of a request counts, and it counts once.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from molmo_desktop.core.errors import (
    EngineCrashedError,
    EngineError,
    OutOfMemoryError,
    RepeatedCrashError,
)
from molmo_desktop.core.files import write_atomically
from molmo_desktop.core.pages import Document
from molmo_desktop.engine.safe_settings import machine_key

_log = logging.getLogger(__name__)

_FILE_VERSION = 1
_MOST_DEATHS = 2
_MOST_ENTRIES = 200
_LOADING = "loading"
_TRY = "try anyway (on the command line: --try-anyway)."
_WORDS = {2: "twice"}


class CrashRecord:
    """The deaths that are remembered, in memory and on disk. Safe for threads.

    Args:
        path: None = remembered only until the program ends.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._private: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}

    @property
    def count(self) -> int:
        """How many models and files are remembered."""
        with self._lock:
            return len(self._read())

    def clear(self) -> None:
        """Forget all deaths."""
        with self._lock:
            self._private.clear()
            if self._read():
                self._write({})

    @contextmanager
    def loading(
        self, name: str, model: Path, projector: Path | None, *, try_anyway: bool = False
    ) -> Iterator[None]:
        """Load a model within this: refuses one that died twice, and notes how it ends.

        Raises:
            RepeatedCrashError: It ended the engine twice, and nobody said to try anyway.
        """
        key = _key(_LOADING, model, projector)
        deaths = self._deaths(key)
        if deaths >= _MOST_DEATHS and not try_anyway:
            raise _refusal(
                f"{name} ended the engine {_times(deaths)} and was not started again.",
                f"Choose another model, or {_TRY}",
                deaths,
            )
        try:
            yield
        except EngineError as error:
            self._note([key], error)
            raise
        self._forget([key])

    def refuse_answering(
        self, name: str, model: Path, projector: Path | None, documents: Sequence[Document]
    ) -> None:
        """Refuse a question whose files ended the engine twice; without files, the model.

        Raises:
            RepeatedCrashError: So it is.
        """
        if not documents:
            deaths = self._deaths(_key("", model, projector))
            if deaths >= _MOST_DEATHS:
                raise _refusal(
                    f"{name} ended the engine {_times(deaths)} while it was answering and was "
                    "not asked again.",
                    f"Choose another model, or {_TRY}",
                    deaths,
                )
        for document in documents:
            deaths = self._deaths(_key(document.content_hash, model, projector))
            if deaths >= _MOST_DEATHS:
                raise _refusal(
                    f"{document.path.name} ended the engine {_times(deaths)} and was not given "
                    f"to {name} again.",
                    f"Leave it out, choose another model, or {_TRY}",
                    deaths,
                )

    def note_answering(
        self,
        error: EngineError,
        model: Path,
        projector: Path | None,
        documents: Sequence[Document],
        *,
        is_private: bool = False,
    ) -> None:
        """Note how a question failed; what is no death of the engine is left alone."""
        keys = _answering_keys(model, projector, documents)
        self._note(keys, error, is_private=is_private and bool(documents))

    def forget_answering(
        self, model: Path, projector: Path | None, documents: Sequence[Document]
    ) -> None:
        """Forget deaths of what has now been answered."""
        self._forget(_answering_keys(model, projector, documents))

    def _deaths(self, key: str) -> int:
        with self._lock:
            return max(self._read().get(key, 0), self._private.get(key, 0))

    def _note(self, keys: Iterable[str], error: EngineError, *, is_private: bool = False) -> None:
        if not _is_death(error):
            return
        with self._lock:
            counts = self._private if is_private else self._read()
            for key in keys:
                counts[key] = counts.pop(key, 0) + 1
            if not is_private:
                self._write(counts)

    def _forget(self, keys: Sequence[str]) -> None:
        with self._lock:
            counts = self._read()
            for key in keys:
                self._private.pop(key, None)
            if any(key in counts for key in keys):
                self._write({key: n for key, n in counts.items() if key not in keys})

    def _read(self) -> dict[str, int]:
        """Return what is on disk, where another window may have written meanwhile."""
        if self._path is None:
            return dict(self._unsaved)
        try:
            data: Any = json.loads(self._path.read_text(encoding="utf-8"))
            if data["version"] != _FILE_VERSION or data["machine"] != machine_key():
                return {}
            return {str(key): int(count) for key, count in data["deaths"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # none, or a damaged one: the worst is that a crash happens once more

    def _write(self, counts: dict[str, int]) -> None:
        newest = dict(list(counts.items())[-_MOST_ENTRIES:])
        if self._path is None:
            self._unsaved = newest
            return
        data = {"version": _FILE_VERSION, "machine": machine_key(), "deaths": newest}
        try:
            write_atomically(self._path, json.dumps(data, indent=1) + "\n")
        except OSError as error:
            _log.info("A crash could not be remembered: %s", error)


def _is_death(error: EngineError) -> bool:
    """Whether the engine's process ended; a mere refusal for want of memory is none."""
    return isinstance(error, EngineCrashedError) or (
        isinstance(error, OutOfMemoryError) and "exit_code" in error.data
    )


def _answering_keys(
    model: Path, projector: Path | None, documents: Sequence[Document]
) -> list[str]:
    hashes = [document.content_hash for document in documents] or [""]
    return [_key(content_hash, model, projector) for content_hash in hashes]


def _key(what: str, model: Path, projector: Path | None) -> str:
    return "|".join([what, _identity(model), _identity(projector) if projector else ""])


def _identity(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return str(path)
    return f"{path}:{status.st_size}:{status.st_mtime_ns}"


def _times(count: int) -> str:
    return _WORDS.get(count, f"{count} times")


def _refusal(message: str, hint: str, deaths: int) -> RepeatedCrashError:
    return RepeatedCrashError(message, hint=hint, crash_count=deaths)
