# SPDX-License-Identifier: Apache-2.0
"""What a file turns into when it is read: a document with pages, their text and word boxes.

Readers (`documents`) make these, `retrieval` searches them, `ui` shows them. All are plain
data that JSON can carry, because they come out of another process.

Frames: boxes are in points (1/72 inch), origin top left of the upright page. ``start`` and
``end`` count characters of `Page.text`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Origin = Literal["text layer", "ocr", "vision", "none"]
Box = tuple[float, float, float, float]


class WordBox(NamedTuple):
    """One word of a page: its characters in the page's text and its box in points."""

    start: int
    end: int
    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True)
class Page:
    """One page of a document.

    Attributes:
        number: Counts from 1.
        text: What was read, lines separated by newlines; empty for a picture.
        origin: How the text was got; "none" for a picture or a page without text.
        width_pt: Width of the upright page in points; for a picture, its width in pixels.
        height_pt: Likewise.
        words: Words with boxes in reading order; empty where the format has no positions.
        label: The page's own name ("iv", a sheet's name), empty when it has none.
    """

    number: int
    text: str
    origin: Origin
    width_pt: float
    height_pt: float
    words: tuple[WordBox, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Document:
    """A file that was read.

    Attributes:
        path: Where it was read from.
        format: Short lower-case name: pdf, docx, pptx, xlsx, html, markdown, text, csv, or the
            picture's format (png, jpeg, webp, gif, tiff, bmp, avif).
        content_hash: SHA-256 of the file's bytes, hex.
        pages: At least one.
        is_picture: The pages are pictures: there is no text, a model must look at them.
        warnings: Sentences for the user ("page 3 has no text").
    """

    path: Path
    format: str
    content_hash: str
    pages: tuple[Page, ...]
    is_picture: bool = False
    warnings: tuple[str, ...] = field(default=())

    @property
    def has_text(self) -> bool:
        """Whether at least one page has text."""
        return any(page.text.strip() for page in self.pages)


@dataclass(frozen=True)
class PageImage:
    """A rendered page or a decoded picture, upright, 8-bit RGB, rows from the top.

    Attributes:
        width_px: Width.
        height_px: Height.
        rgb: ``width_px * height_px * 3`` bytes.
        scale: Pixels of this image per unit of the page's ``width_pt``.
    """

    width_px: int
    height_px: int
    rgb: bytes
    scale: float = 1.0
