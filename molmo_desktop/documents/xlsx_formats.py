# SPDX-License-Identifier: Apache-2.0
"""Numbers of a workbook as they are shown: "12.50 EUR", "20 %", "2026-11-03", not 46329.0.

Covers what offices use: decimals, thousands, percent, currencies and other literal text,
dates, times, sections for negative numbers and zero. Anything else (fractions, exponents) is
shown plainly with all its digits.
"""

from __future__ import annotations

import datetime
import re
from functools import lru_cache
from typing import NamedTuple

# ECMA-376 part 1, 18.8.30: the formats that files name by number only.
BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00",
    40: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss",
}  # fmt: skip
_EPOCH_1900 = datetime.datetime(1899, 12, 30)
_EPOCH_1904 = datetime.datetime(1904, 1, 1)
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[\$(?P<currency>[^\]-]*)[^\]]*\]'
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[[^\]]*\]|_.|\*."
    r"|(?P<half>AM/PM|A/P)|(?P<general>General)|(?P<fraction>(?<=s)\.0+)|(?P<date>y+|m+|d+|h+|s+)"
    r"|(?P<digits>[0#?][0#?,.]*)|(?P<percent>%)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_NOT_DONE = re.compile(r"[0#?]E[+-]|[0#?] ?/ ?[0-9#?]")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MAX_DAYS = 2_958_465  # 31 December 9999
_MAX_DECIMALS = 30


class _Part(NamedTuple):
    kind: str
    text: str


def shown(value: float, number_format: str, *, is_1904: bool = False) -> str:
    """Return a number as its format shows it.

    Args:
        value: The stored number; for a date, days since the workbook's epoch.
        number_format: The format's code; empty or "General" for none.
        is_1904: The workbook counts days from 1904.
    """
    if _NOT_DONE.search(number_format):
        return plain(value)
    sections = _sections(number_format)
    parts, is_negative_shown = _section_for(value, sections)
    if not parts:
        return plain(value)
    if any(part.kind in ("date", "elapsed") for part in parts):
        return _date(value, parts, is_1904)
    return _number(value, parts, is_negative_shown)


def plain(value: float) -> str:
    """Return a number without a format: at most eleven digits, as a sheet shows it."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.11g}"


@lru_cache(maxsize=512)
def _sections(number_format: str) -> tuple[tuple[_Part, ...], ...]:
    """Return the parts of each of a format's sections (positive; negative; zero; text)."""
    if number_format in ("", "General", "@"):
        return ((),)
    sections: list[list[_Part]] = [[]]
    for match in _TOKEN.finditer(number_format):
        kind = match.lastgroup or ""
        if kind == "literal" and match.group() == ";":
            sections.append([])
            continue
        if kind == "":
            continue
        kept = "literal" if kind in ("quoted", "escaped", "currency") else kind
        sections[-1].append(_Part(kept, match[kind]))
    return tuple(tuple(section) for section in sections)


def _section_for(
    value: float, sections: tuple[tuple[_Part, ...], ...]
) -> tuple[tuple[_Part, ...], bool]:
    """Return the section for a value, and whether that section itself marks it as negative."""
    if value < 0 and len(sections) > 1 and sections[1]:
        return sections[1], True
    if value == 0 and len(sections) > 2 and sections[2]:
        return sections[2], False
    return sections[0], False


def _number(value: float, parts: tuple[_Part, ...], is_negative_shown: bool) -> str:
    """Return a number with its literals around it."""
    scaled = abs(value) * 100 ** sum(part.kind == "percent" for part in parts)
    pieces: list[str] = []
    has_digits = False
    for part in parts:
        if part.kind == "digits":
            if not has_digits:
                pieces.append(_digits(scaled, part.text))
                has_digits = True
        elif part.kind in ("literal", "percent") or part.kind == "half":
            pieces.append(part.text)
    if not has_digits and value and not any(piece.strip() for piece in pieces):
        return plain(value)
    sign = "-" if value < 0 and not is_negative_shown else ""
    return (sign + "".join(pieces)).strip()


def _digits(value: float, code: str) -> str:
    """Return the digits that a code such as "#,##0.00" asks for."""
    whole, _, decimals = code.partition(".")
    while whole.endswith(","):  # each one at the end stands for thousands left out
        whole, value = whole[:-1], value / 1000
    required = len(decimals.rstrip("#?,"))
    text = f"{value:.{min(len(decimals.replace(',', '')), _MAX_DECIMALS)}f}"
    before, _, after = text.partition(".")
    while len(after) > required and after.endswith("0"):
        after = after[:-1]
    before = before.rjust(whole.count("0"), "0")
    if "," in whole:
        before = f"{int(before):,}".rjust(whole.count("0"), "0")
    return f"{before}.{after}" if after else before


def _date(value: float, parts: tuple[_Part, ...], is_1904: bool) -> str:
    """Return a date, a time or a duration."""
    if not 0 <= value <= _MAX_DAYS:
        return plain(value)
    epoch = _EPOCH_1904 if is_1904 else _EPOCH_1900
    # A tenth of a second is less than any workbook means; it keeps 11:59:59.9999 from standing.
    seconds = round(value * 86_400, 1)
    moment = epoch + datetime.timedelta(seconds=round(seconds))
    if value < 60 and not is_1904 and value >= 1:
        moment += datetime.timedelta(days=1)  # Excel counts a 29 February 1900
    has_half = any(part.kind == "half" for part in parts)
    pieces: list[str] = []
    for index, part in enumerate(parts):
        if part.kind == "elapsed":
            pieces.append(_elapsed(seconds, part.text.lower()))
        elif part.kind == "date":
            pieces.append(_date_part(moment, part.text.lower(), _is_minute(parts, index), has_half))
        elif part.kind == "half":
            pieces.append("AM" if moment.hour < 12 else "PM")
        elif part.kind == "literal":
            pieces.append(part.text)
    return "".join(pieces).strip()


def _is_minute(parts: tuple[_Part, ...], index: int) -> bool:
    """Whether an "m" means minutes: it follows hours or stands before seconds."""
    before = [part.text.lower() for part in parts[:index] if part.kind in ("date", "elapsed")]
    after = [part.text.lower() for part in parts[index + 1 :] if part.kind in ("date", "elapsed")]
    return bool(before and before[-1][0] == "h") or bool(after and after[0][0] == "s")


def _date_part(moment: datetime.datetime, code: str, is_minute: bool, has_half: bool) -> str:
    letter, width = code[0], len(code)
    if letter == "y":
        return f"{moment.year:04d}" if width > 2 else f"{moment.year % 100:02d}"
    if letter == "m" and is_minute:
        return f"{moment.minute:0{min(width, 2)}d}"
    if letter == "m":
        name = _MONTHS[moment.month - 1]
        return f"{moment.month:0{width}d}" if width < 3 else name[:3] if width == 3 else name
    if letter == "d":
        name = _DAYS[moment.weekday()]
        return f"{moment.day:0{width}d}" if width < 3 else name[:3] if width == 3 else name
    if letter == "h":
        hour = (moment.hour % 12 or 12) if has_half else moment.hour
        return f"{hour:0{min(width, 2)}d}"
    return f"{moment.second:0{min(width, 2)}d}"


def _elapsed(seconds: float, code: str) -> str:
    unit = {"h": 3600, "m": 60, "s": 1}[code[0]]
    return f"{int(seconds // unit):0{len(code)}d}"
