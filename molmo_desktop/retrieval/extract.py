# SPDX-License-Identifier: Apache-2.0
"""A quotation that seems to answer a question, found without any model.

A hint for very small models, which read a line better than a page, and something to compare an
answer with. Unsure means None: a wrong hint misleads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from molmo_desktop.retrieval.kinds import answer_kind
from molmo_desktop.retrieval.languages import stop_words
from molmo_desktop.retrieval.passages import Passage, ScoredPassage
from molmo_desktop.retrieval.relevance import Relevance
from molmo_desktop.retrieval.sources import ReadUnit, passage_units
from molmo_desktop.retrieval.text import plain_characters
from molmo_desktop.retrieval.tokens import name_spans, placed_tokens, stem
from molmo_desktop.retrieval.values import find_values

MIN_COVERAGE = 0.5
_MIN_COVERAGE_WITHOUT_VALUE = 0.6
_PASSAGES = 6
_MAX_CHARACTERS = 400
_WORD = re.compile(r"\w+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_APPOSITION = re.compile(r",? ?\(?(?:(?:the|as|der|die|als|le|la|el) )?")


@dataclass(frozen=True)
class Quote:
    """A line or sentence that seems to answer the question.

    Attributes:
        passage: Where it stands.
        text: The sentence or row; a row of a table comes with the head row above it.
        value: The amount, date, name or the like that was asked for; None where none was.
        coverage: 0 to 1; the share of the question's words that stand there.
    """

    passage: Passage
    text: str
    value: str | None
    coverage: float


def quote_answer(question: str, ranked: Sequence[ScoredPassage]) -> str | None:
    """Return the text of the best quotation, None when unsure.

    Args:
        question: In the user's words.
        ranked: What the search found, best first.
    """
    quote = find_quote(question, ranked)
    return quote.text if quote else None


def find_quote(question: str, ranked: Sequence[ScoredPassage]) -> Quote | None:
    """Return the best quotation with the value that was asked for, None when unsure."""
    found = [
        (item.passage, unit) for item in ranked[:_PASSAGES] for unit in passage_units(item.passage)
    ]
    relevance = Relevance(question, [unit for _, unit in found])
    if not relevance.terms or not found:
        return None
    order = sorted(range(len(found)), key=lambda i: (-relevance.share(i), i))
    wants_value = relevance.asks_for_value
    for index in order:
        coverage = relevance.coverage(index)
        needed = MIN_COVERAGE if wants_value else _MIN_COVERAGE_WITHOUT_VALUE
        passage, unit = found[index]
        if coverage < needed or unit.is_heading or len(unit.text) > _MAX_CHARACTERS:
            continue
        if not wants_value:
            return Quote(passage, _with_header(unit), None, coverage)
        if relevance.has_value(index) and (value := _value(question, unit, relevance)):
            return Quote(passage, _with_header(unit), value, coverage)
    return None


def _with_header(unit: ReadUnit) -> str:
    return f"{unit.header}\n{unit.text}" if unit.header else unit.text


def _value(question: str, unit: ReadUnit, relevance: Relevance) -> str | None:
    """Return the value of the wanted kind that stands nearest to the question's words."""
    kind = answer_kind(question)
    plain = plain_characters(unit.text)
    if kind == "person":
        spans = name_spans(plain, stop_words(unit.language))
    else:
        wanted = "number" if kind == "count" else kind
        asked = {form for value in find_values(question) for form in value.forms}
        values = [v for v in find_values(plain) if v.kind == wanted and not v.forms & asked]
        spans = [
            (value.start, value.end)
            for value in values
            if kind != "count" or not _YEAR.fullmatch(value.text)
        ]
    if not spans:
        return None
    column = _asked_column(unit, relevance)
    places = [
        start
        for start, token in placed_tokens(unit.text, unit.language)
        if relevance.meanings(token)
    ]
    start, end = min(
        spans,
        key=lambda span: (
            _is_outside(span, column),
            bool(unit.header) and not _fills_cell(plain, span),
            _distance(plain, span, places),
        ),
    )
    return unit.text[start:end].strip()


def _distance(plain: str, span: tuple[int, int], places: Sequence[int]) -> float:
    """Return how far a value stands from the nearest of the question's words.

    After the word is nearer than before it, but "Marta Ruiz (the landlord)" is as near as can be.
    """
    start, end = span
    found = [float(start - place) for place in places if place < start]
    for place in places:
        if place >= end:
            is_apposition = bool(_APPOSITION.fullmatch(plain[end:place]))
            found.append(0.0 if is_apposition else 2.0 * (place - end))
    return min(found, default=0.0)


def _fills_cell(plain: str, span: tuple[int, int]) -> bool:
    """Whether nothing but the value stands in its cell of a table row."""
    before, after = plain[: span[0]].rpartition("|")[2], plain[span[1] :].partition("|")[0]
    return not (before + after).strip()


def _asked_column(unit: ReadUnit, relevance: Relevance) -> tuple[int, int] | None:
    """Return the characters of the cell whose head has most of the question's words."""
    if not unit.header:
        return None
    heads = unit.header.split("|")
    weights = [
        sum(
            factor * relevance.weights[index]
            for match in _WORD.finditer(plain_characters(head))
            for index, factor in relevance.meanings(stem(match[0], unit.language))
        )
        for head in heads
    ]
    cells = [match.span() for match in re.finditer(r"[^|]+", unit.text)]
    best = max(range(len(heads)), key=lambda i: weights[i])
    return cells[best] if weights[best] and best < len(cells) else None


def _is_outside(span: tuple[int, int], column: tuple[int, int] | None) -> bool:
    return column is not None and not (column[0] <= span[0] and span[1] <= column[1])
