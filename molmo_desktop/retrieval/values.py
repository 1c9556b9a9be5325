# SPDX-License-Identifier: Apache-2.0
"""Numbers, dates, amounts, addresses and names in a text, in forms that can be compared.

Two texts may write one value differently: ``1,234.50`` and ``1.234,5``, ``23 November 2026`` and
``23.11.2026``. Each `Value` therefore carries *forms*: short canonical strings, and two values are
taken for the same where they share one. An ambiguous value (``1.234``, ``03/04/2026``) has the
forms of every reading.

Offsets count characters of the text that was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from molmo_desktop.retrieval.text import ascii_digits

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
        forms: Canonical strings; empty for none that can be compared.
    """

    kind: ValueKind
    start: int
    end: int
    text: str
    forms: frozenset[str]


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

_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATE_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>(?:19|20)\d\d)([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<year>\d{4})\s?年\s?(?P<month>\d{1,2})\s?月(?:\s?(?P<day>\d{1,2})\s?[日号])?",
        r"(?<![\d.])(?P<a>\d{1,2})([-/.])\s?(?P<b>\d{1,2})\2\s?(?P<year>(?:19|20)?\d\d)(?![\d.])(?!,\d)",
        rf"(?<!\d){_DAY}\s?(?:de |of |-)?\s?(?P<name>{_MONTH})(?:,? ?(?:de |del |-)?{_YEAR}(?!\d))?",
        rf"\b(?P<name>{_MONTH})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[.,]\d|:)(?:,? {_YEAR}(?!\d))?",
        rf"\b(?P<name>{_MONTH}),?\s(?:de |del )?{_YEAR}(?!\d)",
    )
)

_CURRENCY_WORDS = (
    r"EUR|USD|GBP|CHF|JPY|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|INR|CAD|AUD|NZD|BRL|MXN|RUB|KRW|TRY|ZAR|SGD|HKD"
    r"|[Ee]uros?|[Dd]ollars?|[Pp]ounds?|[Ff]rancs?|[Ff]ranken|[Yy]en|Kč|kr|zł|Ft|Rs|руб"
)
_CURRENCY_SIGNS = "€$£¥₹₽₩₺₫元円"
_NUMBER = r"\d+(?:[.,'’٫٬]\d+)*"
# Groups of three digits set apart by a space; the parts are kept as values of their own, because
# a table's "2 150.00" is two numbers.
_SPACED_NUMBER = r"\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?![\d])"
_AMOUNT = re.compile(
    rf"(?P<before>(?:\b(?:{_CURRENCY_WORDS})\.?|(?:US|A|C|HK|NZ|R)?[{_CURRENCY_SIGNS}])\s?-?)?"
    rf"(?<![\w.,])(?P<number>{_SPACED_NUMBER}|{_NUMBER})(?:,-|\.-|,–|\.–)?"
    rf"(?P<scale>\s?(?:million|billion|Mio|Mrd)\b\.?)?(?P<after>\s?(?:thousand |million |billion |Mio\.? |Mrd\.? |[万亿])?"
    rf"(?:(?:{_CURRENCY_WORDS})(?!\w)|[{_CURRENCY_SIGNS}]))?"
)
_PERCENT = re.compile(r"\s?(?:%|‰|percent\b|per cent\b|Prozent\b|pour cent\b|por ciento\b)", re.I)
_UNIT_OF_TIME = re.compile(
    r"[\s-]?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|sekunden?|minuten?|stunden?"
    r"|tage?n?|wochen?|monate?n?|jahre?n?|secondes?|heures?|jours?|semaines?|mois|ans|années?"
    r"|segundos?|minutos?|horas?|días?|semanas?|mes(?:es)?|años?"
    r"|working days?|business days?|calendar days?|werktage?n?|min|hrs?|jours ouvrables"
    r"|个?(?:小时|月|星期|工作日)|周|天|日|年|分钟|秒)(?![a-zà-ÿ])",
    re.I,
)
_COUNTING = {
    "english": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty",
    "german": "- zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn siebzehn achtzehn neunzehn zwanzig",
    "french": "- deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
    "seize dix-sept dix-huit dix-neuf vingt",
    "spanish": "- dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte",
    "italian": "- due tre quattro cinque sei sette otto nove dieci undici dodici",
}
_TENS = {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "dreißig": 30, "vierzig": 40,
    "fünfzig": 50, "sechzig": 60, "neunzig": 90, "trente": 30, "quarante": 40, "soixante": 60,
    "treinta": 30, "cuarenta": 40, "sesenta": 60, "noventa": 90, "hundred": 100, "hundert": 100,
}  # fmt: skip
_NUMBER_WORDS = _TENS | {
    word: number
    for words in _COUNTING.values()
    for number, word in enumerate(words.split(), 1)
    if word != "-"
}
_CJK_DIGITS = dict(zip("一二三四五六七八九", range(1, 10), strict=True)) | {
    "两": 2,
    "〇": 0,
    "零": 0,
}
_CJK_NUMBER = re.compile(
    r"(?<![一二两三四五六七八九十百千第])[一二两三四五六七八九十百]{1,5}(?=个?[月年日天周小星期分秒])"
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(
    r"\b(?:https?://|www\.)[^\s<>()|,;]+[^\s<>()|,;.]|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|eu|de|fr|es|it|cn|ch|at|nl|io|gov|edu|example)\b(?:/[^\s<>()|,;]*)?"
)
_TIME = re.compile(
    r"(?<![\d:.])(?:[01]?\d|2[0-3])[:h.][0-5]\d(?![\d:])(?:\s?(?:am|pm|a\.m\.|p\.m\.|Uhr|h\b))?|\b(?:1[0-2]|[1-9])\s?(?:am|pm|a\.m\.|p\.m\.)(?!\w)|\b\d{1,2} Uhr\b",
    re.I,
)
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|00)?\(?\d[\d ()/.\-–]{5,18}\d(?![\d\w])")
_IDENTIFIER = re.compile(
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"
    r"|(?<![\w@])(?=[\w./-]*\d)(?=[\w./-]*[A-Za-z])[A-Za-z0-9]+(?:[-/._][A-Za-z0-9]+)*(?![\w@])"
    r"|(?<![\w.,/-])\d{2,}(?:[-/]\d{2,}){1,3}(?![\w,/-])"
)


def find_values(text: str) -> list[Value]:
    """Return every value in the text, in order; a place belongs to the most telling kind."""
    text = ascii_digits(text)
    taken = bytearray(len(text))
    found: list[Value] = []
    for finder in (_emails, _urls, _dates, _times, _phones, _identifiers, _numbers):
        for value in finder(text):
            if not any(taken[value.start : value.end]):
                taken[value.start : value.end] = b"\1" * (value.end - value.start)
                found.append(value)
    found.extend(_durations_in_words(text))
    return sorted(found, key=lambda value: value.start)


def number_forms(written: str) -> frozenset[str]:
    """Return the readings of one written number: plain digits, a dot, no trailing zeros.

    ``1,234.50`` gives ``1234.5``; ``1.234`` may be either and gives ``1234`` and ``1.234``.
    """
    digits = re.sub(r"[\s'’٬]", "", ascii_digits(written)).replace("٫", ".")
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return frozenset({_plain(digits)})
    whole, _, rest = digits.partition(separators[0])
    if len(set(separators)) == 2:
        if separators.count(separators[-1]) > 1:
            return frozenset({digits})
        head, _, tail = digits.rpartition(separators[-1])
        return frozenset({_plain(re.sub(r"[.,]", "", head), tail)})
    groups = digits.split(separators[0])
    is_grouped = 1 <= len(groups[0]) <= 3 and all(len(group) in (2, 3) for group in groups[1:])
    is_grouped = is_grouped and len(groups[-1]) == 3
    if len(separators) > 1:
        return frozenset({_plain("".join(groups))} if is_grouped else {digits})
    forms = {_plain(whole, rest)}
    if is_grouped and groups[0] != "0":
        forms.add(_plain("".join(groups)))
    return frozenset(forms)


def _plain(whole: str, fraction: str = "") -> str:
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


def _date_forms(year: int | None, month: int, day: int | None) -> set[str]:
    if not 1 <= month <= 12 or (day is not None and not 1 <= day <= 31):
        return set()
    if year is None:
        return {f"--{month:02}-{day:02}"}
    if day is None:
        return {f"{year}-{month:02}"}
    return {f"{year}-{month:02}-{day:02}"}


def shortened_dates(form: str) -> frozenset[str]:
    """Return a date's form with those that leave its day or year out."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", form):
        return frozenset({form, form[:7], "-" + form[4:]})
    return frozenset({form})


def _dates(text: str) -> Iterator[Value]:
    for pattern in _DATE_PATTERNS:
        for match in pattern.finditer(text):
            forms = _forms_of_date(match.groupdict())
            if forms:
                yield Value("date", match.start(), match.end(), match[0], frozenset(forms))


def _forms_of_date(parts: dict[str, str | None]) -> set[str]:
    written_year, written_day = parts.get("year"), parts.get("day")
    year = int(written_year) if written_year else None
    if year is not None and year < 100:
        year += 2000 if year < 70 else 1900
    first, second = parts.get("a"), parts.get("b")
    if first and second:
        return _date_forms(year, int(second), int(first)) | _date_forms(
            year, int(first), int(second)
        )
    name = parts.get("name")
    month = MONTHS[name.rstrip(".").lower()] if name else int(parts["month"] or 0)
    return _date_forms(year, month, int(written_day) if written_day else None)


def _emails(text: str) -> Iterator[Value]:
    for match in _EMAIL.finditer(text):
        written = match[0].rstrip(".-")
        yield Value(
            "email", match.start(), match.start() + len(written), written,
            frozenset({written.casefold()}),
        )  # fmt: skip


def _urls(text: str) -> Iterator[Value]:
    for match in _URL.finditer(text):
        bare = re.sub(r"^(?:https?://)?(?:www\.)?|/$", "", match[0].casefold())
        yield Value("url", match.start(), match.end(), match[0], frozenset({bare}))


def _times(text: str) -> Iterator[Value]:
    for match in _TIME.finditer(text):
        digits = re.findall(r"\d+", match[0])
        hour = int(digits[0]) + (
            12 if re.search(r"p\.?m", match[0], re.I) and digits[0] != "12" else 0
        )
        form = f"{hour:02}:{digits[1] if len(digits) > 1 else '00'}"
        # "8.30" without a word beside it is as well a number.
        is_number = "." in match[0] and not re.search(r"[a-z]", match[0], re.I)
        if not is_number:
            yield Value("time", match.start(), match.end(), match[0], frozenset({form}))


def _phones(text: str) -> Iterator[Value]:
    for match in _PHONE.finditer(text):
        written = match[0]
        digits = re.sub(r"\D", "", written)
        groups = re.findall(r"\d+", written)
        looks_dialled = written[0] in "+(0" or re.fullmatch(
            r"\d{3}[- .]\d{3}[- .]\d{4}|[6-9]\d{2} \d{3} \d{3}", written
        )
        is_money = re.search(r"[.,]\d\d$", written) and not written.startswith(("+", "0"))
        if 7 <= len(digits) <= 15 and looks_dialled and not is_money and len(groups) > 1:
            local = digits[2:] if digits.startswith("00") else digits
            yield Value("phone", match.start(), match.end(), written, frozenset({local[-8:]}))


def _identifiers(text: str) -> Iterator[Value]:
    for match in _IDENTIFIER.finditer(text):
        written = match[0]
        bare = re.sub(r"[\s./_-]", "", written).casefold()
        is_ordinal_or_unit = re.fullmatch(
            r"\d+(?:[.,/]\d+)*(?:[a-z]{1,4}|x\d+|month|year|week|hour)", bare
        )
        if _AMOUNT.fullmatch(written) or is_ordinal_or_unit:
            continue
        if sum(character.isdigit() for character in written) >= 2:
            yield Value("identifier", match.start(), match.end(), written, frozenset({bare}))


def _numbers(text: str) -> Iterator[Value]:
    for match in _AMOUNT.finditer(text):
        written = match["number"]
        forms = number_forms(written)
        if " " in written:
            forms |= frozenset(form for part in written.split() for form in number_forms(part))
        if match["before"] or match["after"]:
            yield Value("money", match.start(), match.end(), match[0], forms)
            continue
        kind: ValueKind = "number"
        end = match.end("number")
        if unit := _PERCENT.match(text, end):
            kind, end = "percent", unit.end()
        elif unit := _UNIT_OF_TIME.match(text, end):
            kind, end = "duration", unit.end()
        elif re.search(r"[.,]\d\d$", written):
            # Two decimals without a sign: most tables of prices.
            kind = "money"
        yield Value(kind, match.start(), end, text[match.start() : end], forms)


def _durations_in_words(text: str) -> Iterator[Value]:
    for match in _WORD.finditer(text):
        number = _NUMBER_WORDS.get(match[0].casefold())
        if number is None:
            continue
        unit = _UNIT_OF_TIME.match(text, match.end())
        end = unit.end() if unit else match.end()
        kind: ValueKind = "duration" if unit else "number"
        yield Value(kind, match.start(), end, text[match.start() : end], frozenset({str(number)}))
    for match in _CJK_NUMBER.finditer(text):
        unit = _UNIT_OF_TIME.match(text, match.end())
        end = unit.end() if unit else match.end()
        forms = frozenset({str(_cjk_number(match[0]))})
        yield Value("duration", match.start(), end, text[match.start() : end], forms)


def _cjk_number(written: str) -> int:
    """Return the value of a number of up to three digits, such as 十八 or 二百."""
    total, digit = 0, 0
    for character in written:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _CJK_DIGITS[character]
    return total + digit
