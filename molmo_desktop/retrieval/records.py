# SPDX-License-Identifier: Apache-2.0
"""Passages as rows of the index: written once, read back as passages or as tokens for ranking.

The tokens of a passage are stored as text, one line for each sentence or table row; a row's line
begins with a mark.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.languages import UNKNOWN_LANGUAGE, guess_language
from molmo_desktop.retrieval.passages import Passage, cut_document
from molmo_desktop.retrieval.text import units
from molmo_desktop.retrieval.tokens import COMPOUNDING, endings, placed_tokens, tokenize

_ROW_MARK = "|"
_SELECT = (
    "SELECT p.id, d.content_hash, p.page, p.start, p.end, p.heading,"
    " substr(g.text, p.start + 1, p.end - p.start)"
    " FROM passages p JOIN documents d ON d.id = p.document_id"
    " JOIN pages g ON g.document_id = p.document_id AND g.number = p.page"
)


class TokenRecord(NamedTuple):
    """What ranking needs of a passage.

    Attributes:
        passage_id: Its row.
        units: Tokens of each sentence or table row.
        context_of: For each, the unit that it is read with: its head row, or the one before.
        heading_tokens: Of the headings above.
    """

    passage_id: int
    units: list[list[str]]
    context_of: list[int | None]
    heading_tokens: list[str]


class PreparedDocument(NamedTuple):
    """What is stored of a document beside its pages.

    Attributes:
        languages: Of its pages, so that a question can be stemmed like each of them.
        rows: What is stored of each passage, from its page on; see `write_passages`.
    """

    languages: frozenset[str]
    rows: list[tuple[object, ...]]


def prepare(document: Document) -> PreparedDocument:
    """Cut a document into passages and take their words apart."""
    main_language = guess_language("\n".join(page.text[:1000] for page in document.pages[:5]))
    languages = {page.number: guess_language(page.text, main_language) for page in document.pages}
    rows = list(_passage_rows(document, cut_document(document), languages))
    return PreparedDocument(frozenset(languages.values()), rows)


def write_passages(
    connection: sqlite3.Connection, document_row: int, rows: Sequence[tuple[object, ...]]
) -> None:
    """Store the passages of a document and index their words; in the caller's transaction."""
    connection.executemany(
        "INSERT INTO passages"
        " (document_id, page, start, end, heading, heading_tokens, tokens, endings)"
        f" VALUES ({document_row}, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    connection.execute(
        "INSERT INTO words (rowid, heading_tokens, tokens, endings)"
        " SELECT id, heading_tokens, tokens, endings FROM passages WHERE document_id = ?",
        (document_row,),
    )


def forget_words(connection: sqlite3.Connection, document_row: int) -> None:
    """Take the words of a document out of the index, before its rows are deleted."""
    connection.execute(
        "INSERT INTO words (words, rowid, heading_tokens, tokens, endings)"
        " SELECT 'delete', id, heading_tokens, tokens, endings FROM passages"
        " WHERE document_id = ?",
        (document_row,),
    )


def passages_of_document(connection: sqlite3.Connection, content_hash: str) -> list[Passage]:
    """Return the passages of a document in reading order."""
    rows = connection.execute(f"{_SELECT} WHERE d.content_hash = ? ORDER BY p.id", (content_hash,))
    return [Passage(h, page, start, end, text, head) for _, h, page, start, end, head, text in rows]


def passages_by_id(connection: sqlite3.Connection, ids: Sequence[int]) -> list[Passage]:
    """Return passages in the order of their rows as given."""
    marks = ",".join("?" * len(ids))
    rows = connection.execute(f"{_SELECT} WHERE p.id IN ({marks})", list(ids))
    found = {
        row_id: Passage(content_hash, page, start, end, text, heading)
        for row_id, content_hash, page, start, end, heading, text in rows
    }
    return [found[row_id] for row_id in ids]


def token_records(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[TokenRecord]:
    """Yield the tokens of passages, in the order of their rows."""
    marks = ",".join("?" * len(ids))
    rows = connection.execute(
        f"SELECT id, tokens, heading_tokens FROM passages WHERE id IN ({marks}) ORDER BY id",
        list(ids),
    )
    for row_id, stored, heading in rows:
        token_lists, context_of = _stored_units(stored)
        yield TokenRecord(row_id, token_lists, context_of, heading.split())


@lru_cache(maxsize=64)
def _heading_tokens(heading: str, language: str) -> str:
    return " ".join(tokenize(heading, language))


def _passage_rows(
    document: Document, cut: Sequence[Passage], languages: Mapping[int, str]
) -> Iterator[tuple[object, ...]]:
    """Yield the rows; a page is taken apart once and its tokens are dealt to its passages."""
    passages_of = {number: list(group) for number, group in groupby(cut, lambda p: p.page)}
    for page in document.pages:
        language = languages[page.number]
        takes_apart = (
            language in COMPOUNDING
            or guess_language(page.text, UNKNOWN_LANGUAGE) == UNKNOWN_LANGUAGE
        )
        placed = placed_tokens(page.text, language, marks=True)
        starts = [start for start, _ in placed]
        page_units = units(page.text)
        for passage in passages_of.get(page.number, ()):
            lines: list[str] = []
            words: list[str] = []
            for unit in page_units:
                start, end = max(unit.start, passage.start), min(unit.end, passage.end)
                if start >= end:
                    continue
                first, last = bisect_left(starts, start), bisect_left(starts, end)
                tokens = [token for _, token in placed[first:last]]
                words += tokens
                lines.append((_ROW_MARK if unit.is_row else "") + " ".join(tokens))
            yield (
                passage.page,
                passage.start,
                passage.end,
                passage.heading,
                _heading_tokens(passage.heading, language),
                "\n".join(lines),
                # Few words may hide their language: their ends are kept to be safe.
                " ".join(endings(words)) if takes_apart else "",
            )


def _stored_units(stored: str) -> tuple[list[list[str]], list[int | None]]:
    """Return the tokens of each unit, and which unit it is read with."""
    found: list[list[str]] = []
    context_of: list[int | None] = []
    header: int | None = None
    for index, line in enumerate(stored.split("\n")):
        is_row = line.startswith(_ROW_MARK)
        before = index - 1 if index else None
        context_of.append(header if is_row and header is not None else before)
        if not is_row:
            header = None
        elif header is None:
            header = index
        found.append(line.removeprefix(_ROW_MARK).split())
    return found, context_of
