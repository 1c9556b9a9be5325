# SPDX-License-Identifier: Apache-2.0
"""Numbers: the readings of one that is written in digits, and numbers written as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

NUMBER = r"\d+(?:[.,'٫٬]\d+)*"

_COUNTING = {
    "english": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty",
    "german": "- zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn "
    "fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "french": "- deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
    "seize dix-sept dix-huit dix-neuf vingt",
    "spanish": "- dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte",
}
_TENS = {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
    "dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "neunzig": 90, "hundert": 100,
    "trente": 30, "quarante": 40, "soixante": 60, "treinta": 30, "cuarenta": 40, "sesenta": 60,
    "noventa": 90,
}  # fmt: skip
_WORDS = _TENS | {
    word: number
    for words in _COUNTING.values()
    for number, word in enumerate(words.split(), 1)
    if word != "-"
}
_WORD = re.compile(r"\b(?:" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b")
_CJK_DIGITS = {"〇": 0, "零": 0, "两": 2} | {c: i for i, c in enumerate("一二三四五六七八九", 1)}
_CJK_WORD = re.compile(
    r"(?<![一二两三四五六七八九十百千第])[一二两三四五六七八九十百]{1,5}(?=个?[月年日天周小星期分秒])"
)


@lru_cache(maxsize=50_000)
def number_forms(written: str) -> frozenset[str]:
    """Return the readings of one written number: plain digits, a dot, no trailing zeros.

    ``1,234.50`` gives ``1234.5``; ``1.234`` may be either and gives ``1234`` and ``1.234``.
    Digits have to be ASCII.
    """
    digits = re.sub(r"[\s'٬]", "", written).replace("٫", ".")
    separators = re.findall(r"[.,]", digits)
    if not separators:
        return frozenset({_plain(digits)})
    if len(set(separators)) == 2:
        if separators.count(separators[-1]) > 1:
            return frozenset({digits})
        head, _, tail = digits.rpartition(separators[-1])
        return frozenset({_plain(re.sub(r"[.,]", "", head), tail)})
    groups = digits.split(separators[0])
    # Two digits in a group are Indian: 12,34,567.
    is_grouped = (
        1 <= len(groups[0]) <= 3
        and all(len(group) in (2, 3) for group in groups[1:])
        and len(groups[-1]) == 3
    )
    if len(separators) > 1:
        return frozenset({_plain("".join(groups)) if is_grouped else digits})
    forms = {_plain(groups[0], groups[1])}
    if is_grouped and groups[0] != "0":
        forms.add(_plain("".join(groups)))
    return frozenset(forms)


def numbers_in_words(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and value of the numbers that are written as words."""
    lowered = text.lower()
    if len(lowered) == len(text):  # a few letters grow when lowered
        for match in _WORD.finditer(lowered):
            yield match.start(), match.end(), _WORDS[match[0]]
    if not text.isascii():
        for match in _CJK_WORD.finditer(text):
            yield match.start(), match.end(), _cjk_number(match[0])


def _plain(whole: str, fraction: str = "") -> str:
    fraction = fraction.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{fraction}" if fraction else whole


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
