# SPDX-License-Identifier: Apache-2.0
"""What the program keeps on the disk: how much that is, and letting go of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.paths import AppPaths
from molmo_desktop.services.jobs import Job, Jobs

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant
    from molmo_desktop.assistant.engine_record import EngineRecord


@dataclass(frozen=True)
class StorageSizes:
    """Bytes on the disk; None where nobody can tell."""

    conversations: int | None
    documents: int | None
    states: int | None
    pasted: int | None
    models: int | None
    logs: int | None


class StorageService(QObject):
    """Looks at the disk in a thread."""

    def __init__(self, assistant: Assistant, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._assistant = assistant
        # Forgetting may wait for an answer; sizes are shown meanwhile.
        self._jobs = Jobs(self, thread_count=2)

    def measure(self, on_done: Callable[[StorageSizes], None]) -> Job:
        """Find out the sizes; ``on_done`` gets them."""
        paths = self._assistant.paths
        return self._jobs.run(lambda _job: sizes_of(paths), on_done=on_done)

    def forget_documents(
        self, on_done: Callable[[], None], on_failed: Callable[[MolmoDesktopError], None]
    ) -> Job:
        """Delete the kept texts of documents; an answer on its way is waited for."""
        return self._jobs.run(
            lambda _job: self._assistant.forget_documents(),
            on_done=lambda _nothing: on_done(),
            on_failed=on_failed,
        )

    def forget_states(
        self, on_done: Callable[[], None], on_failed: Callable[[MolmoDesktopError], None]
    ) -> Job:
        """Delete what models have read; an answer on its way is waited for."""
        return self._jobs.run(
            lambda _job: self._assistant.forget_states(),
            on_done=lambda _nothing: on_done(),
            on_failed=on_failed,
        )

    def engine_record(self, on_done: Callable[[EngineRecord], None]) -> Job:
        """Find out what was learned from deaths of the engine; ``on_done`` gets it."""
        return self._jobs.run(lambda _job: self._assistant.engine_record(), on_done=on_done)

    def reset_engine(
        self, on_done: Callable[[], None], on_failed: Callable[[MolmoDesktopError], None]
    ) -> Job:
        """Forget that; an answer on its way is waited for."""
        return self._jobs.run(
            lambda _job: self._assistant.reset_engine(),
            on_done=lambda _nothing: on_done(),
            on_failed=on_failed,
        )

    def limit_states(self) -> Job:
        """Delete what models have read beyond the limit of the settings."""
        return self._jobs.run(lambda _job: self._assistant.limit_states())

    def forget_conversation(self, conversation_id: int) -> Job:
        """Delete what models have read for one conversation."""
        return self._jobs.run(
            lambda _job: self._assistant.forget_conversation(str(conversation_id))
        )

    def close(self) -> None:
        """Wait for the thread."""
        self._jobs.close()


def pasted_folder(paths: AppPaths) -> Path:
    """Return where pasted pictures and pictures of the screen are kept."""
    return paths.data / "pasted"


def sizes_of(paths: AppPaths) -> StorageSizes:
    """Return how much lies on the disk now."""
    return StorageSizes(
        conversations=_size(_database_files(paths.database_file)),
        documents=_size(_database_files(paths.index_file)),
        states=_size_of_folder(paths.stored_states),
        pasted=_size_of_folder(pasted_folder(paths)),
        models=_size_of_folder(paths.models),
        logs=_size_of_folder(paths.logs),
    )


def _database_files(path: Path) -> list[Path]:
    """Return the file, and what SQLite keeps beside it."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def _size_of_folder(folder: Path) -> int | None:
    try:
        return _size(path for path in folder.rglob("*") if path.is_file())
    except OSError:
        return None


def _size(files: Iterable[Path]) -> int | None:
    total = 0
    for file in files:
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return total
