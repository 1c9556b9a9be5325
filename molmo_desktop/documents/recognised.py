# SPDX-License-Identifier: Apache-2.0
"""A document whose pages without text were read by text recognition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.documents.formats import is_picture_format
from molmo_desktop.documents.ocr_engines import engine_name
from molmo_desktop.documents.pages_in_words import (
    is_no_text_sentence,
    no_text_sentence,
    recognised_sentence,
)

# No warning of the document, because a model that sees looks at the picture all the same.
PICTURE_SENTENCE = "The text in the picture was read by text recognition."


def pages_to_recognise(document: Document) -> list[int]:
    """Return the numbers of the pages without text that could be recognised on this computer."""
    if document.format != "pdf" and not is_picture_format(document.format):
        return []
    missing = [page.number for page in document.pages if not page.text.strip()]
    return missing if missing and engine_name() is not None else []


def with_recognised(document: Document, found: Mapping[int, Page]) -> Document:
    """Return a document with recognised pages in place of those without text.

    Args:
        document: As it was read.
        found: The pages by number; those without text change nothing.
    """
    pages = tuple(
        replace(page, text=new.text, origin=new.origin, words=new.words)
        if (new := found.get(page.number)) is not None and new.text and not page.text.strip()
        else page
        for page in document.pages
    )
    return replace(document, pages=pages, warnings=_warnings(replace(document, pages=pages)))


def _warnings(document: Document) -> tuple[str, ...]:
    """Return the sentences about a document, those about its text as it is now."""
    had_sentence = any(map(is_no_text_sentence, document.warnings))
    kept = [
        sentence
        for sentence in document.warnings
        if not is_no_text_sentence(sentence) and not sentence.endswith("read by text recognition.")
    ]
    recognised = [page.number for page in document.pages if page.origin == "ocr"]
    without = [page.number for page in document.pages if not page.text.strip()]
    if recognised and not document.is_picture:
        kept.append(recognised_sentence(recognised))
    if without and had_sentence:
        kept.append(no_text_sentence(without))
    return tuple(kept)
