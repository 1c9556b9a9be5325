# SPDX-License-Identifier: Apache-2.0
"""The order in which people read the lines of a page.

The order of a page's content is the author's and nearly always right, columns and tables
included. It is changed only where it plainly is not what people read.
"""

from __future__ import annotations

from typing import NamedTuple

from molmo_desktop.documents.pdf_frame import Box


class Word(NamedTuple):
    """A word as it stands on the page.

    Attributes:
        text: Its letters.
        box: Points of the upright page.
        is_glued: No blank before it.
        is_hyphenated: It ends in a hyphen at the end of its line and goes on in the next.
    """

    text: str
    box: Box
    is_glued: bool
    is_hyphenated: bool


class Line(NamedTuple):
    """Words that the content puts on one line."""

    words: list[Word]


def in_reading_order(lines: list[Line], width_pt: float) -> list[Line]:
    """Return the lines in the order in which they are read."""
    return lines
