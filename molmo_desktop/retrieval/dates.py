# SPDX-License-Identifier: Apache-2.0
"""Dates in a text, however they are written, in forms that can be compared.

A form is ``2026-11-23``, ``2026-11`` for a month or ``--11-23`` for a day without its year. A
date that can be read in two ways (``03/04/2026``) has both forms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTH_NAMES = (
    "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari января",
    "february feb februar février févr fev febrero febbraio fevereiro februari февраля",
    "march mar märz mrz mars marzo março maart marca марта",
    "april apr avril avr abril aprile abr апреля",
    "may mai mayo mei maj maggio maio мая",
    "june jun juni juin junio giugno giu junho июня",
    "july jul juli juillet juil julio luglio lug julho июля",
    "august aug août agosto ago augustus augusti августа",
    "september sep sept septembre septiembre settembre set setembro сентября",
    "october oct oktober okt octobre octubre ottobre ott outubro октября",
    "november nov novembre noviembre novembro ноября",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro декабря",
)
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}

_MONTH = re.compile(r"\b(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b")
_YEAR = r"((?:19|20)\d\d)(?!\d)"
_DAY_BEFORE = re.compile(r"(?<![\d.,])(\d{1,2})(?:st|nd|rd|th|er|º|\.)?\s?(?:de |of |-)?\s?$")
_YEAR_AFTER = re.compile(rf"\.?(?:,? ?(?:de |del |-)?|\n){_YEAR}")
_DAY_AFTER = re.compile(rf"\.?\s(\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]|[.,]\d)(?:,? {_YEAR})?")
_YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(
    r"(?<![\d.])(\d{1,2})([-/.])\s?(\d{1,2})\2\s?((?:19|20)?\d\d)(?![\d.])(?!,\d)"
)
_CJK = re.compile(r"(?<!\d)(\d{4})\s?年\s?(\d{1,2})\s?月(?:\s?(\d{1,2})\s?[日号])?")
_LONGEST_DAY = 12  # characters that a day and its particles take before the month
_CENTURY_TURN = 70  # "26" is 2026, "71" is 1971


class FoundDate(NamedTuple):
    """A date: characters ``start`` to ``end`` and its forms."""

    start: int
    end: int
    forms: frozenset[str]


def find_dates(text: str) -> Iterator[FoundDate]:
    """Yield the dates of a text; digits have to be ASCII."""
    for match in _YEAR_FIRST.finditer(text):
        year, _, month, day = match.groups()
        yield from _found(match.start(), match.end(), _forms(int(year), int(month), int(day)))
    for match in _YEAR_LAST.finditer(text):
        first, _, second, written_year = match.groups()
        year = int(written_year)
        if year < 100:
            year += 2000 if year < _CENTURY_TURN else 1900
        forms = _forms(year, int(second), int(first)) | _forms(year, int(first), int(second))
        yield from _found(match.start(), match.end(), forms)
    for match in _CJK.finditer(text):
        year, month, day = match.groups()
        forms = _forms(int(year), int(month), int(day) if day else None)
        yield from _found(match.start(), match.end(), forms)
    yield from _with_month_names(text)


def shortened_dates(form: str) -> frozenset[str]:
    """Return a date's form with those that leave its day or year out; other forms as they are."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", form):
        return frozenset({form, form[:7], "-" + form[4:]})
    return frozenset({form})


def _with_month_names(text: str) -> Iterator[FoundDate]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a few letters grow when lowered
        return
    for match in _MONTH.finditer(lowered):
        month = MONTHS[match[0]]
        from_start = max(0, match.start() - _LONGEST_DAY)
        before = _DAY_BEFORE.search(lowered[from_start : match.start()])
        if before:
            year = _YEAR_AFTER.match(lowered, match.end())
            forms = _forms(int(year[1]) if year else None, month, int(before[1]))
            end = year.end() if year else match.end()
            yield from _found(from_start + before.start(), end, forms)
        elif after := _DAY_AFTER.match(lowered, match.end()):
            forms = _forms(int(after[2]) if after[2] else None, month, int(after[1]))
            yield from _found(match.start(), after.end(), forms)
        elif year := _YEAR_AFTER.match(lowered, match.end()):
            yield from _found(match.start(), year.end(), _forms(int(year[1]), month, None))


def _found(start: int, end: int, forms: frozenset[str]) -> Iterator[FoundDate]:
    if forms:
        yield FoundDate(start, end, forms)


def _forms(year: int | None, month: int, day: int | None) -> frozenset[str]:
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return frozenset()
    if year is None:
        return frozenset({f"--{month:02}-{day:02}"})
    if day is None:
        return frozenset({f"{year}-{month:02}"})
    return frozenset({f"{year}-{month:02}-{day:02}"})
