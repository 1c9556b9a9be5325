# SPDX-License-Identifier: Apache-2.0
"""The documents and questions of our own that retrieval is measured on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from molmo_desktop.core.pages import Document, Page

FOLDER = Path(__file__).parents[1] / "data" / "retrieval"
_PAGE_BREAK = "\n=== page ===\n"


@dataclass(frozen=True)
class Question:
    """A question; ``pages`` is empty where the document does not answer it."""

    set: str
    document: str
    question: str
    pages: tuple[int, ...]
    answers: tuple[str, ...]


def document_of(name: str) -> Document:
    """Return one of the documents as a reader would."""
    path = FOLDER / "documents" / f"{name}.txt"
    texts = path.read_text(encoding="utf-8").rstrip("\n").split(_PAGE_BREAK)
    pages = tuple(Page(i, text, "text layer", 595.0, 842.0) for i, text in enumerate(texts, 1))
    return Document(path, "text", f"hash-of-{name}", pages)


def documents() -> dict[str, Document]:
    """Return every document by name."""
    names = sorted(path.stem for path in (FOLDER / "documents").glob("*.txt"))
    return {name: document_of(name) for name in names}


def questions(which: str | None = None) -> list[Question]:
    """Return the questions of one set ("tuning", "held out") or of both."""
    rows = json.loads((FOLDER / "questions.json").read_text(encoding="utf-8"))
    return [
        Question(**{**row, "pages": tuple(row["pages"]), "answers": tuple(row["answers"])})
        for row in rows
        if which in (None, row["set"])
    ]
