# SPDX-License-Identifier: Apache-2.0
"""Cutting a document into passages: pieces of a page that can be found and read by themselves.

A passage never crosses a page and follows the page's structure: paragraphs stay whole where they
can, the rows of a table stay together, and the headings above travel along as a path. A table
that is too long for one passage is cut between rows; its head row then stands in the heading of
the later pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.text import (
    Block,
    Span,
    blocks,
    heading_text,
    is_table_row,
    lines,
    sentences,
)

TARGET_WORDS = 120
MAX_WORDS = 160
MIN_SECTION_WORDS = 40  # a section shorter than this shares its passage with the next one
_SMALL_REST_WORDS = 20  # so little does not begin a passage of its own
_MAX_PATH_LEVELS = 3
_MAX_TITLE_WORDS = 8
_CHARACTERS_PER_CJK_WORD = 2
_WIDE = re.compile(r"[\u3040-\u9fff\uac00-\ud7a3]")


@dataclass(frozen=True)
class Passage:
    """A piece of one page.

    Attributes:
        content_hash: The document's.
        page: Counts from 1.
        start: First character in the page's text.
        end: One past the last.
        text: Exactly ``page.text[start:end]``.
        heading: Headings above it, highest first, joined by " > "; may be empty.
    """

    content_hash: str
    page: int
    start: int
    end: int
    text: str
    heading: str = ""


@dataclass(frozen=True)
class ScoredPassage:
    """A passage that a search found.

    Attributes:
        passage: What was found.
        score: 0 to 1; about the share of the question's telling words that stand here.
        matched_terms: The question's words that were found, as the question writes them.
    """

    passage: Passage
    score: float
    matched_terms: tuple[str, ...] = ()


@dataclass
class _Open:
    """The passage that is being filled."""

    start: int
    end: int
    words: int
    heading: str
    has_body: bool


def cut_document(document: Document) -> list[Passage]:
    """Return the passages of a document in reading order; none for a document without text."""
    path: list[tuple[int, str]] = []
    title = _title(document)
    found = []
    for page in document.pages:
        for (start, end), heading in _cut_page(page, path, title):
            text = page.text[start:end]
            found.append(Passage(document.content_hash, page.number, start, end, text, heading))
    return found


def count_words(text: str) -> int:
    """Return the number of words; two characters without spaces between them (CJK) count as one."""
    wide = 0 if text.isascii() else len(_WIDE.findall(text))
    return len(text.split()) + wide // _CHARACTERS_PER_CJK_WORD


def _cut_page(page: Page, path: list[tuple[int, str]], title: str) -> Iterator[tuple[Span, str]]:
    """Yield spans and their headings; ``path`` is carried from page to page."""
    top = [title, page.label if not page.label.isdigit() else ""]
    current: _Open | None = None
    for block in blocks(page.text):
        if block.kind == "heading":
            if current and current.words >= MIN_SECTION_WORDS:
                yield Span(current.start, current.end), current.heading
                current = None
            _enter(path, block.level, heading_text(page.text[block.start : block.end]))
        for piece, header in _pieces(page.text, block):
            words = count_words(page.text[piece.start : piece.end])
            if current and not _fits(current, words):
                yield Span(current.start, current.end), current.heading
                current = None
            heading, is_body = _heading(top, path, header), block.kind != "heading"
            if not current:
                current = _Open(piece.start, piece.end, words, heading, is_body)
                continue
            if not current.has_body:
                # Several headings may follow one another before the text that they stand above.
                current.heading, current.has_body = heading, is_body
            current.end, current.words = piece.end, current.words + words
    if current:
        yield Span(current.start, current.end), current.heading


def _fits(current: _Open, words: int) -> bool:
    is_open = current.words < TARGET_WORDS or words <= _SMALL_REST_WORDS
    return is_open and current.words + words <= MAX_WORDS


def _enter(path: list[tuple[int, str]], level: int, title: str) -> None:
    while path and path[-1][0] >= level:
        path.pop()
    path.append((level, title))
    del path[:-_MAX_PATH_LEVELS]


def _heading(top: list[str], path: list[tuple[int, str]], header: str) -> str:
    parts = [*top, *(title for _, title in path), header]
    return " > ".join(dict.fromkeys(part for part in parts if part))


def _title(document: Document) -> str:
    """Return the first line of a document where it looks like a title, else nothing."""
    text = next((page.text for page in document.pages if page.text.strip()), "")
    first = next(iter(lines(text)), None)
    line = heading_text(text[slice(*first)]) if first else ""
    has_title = len(line.split()) <= _MAX_TITLE_WORDS and line[-1:].isalpha() and len(line) <= 80
    return line if has_title and not is_table_row(line) else ""


def _pieces(text: str, block: Block) -> Iterator[tuple[Span, str]]:
    """Yield parts of a block that are at most `MAX_WORDS` long, each with its table's head row."""
    if count_words(text[block.start : block.end]) <= MAX_WORDS:
        yield Span(block.start, block.end), ""
        return
    if block.kind == "table":
        rows = lines(text[block.start : block.end])
        parts = [Span(block.start + row.start, block.start + row.end) for row in rows]
        header = text[parts[0].start : parts[0].end]
    else:
        parts = list(sentences(text, block.start, block.end))
        header = ""
    for index, span in enumerate(_packed(text, parts)):
        yield span, header if index else ""


def _packed(text: str, parts: list[Span]) -> Iterator[Span]:
    """Yield rows or sentences put together up to the target; longer ones are cut at words."""
    start, end, words = parts[0].start, parts[0].start, 0
    for part in (piece for whole in parts for piece in _cut_long(text, whole)):
        count = count_words(text[part.start : part.end])
        if words and words + count > TARGET_WORDS:
            yield Span(start, end)
            start, words = part.start, 0
        end, words = part.end, words + count
    if words:
        yield Span(start, end)


def _cut_long(text: str, span: Span) -> Iterator[Span]:
    """Yield a sentence whole, or in pieces where it is longer than a passage may be."""
    start = span.start
    while count_words(text[start : span.end]) > MAX_WORDS:
        # About six characters a word; half of it is safe for scripts without spaces.
        limit = min(span.end, start + 3 * MAX_WORDS)
        cut = max(text.rfind(" ", start, limit), text.rfind("\n", start, limit)) + 1
        cut = cut if cut > start else limit
        yield Span(start, start + len(text[start:cut].rstrip()))
        start = cut
    if start < span.end:
        yield Span(start, span.end)
