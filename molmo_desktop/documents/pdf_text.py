# SPDX-License-Identifier: Apache-2.0
"""The text of one PDF page and where its words stand.

PDFium gives characters in the order of the page's content, with ends of lines. Words are cut
here and boxed from their first and last character: two calls a word instead of one a
character make it several times faster than a loop over characters.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium_c

from molmo_desktop.core.pages import WordBox
from molmo_desktop.documents.pdf_frame import Box, PageFrame
from molmo_desktop.documents.pdf_layout import Line, Word, in_reading_order

# PDFium writes this for the hyphen at the end of a line whose word goes on in the next.
_HYPHEN = "\ufffe"
# Scripts without spaces are cut into single characters, so that a passage can begin anywhere.
_UNSPACED = "\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f"
_TOKEN = re.compile(rf"\r?\n|{_HYPHEN}|[{_UNSPACED}]|[^\s{_HYPHEN}{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
# Presentation forms and ligatures: one glyph's shape instead of the letters that it stands for.
_SHAPES = re.compile("[\ufb00-\ufdff\ufe70-\ufefc\uf900-\ufaff]")
_DROPPED = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_SYMBOL_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓"})
# A font's own ascent and descent are wrong in some files; then the glyphs' boxes are used.
_TALL = 2.5
_MIN_SIDE_PT = 0.05


@dataclass(frozen=True)
class PageText:
    """What was read on a page.

    Attributes:
        text: Lines in reading order, separated by newlines.
        words: With offsets into ``text`` and boxes in points of the upright page.
        has_off_page: Text stands outside the visible page; it is not in ``text``.
    """

    text: str
    words: list[WordBox]
    has_off_page: bool


def read_text(page: Any, frame: PageFrame) -> PageText:
    """Return the text of a loaded page (a raw ``FPDF_PAGE``)."""
    text_page = pdfium_c.FPDFText_LoadPage(page)
    if not text_page:
        return PageText("", [], False)
    try:
        lines, has_off_page = _lines(text_page, frame)
    finally:
        pdfium_c.FPDFText_ClosePage(text_page)
    text, words = _joined(in_reading_order(lines, frame.width_pt))
    return PageText(text, words, has_off_page)


def _lines(text_page: Any, frame: PageFrame) -> tuple[list[Line], bool]:
    """Return the page's lines in content order, without what stands outside the page."""
    content = _characters(text_page)
    boxes = _Boxes(text_page, frame)
    lines: list[Line] = []
    current: list[Word] = []
    has_off_page = False
    for match in _TOKEN.finditer(content):
        token = match.group()
        if token == _HYPHEN:
            if current:
                current[-1] = current[-1]._replace(is_hyphenated=True)
            token = "\n"
        if token[-1] == "\n":
            if current:
                lines.append(Line(current))
                current = []
            continue
        word = _normalised(token)
        if not word:
            continue
        box = boxes.of(match.start(), match.end() - 1)
        if not _is_visible(box, frame):
            has_off_page = True
            continue
        is_glued = (
            match.start() > 0
            and bool(current)
            and content[match.start() - 1] not in " \u00a0\t\u3000"
        )
        current.append(Word(word, box, is_glued, False))
    if current:
        lines.append(Line(current))
    return lines, has_off_page


def _characters(text_page: Any) -> str:
    """Return the page's characters; index and PDFium's own character index agree."""
    count = pdfium_c.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium_c.FPDFText_GetText(text_page, 0, count, buffer)
    if written == count + 1:
        content = bytes(buffer)[: 2 * count].decode("utf-16-le", "surrogatepass")
        if len(content) == count:
            return content
    # Characters without a meaning are left out of the text and those beyond 16 bits take two
    # units, so that positions would shift: ask for each one.
    get = pdfium_c.FPDFText_GetUnicode
    return "".join(_character(get(text_page, index)) for index in range(count))


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def _normalised(word: str) -> str:
    """Return a word with letters for shapes, composed accents and nothing invisible."""
    if word.isascii() and word.isprintable():
        return word
    word = _DROPPED.sub("", word.translate(_SYMBOL_BULLETS))
    if _SHAPES.search(word):
        return unicodedata.normalize("NFKC", word)
    return unicodedata.normalize("NFC", word)


def _is_visible(box: Box, frame: PageFrame) -> bool:
    """Whether the middle of a box lies on the page."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return -1 <= x <= frame.width_pt + 1 and -1 <= y <= frame.height_pt + 1


class _Boxes:
    """Boxes of runs of characters on the upright page."""

    def __init__(self, text_page: Any, frame: PageFrame) -> None:
        self._text_page = text_page
        self._frame = frame
        self._first = pdfium_c.FS_RECTF()
        self._last = pdfium_c.FS_RECTF()
        self._first_ref = ctypes.byref(self._first)
        self._last_ref = ctypes.byref(self._last)
        self._doubles = [ctypes.c_double() for _ in range(4)]

    def of(self, first: int, last: int) -> Box:
        """Return the box around characters ``first`` to ``last``, both included."""
        loose = pdfium_c.FPDFText_GetLooseCharBox
        a, b = self._first, self._last
        good = loose(self._text_page, first, self._first_ref)
        good = good and loose(self._text_page, last, self._last_ref)
        left, right = min(a.left, b.left), max(a.right, b.right)
        bottom, top = min(a.bottom, b.bottom), max(a.top, b.top)
        if (
            not good
            or right - left < _MIN_SIDE_PT
            or top - bottom < _MIN_SIDE_PT
            or top - bottom > _TALL * self._font_size(first)
        ):
            left, bottom, right, top = self._tight(first, last)
        return self._frame.upright(left, bottom, right, top)

    def _font_size(self, index: int) -> float:
        return float(pdfium_c.FPDFText_GetFontSize(self._text_page, index)) or 1.0

    def _tight(self, first: int, last: int) -> tuple[float, float, float, float]:
        """Return the union of the glyphs' own boxes."""
        left = bottom = float("inf")
        right = top = float("-inf")
        x0, x1, y0, y1 = self._doubles
        for index in range(first, last + 1):
            pdfium_c.FPDFText_GetCharBox(self._text_page, index, x0, x1, y0, y1)
            left, right = min(left, x0.value), max(right, x1.value)
            bottom, top = min(bottom, y0.value), max(top, y1.value)
        return left, bottom, right, top


def _joined(lines: list[Line]) -> tuple[str, list[WordBox]]:
    """Return the text of ordered lines, and the words with their offsets into it."""
    parts: list[str] = []
    words: list[WordBox] = []
    at = 0
    for word, separator in _with_separators(lines):
        if separator:
            parts.append(separator)
            at += len(separator)
        end = at + len(word.text)
        x0, y0, x1, y1 = word.box
        words.append(WordBox(at, end, round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)))
        parts.append(word.text)
        at = end
    return "".join(parts), words


def _with_separators(lines: list[Line]) -> Iterator[tuple[Word, str]]:
    """Yield each word with what stands before it.

    A word cut by a hyphen at the end of a line is joined again, and its line ends after it.
    """
    pending = ""
    broken: Word | None = None
    for line in lines:
        for position, word in enumerate(line.words):
            if broken is not None:
                yield word, "" if _is_joined(broken, word) else "-"
                broken = None
            elif pending or position == 0:
                yield word, pending
                pending = ""
            else:
                yield word, "" if word.is_glued else " "
        pending = "\n"
        if line.words[-1].is_hyphenated:
            broken = line.words[-1]


def _is_joined(before: Word, after: Word) -> bool:
    """Whether the hyphen only served the end of the line."""
    return before.text[-1:].isalpha() and after.text[:1].islower()
