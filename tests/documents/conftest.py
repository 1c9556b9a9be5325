# SPDX-License-Identifier: Apache-2.0
"""Readers for tests: one that stays warm for a module, and fresh ones that may be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.documents.detect import detect_format
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.documents.registry import read_file
from molmo_desktop.documents.sink import Sink

FILES = Path(__file__).parents[1] / "data" / "documents"


@pytest.fixture
def files() -> Path:
    """Return the folder of sample files."""
    return FILES


@pytest.fixture(scope="module")
def warm_reader() -> Iterator[DocumentReader]:
    """Return a reader whose process runs already; for files that do not end it."""
    reader = DocumentReader(timeout_s=60)
    reader.read(FILES / "notes.md")
    yield reader
    reader.close()


@pytest.fixture
def make_reader() -> Iterator[Callable[..., DocumentReader]]:
    """Return a function that makes readers, which are closed after the test."""
    made: list[DocumentReader] = []

    def make(**options: object) -> DocumentReader:
        reader = DocumentReader(**{"timeout_s": 60, **options})
        made.append(reader)
        return reader

    yield make
    for reader in made:
        reader.close()


class ListSink(Sink):
    """Keeps everything in memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.pages: list[Page] = []
        self.warnings: list[str] = []

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def _deliver(self, page: Page) -> None:
        self.pages.append(page)


@pytest.fixture
def read_here() -> Callable[[Path], Document]:
    """Return a function that reads a file in this process."""

    def read(path: Path) -> Document:
        sink = ListSink(path)
        name = detect_format(path)
        read_file(path, name, sink)
        return Document(path, name, "", tuple(sink.pages), False, tuple(sink.warnings))

    return read
