# SPDX-License-Identifier: Apache-2.0
"""Tables as text (.csv, .tsv) with any delimiter, as rows "a | b | c" on one page."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

from molmo_desktop.documents import problems, text
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import row_text

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 200
_FIELD_CHARS = 10_000_000


def read(path: Path, sink: Sink) -> None:
    """Put the whole table as one page.

    Raises:
        DocumentUnreadableError: Nothing in it.
    """
    content = text.clean(text.decode(text.read_bytes(path)))
    if not content.strip():
        raise problems.empty(path)
    sink.expect(1)
    csv.field_size_limit(_FIELD_CHARS)
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter_of(content))
    lines = []
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                lines.append(row_text(row))
    except csv.Error:
        # An open quotation mark somewhere: the lines as they are still hold every value.
        lines = [line for line in content.splitlines() if line.strip()]
    sink.page("\n".join(lines))


def delimiter_of(content: str) -> str:
    """Return the delimiter that cuts the first lines into the most even rows.

    The standard library's guess asks for letters that repeat at one distance and fails on
    short tables; rows of equal length are what makes a table.
    """
    sample = "\n".join(content.splitlines()[:_SAMPLE_LINES])
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = [
                len(row) for row in csv.reader(io.StringIO(sample), delimiter=delimiter) if row
            ]
        except csv.Error:
            continue
        if not widths:
            continue
        width, count = Counter(widths).most_common(1)[0]
        score = (count / len(widths)) * (1 - 1 / width)
        if score > best_score + 1e-9:
            best, best_score = delimiter, score
    return best
