# SPDX-License-Identifier: Apache-2.0
"""How structure is written down as text: table rows, lists and blocks, for all readers alike.

A row is "a | b | c" on a line of its own; the rows of a table follow one another without an
empty line; blocks (paragraphs, tables, headings) have an empty line between them, items of a
list have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

SEPARATOR = " | "
Row = list[tuple[int, str]]
# Wider rows of a sheet are written without their empty cells.
_MAX_COLUMNS = 256
_MAX_SPAN = 64
_SPACE = re.compile(r"\s+")
_ITEM = re.compile(r"\s*(?:-|\(?[\divxlcdmIVXLCDM]{1,6}[.)]|\(?[a-zA-Z][.)]|\d+(?:\.\d+)+\.?)\s")


def one_line(text: str) -> str:
    """Return the text with every run of white space as one blank."""
    return _SPACE.sub(" ", text).strip()


def row_text(cells: Iterable[str]) -> str:
    """Return one table row; a bar inside a cell is written as a slash."""
    return SEPARATOR.join(one_line(cell).replace(SEPARATOR, " / ") for cell in cells)


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Return a table; rows without any text are left out.

    A table of a single column is only a frame around text: its cells become lines.
    """
    return "\n".join(row_text(_trimmed(row)) for row in rows if any(map(str.strip, row)))


def spanning(text: str, column_count: int) -> list[str]:
    """Return the cells of one that spans several columns: its text, then empty ones.

    So that what stands right of it keeps its column.
    """
    return [text, *[""] * (min(max(column_count, 1), _MAX_SPAN) - 1)]


def sheet_lines(rows: Sequence[tuple[int, Row]]) -> Iterator[str]:
    """Yield the rows of a sheet as text, an empty line where it has empty rows.

    Columns that are empty in the whole sheet are left out.

    Args:
        rows: Number and cells (column, text) of each row that has something in it.
    """
    used = sorted({column for _, row in rows for column, _ in row})
    places = {column: place for place, column in enumerate(used)}
    last = None
    for number, row in rows:
        if last is not None and number > last + 1:
            yield ""
        last = number
        if len(used) > _MAX_COLUMNS:
            yield row_text(text for _, text in row)
            continue
        cells = [""] * (places[row[-1][0]] + 1)
        for column, text in row:
            if places[column] < len(cells):
                cells[places[column]] = text
        yield row_text(cells)


def _trimmed(row: Sequence[str]) -> Sequence[str]:
    """Return a row without the empty cells at its end."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def join_blocks(blocks: Iterable[str]) -> str:
    """Return blocks with empty lines between them; items of one list stay together."""
    parts: list[str] = []
    was_item = False
    for block in blocks:
        text = block.strip("\n")
        if not text.strip():
            continue
        is_item = bool(_ITEM.match(text))
        if parts:
            parts.append("\n" if is_item and was_item else "\n\n")
        parts.append(text)
        was_item = is_item
    return "".join(parts)
