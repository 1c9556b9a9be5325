# SPDX-License-Identifier: Apache-2.0
"""Words of a text as the index keeps them: folded, stemmed, numbers and dates in one shape.

A token is plain text without spaces, so tokens joined by spaces can be given to FTS5. Scripts
written without spaces become pairs of characters. A number is kept in every reading it has
(``1.234`` gives ``1234`` and ``1.234``), a date as ``2026-11-23`` beside its parts, and an
identifier such as ``INV-2026/17`` whole beside its parts.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

import Stemmer

from molmo_desktop.retrieval.dates import shortened_dates
from molmo_desktop.retrieval.languages import stop_words
from molmo_desktop.retrieval.numbers import NUMBER, number_forms
from molmo_desktop.retrieval.text import fold, plain_characters
from molmo_desktop.retrieval.values import Value, find_values

# Raise this when tokens change: an index that was written before is then rebuilt.
TOKENS_VERSION = 6

_UNSPACED = r"\u0e00-\u0edf\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
# Marks that belong to a letter of Arabic, Hindi or Tamil, or stand apart after decomposing.
_LETTER_MARKS = (
    r"\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0b82\u0bbe-\u0bcd"
)
# The parts of a text: a run without spaces, a number, a currency sign, a word.
PIECE = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)|(?P<number>{NUMBER})|(?P<sign>[€$£¥₹])"
    rf"|(?P<word>[^\W\d_{_UNSPACED}]+(?:[{_LETTER_MARKS}]+[^\W\d_{_UNSPACED}]*)*)"
)
# A word that the end of a line cut in two.
_CUT_WORD = re.compile(r"([^\W\d_]{2,})[-\u00ad][ \t]*\n[ \t]*([a-zß-öø-ÿа-я]+)")
_MAY_HOLD_VALUES = re.compile(r"[\d@]")
_COMPOUND = re.compile(r"(?<!\w)\w+(?:[-/._@+]\w+)+")
# Two capitalised words in a row: a person, a company or a place.
_CAPITAL = "A-ZÀ-ÖØ-ÞŁŚŻА-Я"
_SMALL = "a-zß-öø-ÿа-яı"
NAME = re.compile(
    rf"(?<!\w)(?:[{_CAPITAL}][\w'-]*[{_SMALL}]\.?|(?:Mr|Mrs|Ms|Dr|Mme|[A-Z])\.?)"
    rf"(?: (?:de|van|von|der|den|du|la|le|del|di|da|of|&|[A-Z]\.))*"
    rf"(?: [{_CAPITAL}][\w'-]*[{_SMALL}])+"
)
# A month or a weekday alone answers "when" too. "May", "March" and "Mars" are other words as well.
_VAGUE_DATE = re.compile(
    r"\b(?:January|February|April|June|July|August|September|October|November|December|Januar|Februar"
    r"|März|Juni|Juli|Oktober|Dezember|janvier|février|avril|juin|juillet|août|septembre|octobre"
    r"|novembre|décembre|enero|febrero|marzo|abril|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Mon|Diens|Donners|Frei|Sams|Sonn)tag"
    r"|Mittwoch|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves"
    r"|viernes|sábado|domingo)s?\b|[星礼]期[一二三四五六日天]|\d{1,2}月"
)
# One token for a currency, however it is written.
CURRENCIES = {
    "€": "eur", "euro": "eur", "euros": "eur", "$": "usd", "dollar": "usd", "dollars": "usd",
    "£": "gbp", "pound": "gbp", "pounds": "gbp", "¥": "jpy", "yen": "jpy", "₹": "inr",
    "franken": "chf", "rmb": "cny",
}  # fmt: skip
# Languages that write compounds as one word: "Rechnungsbetrag" is a "Betrag".
COMPOUNDING = frozenset({"german", "dutch", "swedish", "danish", "norwegian", "finnish"})
MIN_COMPOUND_CHARACTERS = 9
ENDING_MARK = "~"
_MIN_VARIANT_CHARACTERS = 5
_GERMAN_PARTICIPLE = re.compile(
    r"(?P<prefix>ab|an|auf|aus|bei|ein|fest|her|hin|los|mit|nach|um|vor|weg|weiter|zurück|zusammen"
    r"|zu)?"
    r"(?:ge(?P<verb>\w{3,}?)(?:t|en)|(?<=.)zu(?P<infinitive>\w{3,})en)"
)
_MAX_TOKEN_CHARACTERS = 64
_STEMMERS = frozenset(Stemmer.algorithms())
_local = threading.local()


def tokenize(text: str, language: str, *, marks: bool = False) -> list[str]:
    """Return the tokens of a text in order, stop words left out.

    Args:
        text: Any text.
        language: As `guess_language` names it; chooses stemmer and stop words.
        marks: Put a mark such as ``is:money`` or ``is:person`` where a value or a name stands, so
            that a question for an amount can look for any amount.
    """
    return [token for _, token in placed_tokens(text, language, marks=marks)]


def placed_tokens(text: str, language: str, *, marks: bool = False) -> list[tuple[int, str]]:
    """Return the same with the character of the text where each begins."""
    plain = plain_characters(text)
    found: list[tuple[int, str]] = []
    for match in PIECE.finditer(plain):
        start, kind, written = match.start(), match.lastgroup, match[0]
        if kind == "word":
            found.extend((start, token) for token in _word_tokens(written, language))
        elif kind == "number":
            found.extend((start, form) for form in sorted(number_forms(written)))
        elif kind == "sign":
            found.append((start, CURRENCIES[written]))
        else:
            pairs = character_pairs(fold(written))
            found.extend((start + offset, pair) for offset, pair in enumerate(pairs))
    values = find_values(plain) if marks or _MAY_HOLD_VALUES.search(plain) else []
    found.extend((value.start, form) for value in values for form in whole_forms(value))
    found.extend(_joined_words(plain))
    for match in _CUT_WORD.finditer(plain):
        found.extend(
            (match.start(), token) for token in _word_tokens(match[1] + match[2], language)
        )
    if marks:
        found.extend((value.start, f"is:{value.kind}") for value in values)
        found.extend((start, "is:person") for start, _ in name_spans(plain, stop_words(language)))
        found.extend((match.start(), "is:date") for match in _VAGUE_DATE.finditer(plain))
    found.sort(key=lambda item: item[0])
    return found


@lru_cache(maxsize=100_000)
def _word_tokens(word: str, language: str) -> tuple[str, ...]:
    """Return the tokens of one word: none for a stop word, several where forms differ."""
    folded = fold(word)
    if folded in CURRENCIES:
        return (CURRENCIES[folded],)
    if folded in stop_words(language):
        return ()
    tokens = (stem(word, language), *variants(word, language))
    return tuple(token[:_MAX_TOKEN_CHARACTERS] for token in tokens)


def name_spans(plain: str, stops: Collection[str]) -> list[tuple[int, int]]:
    """Return where names stand: capitalised words in a row, not counting an article before them.

    Args:
        plain: Text as `plain_characters` gives it.
        stops: Stop words of its language.
    """
    found = []
    for match in NAME.finditer(plain):
        words = match[0].split(" ")
        is_short = len(words) == 2 and fold(words[0]) in stops
        if not is_short:
            found.append(match.span())
    return found


def _joined_words(plain: str) -> Iterator[tuple[int, str]]:
    """Yield hyphenated words and addresses as one token each, beside their parts."""
    for match in _COMPOUND.finditer(plain):
        written = match[0]
        if not any(character.isdigit() for character in written):
            joined = fold(re.sub(r"[-/+]", "", written) if "@" not in written else written)
            yield match.start(), joined


def whole_forms(value: Value) -> list[str]:
    """Return the tokens that stand for a value as a whole; none for a plain number."""
    if value.kind == "date":
        return sorted({short for form in value.forms for short in shortened_dates(form)})
    if value.kind == "time":
        return [f"time:{form}" for form in sorted(value.forms) if ":" in form]
    if value.kind in ("identifier", "phone"):
        return [f"{value.kind}:{form}" for form in sorted(value.forms)]
    return []


def endings(tokens: Iterable[str]) -> list[str]:
    """Return the long words backwards, so that a compound can be found by its end."""
    long_words = (t for t in tokens if len(t) >= MIN_COMPOUND_CHARACTERS and t.isalpha())
    return [ENDING_MARK + word[::-1] for word in long_words]


def character_pairs(text: str) -> list[str]:
    """Return the overlapping pairs of characters; a single character stays alone."""
    return [text[i : i + 2] for i in range(len(text) - 1)] if len(text) > 1 else [text]


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """Return the stem of a word, folded; the folded word where there is no stemmer."""
    if language not in _STEMMERS or len(word) < 3:
        return fold(word)
    # Accents go last, because stemmers read them.
    lowered = unicodedata.normalize("NFKC", word).lower()
    return fold(str(_stemmer(language).stemWord(lowered))) or fold(word)


def variants(word: str, language: str) -> tuple[str, ...]:
    """Return further tokens of a word where the stemmer is too careful.

    German: "eingereicht" and "einzureichen" are "einreichen", "beginnt" is "beginnen".
    """
    if language != "german" or len(word) < _MIN_VARIANT_CHARACTERS:
        return ()
    lowered = word.lower()
    found = []
    if match := _GERMAN_PARTICIPLE.fullmatch(lowered):
        verb = match["verb"] or match["infinitive"]
        found.append(stem(f"{match['prefix'] or ''}{verb}en", language))
    if lowered.endswith("t") and lowered[-2] not in "aeiouäöüt":
        found.append(stem(f"{lowered[:-1]}en", language))
    elif lowered.endswith(("det", "tet")):
        found.append(stem(f"{lowered[:-2]}en", language))
    return tuple(token for token in dict.fromkeys(found) if token != stem(word, language))


def _stemmer(language: str) -> Stemmer.Stemmer:
    """Return this thread's stemmer: one must not be used by two threads at a time."""
    known: dict[str, Stemmer.Stemmer] = _local.__dict__.setdefault("stemmers", {})
    if language not in known:
        known[language] = Stemmer.Stemmer(language, 0)
    return known[language]
