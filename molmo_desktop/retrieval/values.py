# SPDX-License-Identifier: Apache-2.0
"""Numbers, dates, amounts, addresses and codes in a text, in forms that can be compared.

Two texts may write one value differently: ``1,234.50`` and ``1.234,5``, ``23 November 2026`` and
``23.11.2026``. Each `Value` therefore carries *forms*: short canonical strings, and two values are
taken for the same where they share one. An ambiguous value (``1.234``, ``03/04/2026``) has the
forms of every reading.

Offsets count characters of the text that was given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from molmo_desktop.retrieval.dates import find_dates, shortened_dates
from molmo_desktop.retrieval.numbers import NUMBER, number_forms, numbers_in_words
from molmo_desktop.retrieval.text import plain_characters

ValueKind = Literal[
    "money", "percent", "date", "time", "email", "url", "phone", "identifier", "duration", "number"
]


@dataclass(frozen=True)
class Value:
    """One value in a text.

    Attributes:
        kind: What it looks like.
        start: First character in the text.
        end: One past the last.
        text: As it is written.
        forms: Canonical strings.
        unit: Of a duration: "min", "h", "d" and so on; empty for everything else.
        parts: Forms of the numbers that a number with spaces may be instead: "2 150.00" in a
            table is 2 and 150.00.
    """

    kind: ValueKind
    start: int
    end: int
    text: str
    forms: frozenset[str]
    unit: str = ""
    parts: frozenset[str] = frozenset()

    def stands_in(self, other: Value) -> bool:
        """Whether a value of a document may mean this one: 5 may be 5 EUR, but not 5 %."""
        # A date without its year may be meant by one with it, not the other date of that month.
        mine, theirs = comparable_forms([self]), comparable_forms([other])
        if not (self.forms & theirs or mine & other.forms or self.forms & other.parts):
            return False
        if self.unit and other.unit:
            return self.unit == other.unit
        kinds = {self.kind, other.kind}
        # "14.15" looks like an amount until a word beside it says that it is a time.
        return len(kinds) == 1 or "number" in kinds or kinds == {"time", "money"}


_CURRENCY = (
    r"(?:EUR|USD|GBP|CHF|JPY|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|INR|CAD|AUD|NZD|BRL|MXN|RUB|KRW|TRY"
    r"|ZAR|SGD|HKD|[Ee]uros?|[Dd]ollars?|[Pp]ounds?|[Pp]ence|[Cc]ents?|[Cc]entimes|[Cc]éntimos"
    r"|[Ff]rancs?|[Ff]ranken|[Yy]en|Kč|kr|zł|Ft|Rs|руб)(?!\w)"
)
# What a number or a code must not touch; CJK runs on without spaces, so it may.
_LETTERS = r"0-9A-Za-zÀ-ɏ_"
_SIGN = "[€$£¥₹₽₩₺₫元円]"
# Groups of three digits set apart by a space; the parts are kept as well, because a table's
# "2 150.00" is two numbers.
_SPACED = r"\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?!\d)"
_SPACED_NUMBER = re.compile(_SPACED)
_AMOUNT = re.compile(rf"(?<![{_LETTERS}.,])(?P<number>{_SPACED}|{NUMBER})(?:[,.]-)?")
_BEFORE_AMOUNT = re.compile(
    rf"(?<!\d)(?<!\d )(?:\b{_CURRENCY}\.?|(?:US|A|C|HK|NZ|R)?{_SIGN})\s?-?$"
)
_AFTER_AMOUNT = re.compile(
    rf"\s?(?:thousand|million|billion|Mio\.?|Mrd\.?|[万亿])?\s?(?:{_CURRENCY}|{_SIGN})"
)
_SCALE = re.compile(r"\s?(?:million|billion|Mio|Mrd)\b\.?")
_LONGEST_CURRENCY = 11
_PERCENT = re.compile(r"\s?(?:[%‰]|percent\b|per cent\b|Prozent\b|pour cent\b|por ciento\b)", re.I)
_UNIT_OF_TIME = re.compile(
    r"[\s-]?(?:(?:working|business|calendar) days?|seconds?|minutes?|hours?|days?|weeks?|months?"
    r"|years?|sekunden?|minuten?|stunden?|werktage?n?|tage?n?|wochen?|monate?n?|jahre?n?|secondes?"
    r"|heures?|jours?|semaines?|mois|ans|années?|segundos?|minutos?|horas?|días?|semanas?"
    r"|mes(?:es)?|años?|min|hrs?|个?(?:小时|月|星期|工作日)|周|天|日|年|分钟|秒)(?![a-zà-ÿ])",
    re.I,
)
# Beginnings of the words for a unit of time, longest first where one begins another.
_UNITS = {
    "s": ("sec", "sek", "seg", "秒"),
    "min": ("min", "分"),
    "h": ("hour", "hr", "stunde", "heure", "hora", "小时"),
    "month": ("month", "monat", "mois", "mes", "月"),
    "d": (
        "day",
        "tag",
        "werktag",
        "jour",
        "día",
        "working",
        "business",
        "calendar",
        "天",
        "日",
        "工",
    ),
    "week": ("week", "woche", "sem", "周", "星期"),
    "year": ("year", "jahr", "an", "añ", "年"),
}
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOP_DOMAIN = "(?:com|org|net|eu|de|fr|es|it|cn|ch|at|nl|io|gov|edu|example)"
_URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>()|,;]+[^\s<>()|,;.]"
    rf"|\b[\w-]+(?:\.[\w-]+)*\.{_TOP_DOMAIN}\b"
    r"(?:/[^\s<>()|,;]*)?"
)
_URL_HINT = re.compile(rf"://|www\.|\.{_TOP_DOMAIN}\b")
_HALF_DAY = r"(?:am|pm|a\.m\.|p\.m\.)"
_TIME = re.compile(
    rf"(?<![\d:.,])\d{{1,2}}(?:[:h.][0-5]\d(?![\d:])(?:\s?(?:{_HALF_DAY}|Uhr|h\b))?"
    rf"|\s?{_HALF_DAY}(?!\w)| Uhr\b| h\b(?: [0-5]\d\b)?|[时点](?:[0-5]\d分)?)",
    re.I,
)
_LAST_HOUR = 24
_PHONE = re.compile(rf"(?<![{_LETTERS}.,/-])(?:\+|00)?\(?\d[\d ()/.-]{{5,18}}\d(?![{_LETTERS}])")
_DIALLED = re.compile(r"[+(0].*|\d{3}[- .]\d{3}[- .]\d{4}|[6-9]\d{2} \d{3} \d{3}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CODE = re.compile(
    r"(?<![\w@])(?=[A-Za-z/._-]{0,24}\d)[A-Za-z0-9]+(?:[-/._][A-Za-z0-9]+)*(?![\w@])"
)
_MEASURE = re.compile(r"\d+(?:[.,/]\d+)*(?:[a-z]{1,4}|x\d+|month|year|week|hour)")


def find_values(text: str) -> list[Value]:
    """Return every value in the text, in order; a place belongs to the most telling kind."""
    plain = plain_characters(text)
    taken = bytearray(len(plain))
    found: list[Value] = []
    for finder in _FINDERS:
        for kind, start, end, forms in finder(plain):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                written = plain[start:end]
                unit = _unit(written) if kind == "duration" else ""
                found.append(Value(kind, start, end, text[start:end], forms, unit, _parts(written)))
    return sorted(found, key=lambda value: value.start)


def comparable_forms(values: Iterable[Value]) -> frozenset[str]:
    """Return the forms of values, dates also without day or year."""
    return frozenset(
        short for value in values for form in value.forms for short in shortened_dates(form)
    )


def _parts(written: str) -> frozenset[str]:
    """Return the forms of the numbers that one with spaces may be instead."""
    spaced = _SPACED_NUMBER.search(written)
    numbers = spaced[0].split() if spaced else ()
    return frozenset(form for number in numbers for form in number_forms(number))


def _unit(duration: str) -> str:
    """Return the unit of time that a duration ends with."""
    word = re.split(r"[\d\s-]+", duration.casefold(), maxsplit=1)[-1].lstrip(
        "一二两三四五六七八九十百个"
    )
    word = re.sub(r"^(?!working|business|calendar).*[\s-]", "", word)
    return next((unit for unit, starts in _UNITS.items() if word.startswith(starts)), "")


_Found = tuple[ValueKind, int, int, frozenset[str]]


def _emails(text: str) -> Iterator[_Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            written = match[0].rstrip(".-")
            end = match.start() + len(written)
            yield "email", match.start(), end, frozenset({written.casefold()})


def _urls(text: str) -> Iterator[_Found]:
    if not _URL_HINT.search(text):
        return
    for match in _URL.finditer(text):
        bare = re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", match[0].casefold())
        yield "url", match.start(), match.end(), frozenset({bare})


def _dates(text: str) -> Iterator[_Found]:
    for start, end, forms in find_dates(text):
        yield "date", start, end, forms


def _times(text: str) -> Iterator[_Found]:
    for match in _TIME.finditer(text):
        written = match[0].lower()
        # "8.30" without a word beside it is as well a number.
        if "." in written and written.replace(".", "").isdigit():
            continue
        digits = re.findall(r"\d+", written)
        if int(digits[0]) > _LAST_HOUR:
            continue
        is_afternoon = re.search(r"p\.?m", written) and digits[0] != "12"
        hour = int(digits[0]) + (12 if is_afternoon else 0)
        minute = digits[1] if len(digits) > 1 else "00"
        forms = {f"{hour:02}:{minute}"}
        if "." in written:
            forms |= number_forms(f"{digits[0]}.{minute}")
        yield "time", match.start(), match.end(), frozenset(forms)


def _phones(text: str) -> Iterator[_Found]:
    for match in _PHONE.finditer(text):
        written = match[0]
        digits = re.sub(r"\D", "", written)
        is_one_number = digits == written or bool(re.fullmatch(r"[\d ,.]*[.,]\d\d", written))
        if 7 <= len(digits) <= 15 and _DIALLED.fullmatch(written) and not is_one_number:
            # The last digits are the same with and without the country's code.
            yield "phone", match.start(), match.end(), frozenset({digits[-8:]})


def _identifiers(text: str) -> Iterator[_Found]:
    for match in _IBAN.finditer(text):
        yield "identifier", match.start(), match.end(), frozenset({_bare(match[0])})
    for match in _CODE.finditer(text):
        written = match[0]
        if sum(map(str.isdigit, written)) < 2:
            continue
        bare = _bare(written)
        has_letters = not bare.isdigit()
        is_code = (has_letters and not _MEASURE.fullmatch(bare)) or re.fullmatch(
            r"\d{2,}(?:[-/]\d{2,}){1,3}", written
        )
        if is_code and not re.fullmatch(rf"{_CURRENCY}{NUMBER}|{NUMBER}{_CURRENCY}", written):
            yield "identifier", match.start(), match.end(), frozenset({bare})


def _bare(written: str) -> str:
    return re.sub(r"[\s./_-]", "", written).casefold()


def _numbers(text: str) -> Iterator[_Found]:
    for match in _AMOUNT.finditer(text):
        written = match["number"]
        kind, start, end = _kind_of_number(text, match)
        yield kind, start, end, number_forms(written)


def _kind_of_number(text: str, match: re.Match[str]) -> tuple[ValueKind, int, int]:
    """Return the kind of a number by what stands around it, with start and end."""
    start, end = match.start(), match.end()
    first = max(0, start - _LONGEST_CURRENCY)
    before = _BEFORE_AMOUNT.search(text[first:start])
    after = _AFTER_AMOUNT.match(text, end)
    if before or after:
        scale = after or _SCALE.match(text, end)
        return "money", first + before.start() if before else start, scale.end() if scale else end
    if unit := _PERCENT.match(text, end):
        return "percent", start, unit.end()
    if unit := _UNIT_OF_TIME.match(text, end):
        return "duration", start, unit.end()
    # Two decimals without a sign: most tables of prices.
    has_cents = bool(re.search(r"[.,]\d\d$", match["number"]))
    return "money" if has_cents else "number", start, end


def _words(text: str) -> Iterator[_Found]:
    for start, end, number in numbers_in_words(text):
        unit = _UNIT_OF_TIME.match(text, end)
        kind: ValueKind = "duration" if unit else "number"
        yield kind, start, unit.end() if unit else end, frozenset({str(number)})


_FINDERS: tuple[Callable[[str], Iterator[_Found]], ...] = (
    _emails, _urls, _dates, _times, _phones, _identifiers, _numbers, _words
)  # fmt: skip
