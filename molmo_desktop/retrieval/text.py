# SPDX-License-Identifier: Apache-2.0
"""The structure of a page's text: lines, blocks, sentences; and how letters are compared.

All spans are ``(start, end)`` in characters of the text that was given, so that
``text[start:end]`` is what stands on the page. `plain_characters` keeps every character in its
place; `fold` does not and is for comparing only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

BlockKind = Literal["heading", "table", "item", "paragraph"]

_SPACES = "\u00a0\u2007\u2008\u2009\u202f\u3000\t"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
_SINGLES = "\u2018\u2019\u02bc\uff07"
_DOUBLES = "\u201c\u201d\u201e\u00ab\u00bb\uff02"
_PLAIN = {
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **dict.fromkeys(map(ord, _SINGLES), "'"),
    **dict.fromkeys(map(ord, _DOUBLES), '"'),
    ord("\uff1a"): ":", ord("\uff0c"): ",", ord("\uff05"): "%", ord("\uff08"): "(",
    ord("\uff09"): ")", ord("\uff20"): "@", ord("\uff0e"): ".",
}  # fmt: skip

_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_STARTS_WITH_ADDRESS = re.compile(r"\S+@\S+|https?://|www\.")
_BULLET = re.compile(r"\s*(?:[•‣◦▪●○■□–*·»›-]\s+|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]\s+)")
_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.+)")
_NUMBERED_HEADING = re.compile(
    r"(?:(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?|\d{1,2}\.|§+ ?\d+[a-z]?|[IVX]{1,5}\.|第.{1,4}[章条節节])\s"
    r"|(?:section|chapter|article|part|annex|appendix|schedule|abschnitt|kapitel|artikel|anlage|anhang"
    r"|chapitre|partie|annexe|sección|capítulo|artículo|anexo)\s+[\dIVXA-Z]{1,5}\b)",
    re.IGNORECASE,
)
_ENDS_SENTENCE = re.compile(r"[.!?。！？…;,:]['\")\]]*$")
_SENTENCE_BREAK = re.compile(
    r"(?<=[.!?…])(?P<closing>['\"”’)\]]*)\s+(?=['\"“‘(\[¿¡«]*[^\W_])|(?<=[。！？；])(?=.)",
    re.DOTALL,
)
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "no",
        "nos",
        "nr",
        "art",
        "abs",
        "inc",
        "ltd",
        "co",
        "corp",
        "dept",
        "approx",
        "ca",
        "bzw",
        "bspw",
        "vgl",
        "ggf",
        "inkl",
        "zzgl",
        "usw",
        "etc",
        "vs",
        "fig",
        "tel",
        "str",
        "e.g",
        "i.e",
        "z.b",
        "d.h",
        "u.a",
        "z.hd",
        "m",
        "n°",
        "p",
        "pp",
        "vol",
        "ed",
        "s",
        "sr",
        "sra",
        "dña",
        "avda",
        "núm",
        "ref",
        "mme",
        "mlle",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "okt",
        "dez",
        "min",
        "max",
        "resp",
        "ext",
        "hr",
        "fr",
        "incl",
        "excl",
        "cf",
        "al",
    ]
)
_MAX_HEADING_CHARACTERS = 90
_MAX_HEADING_WORDS = 12
_ENDS_WITH_VALUE = re.compile(r"(?:\d|[€$£¥%]|\b[A-Z]{3})$|:$")
_MIN_RUNNING_CHARACTERS = 20
_WHOLE_LINE_CHARACTERS = 80  # so long a line was broken by the page's width
_FULL_LINE_SHARE = 0.7  # a line this long, compared with the page's longest, runs on
_MIN_FULL_LINE_CHARACTERS = 40
_LONG_LINE_CHARACTERS = 60


class Span(NamedTuple):
    """Characters ``start`` to ``end`` of a text."""

    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """A heading, a table, a list item or a paragraph.

    Attributes:
        kind: What it is.
        start: First character.
        end: One past the last.
        level: Of a heading, 1 is the highest; 0 otherwise.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0


def plain_characters(text: str) -> str:
    """Return the text with one kind of space, dash, quote and digit, every character in place."""
    if text.isascii():
        return text.replace("\t", " ")
    plain = text.translate(_PLAIN)
    if _FOREIGN_DIGIT.search(plain):
        plain = _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), plain)
    return plain


@lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Return the text for comparing: NFKC, no case, no accents on Latin and Greek letters."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    kept: list[str] = []
    base = ""
    for character in unicodedata.normalize("NFD", folded):
        # Only Latin and Greek: the Russian й and Indian vowel signs are letters of their own.
        if "\u0300" <= character <= "\u036f" and base < "\u0400":
            continue
        kept.append(character)
        base = character if not unicodedata.combining(character) else base
    return unicodedata.normalize("NFC", "".join(kept))


def lines(text: str) -> list[Span]:
    """Return the lines of a text without the space around them; empty lines are left out."""
    return [line for line, _ in _lines_with_gaps(text)]


def _lines_with_gaps(text: str) -> list[tuple[Span, bool]]:
    """Return each line and whether an empty line stands before it."""
    found: list[tuple[Span, bool]] = []
    position, gap = 0, True
    for raw in text.splitlines(keepends=True):
        stripped = raw.strip()
        if stripped:
            start = position + raw.index(stripped[0])
            found.append((Span(start, start + len(stripped)), gap))
        gap = not stripped
        position += len(raw)
    return found


def is_table_row(line: str) -> bool:
    """Whether a line holds cells, as readers write table rows."""
    return " | " in line or "\t" in line.strip() or (line.startswith("|") and line.endswith("|"))


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page in order; together they hold every character but white space."""
    rows = _lines_with_gaps(text)
    full_length = _full_line_length([line for line, _ in rows])
    found: list[Block] = []
    for index, (span, gap) in enumerate(rows):
        line = text[span.start : span.end]
        level = _heading_level(text, rows, index)
        if is_table_row(line):
            kind: BlockKind = "table"
        elif level:
            kind = "heading"
        elif _BULLET.match(line):
            kind = "item"
        else:
            kind = "paragraph"
        last = found[-1] if found else None
        if last and not gap and _continues(last, kind, line, text, rows[index - 1][0], full_length):
            found[-1] = Block(last.kind, last.start, span.end, last.level)
        else:
            found.append(Block(kind, span.start, span.end, level if kind == "heading" else 0))
    return found


def _continues(
    last: Block, kind: BlockKind, line: str, text: str, line_before: Span, full_length: int
) -> bool:
    """Whether a line of this kind belongs to the block before it."""
    if last.kind == "table" or kind == "table":
        return last.kind == kind
    if kind != "paragraph" or last.kind == "heading":
        return False
    before = text[line_before.start : line_before.end]
    if _STARTS_WITH_ADDRESS.match(line):
        return False
    if before.endswith("-") or (line[0].islower() and len(before) >= _MIN_RUNNING_CHARACTERS):
        return True
    # A line of a form or a price list ends with its value and begins a new one.
    return len(before) >= full_length and not (
        _ENDS_WITH_VALUE.search(before) and len(before) < _WHOLE_LINE_CHARACTERS
    )


def _full_line_length(spans: list[Span]) -> int:
    longest = max((span.end - span.start for span in spans), default=0)
    return max(_MIN_FULL_LINE_CHARACTERS, int(_FULL_LINE_SHARE * min(longest, 120)))


def _heading_level(text: str, rows: list[tuple[Span, bool]], index: int) -> int:
    """Return the level of a heading, 0 for a line that is none."""
    span, gap = rows[index]
    line = text[span.start : span.end]
    if match := _MARKDOWN_HEADING.match(line):
        return len(match[1])
    looks_like_one = (
        len(line) <= _MAX_HEADING_CHARACTERS
        and len(line.split()) <= _MAX_HEADING_WORDS
        and not _ENDS_SENTENCE.search(line)
        and any(character.isalpha() for character in line)
        and not is_table_row(line)
    )
    if not looks_like_one:
        return 0
    if match := _NUMBERED_HEADING.match(line):
        rest = line[match.end() :]
        if rest and not rest[0].islower() and not re.search(r"\d[.,]\d\d\b", rest):
            return 1 + match[0].strip(" .").count(".")
    if (
        line.isupper()
        and sum(character.isalpha() for character in line) >= 4
        and not re.search(r"\d", line)
    ):
        return 1
    following = text[slice(*rows[index + 1][0])] if index + 1 < len(rows) else ""
    if re.match(r"\d{1,2} [^\W\d_]", line) and gap and len(following) < _LONG_LINE_CHARACTERS:
        return 0
    # A character of CJK is about as much as two letters.
    wide = sum(1 for character in following if "\u3040" <= character <= "\u9fff")
    introduces = len(following) + wide >= _LONG_LINE_CHARACTERS or is_table_row(following)
    before = text[rows[index - 1][0].start : rows[index - 1][0].end] if index else ""
    stands_alone = gap or bool(re.search(r"[.!?。！？]$", before))
    first = re.sub(r"^\d{1,2} ", "", line)[0]
    starts_like_one = first.isupper() or not first.isascii()
    has_value = bool(re.search(r"\d", re.sub(r"^\d{1,2} ", "", line))) or ":" in line
    return 2 if introduces and stands_alone and starts_like_one and not has_value else 0


def heading_text(line: str) -> str:
    """Return a heading without its marks."""
    match = _MARKDOWN_HEADING.match(line)
    return (match[2] if match else line).strip(" #*_")


@dataclass(frozen=True)
class Unit:
    """A sentence, an item, a lone line or a table row: what evidence points at.

    Attributes:
        start: First character.
        end: One past the last.
        header: The head row of its table; None outside tables and for the head row itself.
        is_row: It is a row of a table.
        is_heading: It stands above a section.
    """

    start: int
    end: int
    header: Span | None = None
    is_row: bool = False
    is_heading: bool = False


def units(text: str) -> list[Unit]:
    """Return the units of a page in order."""
    found: list[Unit] = []
    for block in blocks(text):
        if block.kind != "table":
            is_heading = block.kind == "heading"
            found.extend(
                Unit(*span, is_heading=is_heading)
                for span in sentences(text, block.start, block.end)
            )
            continue
        rows = [
            Span(block.start + row.start, block.start + row.end)
            for row in lines(text[block.start : block.end])
        ]
        found.append(Unit(*rows[0], is_row=True))
        found.extend(Unit(*row, header=rows[0], is_row=True) for row in rows[1:])
    return found


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[Span]:
    """Yield the sentences between two characters of a text."""
    end = len(text) if end is None else end
    first = start
    for match in _SENTENCE_BREAK.finditer(text, start, end):
        if _is_abbreviation(text[first : match.start()], text[match.end() : match.end() + 12]):
            continue
        yield Span(first, match.start() + len(match["closing"] or ""))
        first = match.end()
    tail = text[first:end].rstrip()
    if tail:
        yield Span(first, first + len(tail))


def _is_abbreviation(before: str, after: str) -> bool:
    """Whether the dot at the end of ``before`` ends no sentence."""
    if not before.endswith("."):
        return False
    word = re.split(r"[\s(]", before[:-1])[-1].lower()
    if re.fullmatch(r"\d{1,2}", word):
        return True
    is_initial = len(word) == 1 and word.isalpha()
    return is_initial or word in _ABBREVIATIONS or after[:1].islower()
