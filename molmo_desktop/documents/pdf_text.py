# SPDX-License-Identifier: Apache-2.0
"""The text of one PDF page and where its words stand.

PDFium gives characters in the order of the page's content, with ends of lines. Words are cut
here, letters are put for the shapes of letters, words broken at the end of a line are joined,
and what no reader of the page can see is left out and reported.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

from molmo_desktop.core.pages import WordBox
from molmo_desktop.documents.pdf_boxes import CharacterBoxes, Rect, has_covering_picture
from molmo_desktop.documents.pdf_frame import PageFrame
from molmo_desktop.documents.pdf_layout import (
    Line,
    Word,
    in_reading_order,
    make_line,
    paragraph_starts,
)
from molmo_desktop.documents.pdf_notes import with_notes

# PDFium writes this for the hyphen at the end of a line whose word goes on in the next.
_HYPHEN = "\ufffe"
# Scripts without spaces are cut into single characters, so that a passage can begin anywhere.
_UNSPACED = "\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f"
UNSPACED = re.compile(f"[{_UNSPACED}]")
_TOKEN = re.compile(rf"\r?\n|{_HYPHEN}|[{_UNSPACED}]|[^\s{_HYPHEN}{_UNSPACED}]+")
# Presentation forms and ligatures: one glyph's shape instead of the letters that it stands for.
_SHAPES = re.compile("[\ufb00-\ufdff\ufe70-\ufefc\uf900-\ufaff]")
_DROPPED = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_SYMBOL_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "▪", "\uf0d8": "➢", "\uf0fc": "✓"})
# Between words of a line a gap this many times its height is a column of a table.
_COLUMN_GAP = 1.8
_MARK_CHARS = 4
_LONG_WORD_CHARS = 7
# Private letters without a meaning, the mark for an unknown one, and control characters.
_MEANINGLESS = re.compile("[\ufffd\ue000-\uf0a6\uf0fd-\uf8ff\x00-\x08\x0b\x0e-\x1f]")
_GARBLED_SHARE = 0.3
_WHITE = (" ", "\r", "\n")
_LINE_ENDS = ("\n", "\r\n", _HYPHEN)


@dataclass(frozen=True)
class PageText:
    """What was read on a page.

    Attributes:
        text: Lines in reading order, separated by newlines, paragraphs by an empty line;
            a tab stands between the columns of a table.
        words: With offsets into ``text`` and boxes in points of the upright page.
        has_off_page: Text stands outside the visible page; it is not in ``text``.
        has_hidden: Text is drawn invisible or too small to be read; it is not in ``text``.
        is_garbled: The text layer says something else than the page shows; it is left out.
    """

    text: str
    words: list[WordBox]
    has_off_page: bool = False
    has_hidden: bool = False
    is_garbled: bool = False


def read_text(page: Any, frame: PageFrame, form: Any = None) -> PageText:
    """Return the text of a loaded page.

    Args:
        page: A raw ``FPDF_PAGE``.
        frame: Of that page.
        form: The document's form environment (raw), None when it has no form.
    """
    text_page = pdfium_c.FPDFText_LoadPage(page)
    if not text_page:
        return PageText("", [])
    try:
        collector = _Collector(page, text_page, frame)
        lines = [] if collector.is_garbled else collector.lines()
    finally:
        pdfium_c.FPDFText_ClosePage(text_page)
    lines = with_notes(in_reading_order(lines, frame.width_pt), page, form, frame)
    text, words = joined(lines)
    return PageText(text, words, collector.has_off_page, collector.has_hidden, collector.is_garbled)


class _Checked(NamedTuple):
    """What is known of the letters from ``bottom`` to ``top`` on a line.

    A word within ``slack`` of the same heights is most likely written alike.
    """

    bottom: float
    top: float
    slack: float
    is_tall: bool
    is_hidden: bool


class _Collector:
    """Cuts a page's characters into lines of visible words."""

    def __init__(self, page: Any, text_page: Any, frame: PageFrame) -> None:
        self.has_off_page = False
        self.has_hidden = False
        self._page = page
        self._frame = frame
        self._boxes = CharacterBoxes(text_page)
        self._content = _characters(text_page)
        self.is_garbled = _is_garbled(self._content)
        self._is_scan: bool | None = None

    def lines(self) -> list[Line]:
        """Return the lines in content order."""
        lines: list[Line] = []
        current: list[Word] = []
        checked: _Checked | None = None
        content, around = self._content, self._boxes.around
        upright, is_on_page = self._frame.upright, self._frame.holds_middle
        new = tuple.__new__
        for match in _TOKEN.finditer(content):
            token = match.group()
            if token in _LINE_ENDS:
                if current:
                    lines.append(make_line(current, token == _HYPHEN))
                    current = []
                checked = None
                continue
            start, end = match.span()
            rect = around(start, end - 1)
            # Words alike are checked once; written out, as all of this runs for each word.
            if (
                checked is None
                or rect[1] < checked.bottom - checked.slack
                or rect[1] > checked.bottom + checked.slack
                or rect[3] < checked.top - checked.slack
                or rect[3] > checked.top + checked.slack
            ):
                checked = self._check(rect, start)
            if checked.is_tall:
                rect = self._boxes.drawn(start, end - 1)
            if checked.is_hidden:
                continue
            if not is_on_page(rect):
                self.has_off_page = True
                continue
            word = token if token.isascii() and token.isprintable() else _normalised(token)
            if word:
                is_glued = bool(current) and not content[start - 1].isspace()
                # Half the time of Word(…), which passes through a function of its own.
                current.append(new(Word, (word, upright(rect), is_glued)))
        if current:
            lines.append(make_line(current))
        return lines

    def _check(self, rect: Rect, index: int) -> _Checked:
        """Look at one letter closely, for all that follow it on the line and look alike."""
        boxes = self._boxes
        is_hidden = boxes.is_tiny(rect, index) or (
            boxes.is_invisible(index) and not self._on_scan()
        )
        self.has_hidden = self.has_hidden or is_hidden
        slack = 0.1 * (rect[3] - rect[1])
        return _Checked(rect[1], rect[3], slack, boxes.is_too_tall(rect, index), is_hidden)

    def _on_scan(self) -> bool:
        """Whether invisible text lies over a picture of it, as OCR programs put it."""
        if self._is_scan is None:
            frame = self._frame
            self._is_scan = has_covering_picture(self._page, frame.width_pt, frame.height_pt)
        return self._is_scan


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


def _is_garbled(content: str) -> bool:
    """Whether most characters stand for nothing: fonts that do not say which letters they draw."""
    letters = len(content) - sum(map(content.count, _WHITE))
    return letters > 0 and len(_MEANINGLESS.findall(content)) > _GARBLED_SHARE * letters


def _character(code: int) -> str:
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def _normalised(word: str) -> str:
    """Return a word with letters for shapes, composed accents and nothing invisible."""
    word = _DROPPED.sub("", word.translate(_SYMBOL_BULLETS))
    if _SHAPES.search(word):
        return unicodedata.normalize("NFKC", word)
    return unicodedata.normalize("NFC", word)


def joined(lines: list[Line]) -> tuple[str, list[WordBox]]:
    """Return the text of ordered lines, and the words with their offsets into it.

    A word cut by a hyphen at the end of a line is joined again, and its line ends after it.
    """
    parts: list[str] = []
    words: list[WordBox] = []
    new = tuple.__new__
    at = 0
    pending = ""
    broken = ""
    for line, is_start in zip(lines, paragraph_starts(lines), strict=True):
        if is_start and not broken:
            pending = "\n\n"
        column_gap = _COLUMN_GAP * (line.box[3] - line.box[1])
        before: Word | None = None
        for word in line.words:
            text, (x0, y0, x1, y1), is_glued = word
            if broken:
                separator = "" if _is_joined(broken, text) else "-"
                broken = ""
            elif pending or before is None:
                separator, pending = pending, ""
            elif x0 - before.box[2] > column_gap:
                separator = _column_blank(before, before is line.words[0])
            else:
                separator = "" if is_glued else " "
            if separator:
                parts.append(separator)
                at += len(separator)
            parts.append(text)
            end = at + len(text)
            words.append(new(WordBox, (at, end, x0, y0, x1, y1)))
            at = end
            before = word
        pending = "\n"
        broken = line.words[-1].text if line.is_hyphenated else ""
    return "".join(parts), words


def _column_blank(before: Word, is_first: bool) -> str:
    """Return what stands after a word with a wide gap behind it: a tab between columns.

    The number or bullet of a heading or item stands apart too, but is no column.
    """
    is_mark = is_first and len(before.text) <= _MARK_CHARS and not before.text[0].isalpha()
    return " " if is_mark else "\t"


def _is_joined(before: str, after: str) -> bool:
    """Whether the hyphen only served the end of the line.

    Words in small letters were broken there; in capitals only long ones, "DIN-EN" is a name.
    """
    if before[-1:].isalpha() and after[:1].islower():
        return True
    is_long = len(before) + len(after) >= _LONG_WORD_CHARS
    return is_long and before.isupper() and after.isupper()
