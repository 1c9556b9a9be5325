# SPDX-License-Identifier: Apache-2.0
"""From recognised words to the text of a page, joined like the text of any PDF page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from molmo_desktop.core.pages import Box, WordBox
from molmo_desktop.documents.pdf_layout import Line, Word, make_line
from molmo_desktop.documents.pdf_text import UNSPACED, joined

# Measured: upright text is recognised with a confidence of 90 and more, turned by a quarter or
# by half with 42, and the specks of a photograph with less.
MIN_CONFIDENCE = 60.0
_MIN_WORD_CONFIDENCE = 20.0
_MIN_LETTERS = 3
_HYPHENS = ("-", "\u2010", "\u00ac")


class FoundWord(NamedTuple):
    """A word as an engine recognised it.

    Attributes:
        text: Its letters.
        box: In the pixels of the upright text (x0, y0, x1, y1), for the order and the gaps.
        shown: In the pixels of the image as it is shown.
        confidence: 0 to 100.
        line: Number of its line; grows in reading order.
    """

    text: str
    box: Box
    shown: Box
    confidence: float
    line: int


def confidence(words: Sequence[FoundWord]) -> float:
    """Return how sure an engine is of its words, each letter counting the same; 0 for none."""
    letters = [sum(map(str.isalnum, word.text)) for word in words]
    total = sum(letters)
    if total < _MIN_LETTERS:
        return 0.0
    return sum(word.confidence * n for word, n in zip(words, letters, strict=True)) / total


def page_text(words: Sequence[FoundWord], scale: float) -> tuple[str, list[WordBox]]:
    """Return the text and the boxes in units of the page; nothing when it is mere noise.

    Args:
        words: In reading order.
        scale: Pixels per unit of the page's size.
    """
    if confidence(words) < MIN_CONFIDENCE:
        return "", []
    kept = [word for word in words if word.confidence >= _MIN_WORD_CONFIDENCE]
    lines: list[Line] = []
    shown: list[Box] = []
    for _, group in groupby(kept, key=lambda word: word.line):
        members = list(group)
        line = _line(members)
        if line is not None:
            lines.append(line)
            shown.extend(word.shown for word in members)
    text, boxes = joined(lines)
    return text, [
        WordBox(word.start, word.end, *(value / scale for value in box))
        for word, box in zip(boxes, shown, strict=True)
    ]


def _line(words: Sequence[FoundWord]) -> Line | None:
    """Return the words as a line; a hyphen at its end says that the last one goes on."""
    texts = [unicodedata.normalize("NFC", word.text) for word in words]
    if not texts:
        return None
    is_hyphenated = len(texts[-1]) > 2 and texts[-1].endswith(_HYPHENS)
    if is_hyphenated:
        texts[-1] = texts[-1][:-1]
    made = []
    for at, (text, word) in enumerate(zip(texts, words, strict=True)):
        is_glued = at > 0 and _is_unspaced(texts[at - 1][-1:]) and _is_unspaced(text[:1])
        made.append(Word(text, word.box, is_glued))
    return make_line(made, is_hyphenated)


def _is_unspaced(letter: str) -> bool:
    """Whether a letter is of a script that sets no blanks between words."""
    return bool(letter) and UNSPACED.match(letter) is not None
