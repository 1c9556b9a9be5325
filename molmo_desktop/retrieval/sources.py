# SPDX-License-Identifier: Apache-2.0
"""The sentences and lines of what was read, prepared for matching."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.passages import Passage
from molmo_desktop.retrieval.text import Span, fold, plain_characters, units
from molmo_desktop.retrieval.tokens import tokenize
from molmo_desktop.retrieval.values import Value, find_values, shortened_dates

_NOT_WORDS = re.compile(r"[\W_]+")
_HYPHENATION = re.compile(r"(?<=\w)[-\u00ad]\s*\n\s*(?=[a-zà-ÿ])|\u00ad")


@dataclass(frozen=True)
class Unit:
    """A sentence, a table row or a line of a page.

    Attributes:
        document: Where it stands.
        page: Likewise.
        start: First character in the page's text.
        end: One past the last.
        text: ``page.text[start:end]``.
        language: Of its page.
        heading: Headings above it, as far as known.
    """

    document: Document
    page: Page
    start: int
    end: int
    text: str
    language: str
    heading: str = ""

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Stemmed words, numbers and dates."""
        return frozenset(tokenize(self.text, self.language))

    @cached_property
    def value_forms(self) -> frozenset[str]:
        """Forms of its values, dates also without day or year."""
        return comparable_forms(find_values(self.text))

    @cached_property
    def squashed(self) -> str:
        """Its words for exact matching."""
        return squash(self.text)


def comparable_forms(values: Iterable[Value]) -> frozenset[str]:
    """Return the forms of values, dates also without day or year."""
    return frozenset(
        short for value in values for form in value.forms for short in shortened_dates(form)
    )


@lru_cache(maxsize=4096)
def squash(text: str) -> str:
    """Return the folded words with one space around each; words cut by hyphens are joined."""
    joined = _HYPHENATION.sub("", text)
    return f" {_NOT_WORDS.sub(' ', fold(plain_characters(joined))).strip()} "


def read_units(documents: Sequence[Document], read: Sequence[Passage]) -> list[Unit]:
    """Return the units of what was read, in the order of the passages, each once.

    Without passages, everything in the documents counts as read.
    """
    by_hash = {document.content_hash: document for document in documents}
    if not read:
        read = [
            Passage(document.content_hash, page.number, 0, len(page.text), page.text)
            for document in documents
            for page in document.pages
        ]
    found: dict[tuple[str, int, int], Unit] = {}
    for passage in read:
        document = by_hash.get(passage.content_hash)
        page = document and next((p for p in document.pages if p.number == passage.page), None)
        if not document or not page:
            continue
        language = page_language(page.text)
        for span in page_units(page.text):
            if span.start < passage.end and span.end > passage.start:
                unit = Unit(
                    document, page, span.start, span.end, page.text[span.start : span.end],
                    language, passage.heading,
                )  # fmt: skip
                found.setdefault((passage.content_hash, page.number, span.start), unit)
    return list(found.values())


@lru_cache(maxsize=512)
def page_units(text: str) -> tuple[Span, ...]:
    """Return the units of a page's text; remembered, because one question asks several times."""
    return tuple(units(text))


@lru_cache(maxsize=512)
def page_language(text: str) -> str:
    """Return the language of a page."""
    return guess_language(text)
