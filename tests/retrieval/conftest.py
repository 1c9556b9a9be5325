# SPDX-License-Identifier: Apache-2.0
"""Documents made by hand and the measured question set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from question_set import documents

from molmo_desktop.core.pages import Document, Page, WordBox
from molmo_desktop.retrieval.index import PassageIndex

MakeDocument = Callable[..., Document]


@pytest.fixture
def make_document() -> MakeDocument:
    """Return a function that makes a document of page texts, with a box for each word."""

    def make(*texts: str, name: str = "paper.pdf", labels: tuple[str, ...] = ()) -> Document:
        pages = tuple(
            Page(number, text, "text layer", 595.0, 842.0, _boxes(text), label)
            for number, (text, label) in enumerate(
                zip(texts, labels or ("",) * len(texts), strict=True), 1
            )
        )
        return Document(Path(name), "pdf", f"hash-of-{name}", pages)

    return make


def _boxes(text: str) -> tuple[WordBox, ...]:
    """Set the text in a fixed-width face: 6 points a character, 12 points a line."""
    words = []
    start = 0
    for row, line in enumerate(text.split("\n")):
        column = 0
        for word in line.split(" "):
            if word:
                x0, y0 = 50.0 + 6 * column, 50.0 + 12 * row
                first = start + column
                words.append(WordBox(first, first + len(word), x0, y0, x0 + 6 * len(word), y0 + 10))
            column += len(word) + 1
        start += len(line) + 1
    return tuple(words)


@pytest.fixture(scope="package")
def corpus() -> dict[str, Document]:
    """Return the documents of the question set by name."""
    return documents()


@pytest.fixture(scope="package")
def corpus_index(corpus: dict[str, Document]) -> Iterator[PassageIndex]:
    """Return an index in memory that holds them all."""
    index = PassageIndex(None)
    for document in corpus.values():
        index.add(document)
    yield index
    index.close()
