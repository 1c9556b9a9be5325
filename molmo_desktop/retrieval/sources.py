# SPDX-License-Identifier: Apache-2.0
"""The sentences and lines of what was read, prepared for matching."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.passages import Passage
from molmo_desktop.retrieval.text import Unit, fold, is_table_row, plain_characters, units
from molmo_desktop.retrieval.tokens import tokenize
from molmo_desktop.retrieval.values import Value, find_values

_NOT_WORDS = re.compile(r"[\W_]+")
_HYPHENATION = re.compile(r"(?<=\w)[-\u00ad]\s*\n\s*(?=[a-zà-ÿ])|\u00ad")


@dataclass(frozen=True)
class ReadUnit:
    """A sentence, a table row or a line of a page that was read.

    Attributes:
        document: Where it stands.
        page: Likewise.
        start: First character in the page's text.
        end: One past the last.
        text: ``page.text[start:end]``.
        language: Of its page.
        heading: Headings above it, as far as known.
        context: What stands before it: the sentence or row; before a table, for its rows.
        header: The head row of its table; empty for everything else.
        is_heading: It stands above a section and says little by itself.
    """

    document: Document
    page: Page
    start: int
    end: int
    text: str
    language: str
    heading: str = ""
    context: str = ""
    header: str = ""
    is_heading: bool = False

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Stemmed words, numbers and dates."""
        return frozenset(token for token in self.marked_tokens if not token.startswith("is:"))

    @cached_property
    def marked_tokens(self) -> tuple[str, ...]:
        """The same in order, with marks of values and names."""
        return cached_tokens(self.text, self.language)

    @cached_property
    def context_tokens(self) -> tuple[str, ...]:
        """Tokens of heading and context, without marks."""
        marked = cached_tokens(f"{self.heading}\n{self.context}\n{self.header}", self.language)
        return tuple(token for token in marked if not token.startswith("is:"))

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """Its values."""
        return cached_values(self.text)


@lru_cache(maxsize=20_000)
def cached_tokens(text: str, language: str) -> tuple[str, ...]:
    """Return the tokens with marks; remembered, because one answer asks for them often."""
    return tuple(tokenize(text, language, marks=True))


@lru_cache(maxsize=4096)
def cached_values(text: str) -> tuple[Value, ...]:
    """Return the values of a text; remembered likewise."""
    return tuple(find_values(text))


@lru_cache(maxsize=4096)
def squash(text: str) -> str:
    """Return the folded words with one space around each; words cut by hyphens are joined."""
    joined = _HYPHENATION.sub("", text)
    return f" {_NOT_WORDS.sub(' ', fold(plain_characters(joined))).strip()} "


def read_units(documents: Sequence[Document], read: Sequence[Passage]) -> list[ReadUnit]:
    """Return the units of what was read, in the order of the passages, each once.

    Without passages, everything in the documents counts as read.
    """
    by_hash = {document.content_hash: document for document in documents}
    pages = {(d.content_hash, page.number): page for d in documents for page in d.pages}
    if not read:
        read = [
            Passage(key, number, 0, len(page.text), page.text)
            for (key, number), page in pages.items()
        ]
    found: dict[tuple[str, int, int], ReadUnit] = {}
    for passage in read:
        document = by_hash.get(passage.content_hash)
        page = pages.get((passage.content_hash, passage.page))
        if not document or not page:
            continue
        language = page_language(page.text)
        context = introduction = ""
        for unit in page_units(page.text):
            text = page.text[unit.start : unit.end]
            introduction = introduction if unit.header else context
            key = (passage.content_hash, page.number, unit.start)
            if unit.start < passage.end and unit.end > passage.start and key not in found:
                found[key] = ReadUnit(
                    document=document,
                    page=page,
                    start=unit.start,
                    end=unit.end,
                    text=text,
                    language=language,
                    heading=passage.heading,
                    context=introduction if unit.header else context,
                    header=page.text[slice(*unit.header)] if unit.header else "",
                    is_heading=unit.is_heading,
                )
            context = text
    return list(found.values())


def passage_units(passage: Passage) -> list[ReadUnit]:
    """Return the units of a passage whose document is not at hand."""
    page = Page(passage.page, passage.text, "text layer", 0.0, 0.0)
    document = Document(Path(), "text", passage.content_hash, (page,))
    whole = replace(passage, start=0, end=len(passage.text))
    units = read_units([document], [whole])
    # A piece of a long table has the head row in its heading; its own first row is no head.
    last_heading = passage.heading.rsplit(" > ", 1)[-1]
    if is_table_row(last_heading) and units and is_table_row(units[0].text):
        return [
            replace(unit, header=last_heading) if is_table_row(unit.text) else unit
            for unit in units
        ]
    return units


@lru_cache(maxsize=512)
def page_units(text: str) -> tuple[Unit, ...]:
    """Return the units of a page's text; remembered, because one answer asks for them often."""
    return tuple(units(text))


@lru_cache(maxsize=512)
def page_language(text: str) -> str:
    """Return the language of a page."""
    return guess_language(text)
