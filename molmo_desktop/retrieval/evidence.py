# SPDX-License-Identifier: Apache-2.0
"""Where an answer stands in what was read: located by us, never believed from a model.

The answer is split into statements. Each is looked up among the sentences, lines and table rows
that were read: word for word first, then by the share of its telling words. A place is marked
only if at least half of the statement stands there, and if the numbers and dates that the
statement adds to the question stand there too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from molmo_desktop.core.answer import Evidence
from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.boxes import line_boxes
from molmo_desktop.retrieval.passages import Passage, ScoredPassage
from molmo_desktop.retrieval.relevance import Relevance
from molmo_desktop.retrieval.sources import ReadUnit, read_units, squash
from molmo_desktop.retrieval.text import blocks, plain_characters, sentences
from molmo_desktop.retrieval.tokens import tokenize
from molmo_desktop.retrieval.values import Value, find_values

MIN_SHARE = 0.5
_MAX_EVIDENCE = 8
_MAX_NEAREST = 3
_MAX_CANDIDATES = 60
_MAX_UNITS_ONE_BY_ONE = 1000
_VALUE_WEIGHT = 2.0
_QUESTION_BONUS = 0.4
_JOIN_GAIN = 0.15
_HEADING_WEIGHT = 0.4
_SHORT_STATEMENT_TOKENS = 3
_MARKS = re.compile(
    r"\*\*|__|`|^#{1,6}\s+|^\s*(?:[-*•]|\d{1,2}[.)])\s+|^>\s*|\[\d{1,3}\]", re.MULTILINE
)
_REFUSAL = re.compile(
    r"\b(?:not (?:found|mentioned|specified|stated|given|provided|contain\w*)"
    r"|no (?:mention|information)|nicht (?:gefunden|erwähnt|angegeben)|keine (?:angabe|information)"
    r"|does(?: not|n't) (?:say|mention|state|contain|specify|provide)"
    r"|ne (?:mentionne|précise|contient) pas|no (?:se )?(?:menciona|indica|encuentra))\b"
    r"|没有(?:提到|说明|找到)|未(?:提及|说明|找到)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Statement:
    """A sentence of the answer.

    Attributes:
        text: Without marks of formatting.
        values: Those that the question does not hold.
    """

    text: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class _Place:
    """Neighbouring units that hold a statement."""

    first: ReadUnit
    last: ReadUnit
    score: float
    order: float


def statements(answer: str) -> list[str]:
    """Return the statements of an answer: sentences and list items without their formatting."""
    found: list[str] = []
    for block in blocks(answer):
        block_text = answer[block.start : block.end]
        parts = block_text.splitlines() if block.kind in ("table", "item") else [block_text]
        for part in parts:
            plain = _MARKS.sub("", part)
            found.extend(plain[s.start : s.end].strip(" |") for s in sentences(plain))
    return [text for text in found if any(character.isalnum() for character in text)]


def locate(
    answer: str, question: str, documents: Sequence[Document], read: Sequence[Passage]
) -> list[Evidence]:
    """Return the places in what was read that an answer rests on, nearest to the question first.

    Args:
        answer: As the model wrote it.
        question: Its words do not count as found, and decide between equal places.
        documents: The pages that may be pointed at.
        read: What the model was given; empty = everything in the documents.

    Returns:
        Evidence with ``cited=True``; empty when less than half of every statement is found.
    """
    units = read_units(documents, read)
    if not units:
        return []
    lookup = _Lookup(units, question)
    places = [
        place
        for text in statements(answer)
        if not _REFUSAL.search(text) and (place := lookup.place(text))
    ]
    # The place nearest to the question comes first: a small model often adds what nobody asked.
    places.sort(key=lambda place: -place.order)
    found: dict[tuple[str, int, int, int], Evidence] = {}
    for place in places:
        evidence = _evidence(place.first, place.last, place.score, cited=True)
        key = (evidence.file, evidence.page, evidence.start, evidence.end)
        if key not in found or found[key].score < evidence.score:
            found[key] = evidence
    return list(found.values())[:_MAX_EVIDENCE]


def nearest(
    question: str, documents: Sequence[Document], ranked: Sequence[ScoredPassage]
) -> list[Evidence]:
    """Return the sentences nearest to a question, best first, with ``cited=False``.

    Args:
        question: In the user's words.
        documents: The pages that may be pointed at.
        ranked: What the search found, best first.
    """
    found: list[Evidence] = []
    for item in ranked:
        if item.score <= 0 or len(found) >= _MAX_NEAREST:
            break
        units = read_units(documents, [item.passage])
        if not units:
            continue
        relevance = Relevance(question, units)
        shares = [relevance.share(index) for index in range(len(units))]
        # A heading is the nearest only where nothing below it comes near.
        best = max(range(len(units)), key=lambda i: (shares[i] * _weight(units[i]), -i))
        if shares[best] > 0:
            found.append(_evidence(units[best], units[best], item.score, cited=False))
    return found


def _weight(unit: ReadUnit) -> float:
    return _HEADING_WEIGHT if unit.is_heading else 1.0


def _evidence(first: ReadUnit, last: ReadUnit, score: float, *, cited: bool) -> Evidence:
    start, end = first.start, last.end
    return Evidence(
        file=str(first.document.path),
        page=first.page.number,
        text=first.page.text[start:end],
        boxes=line_boxes(first.page, start, end),
        score=round(min(1.0, score), 3),
        cited=cited,
        start=start,
        end=end,
    )


class _Lookup:
    """Finds statements among units.

    Args:
        units: What was read, in reading order within a page.
        question: The question that is answered.
    """

    def __init__(self, units: Sequence[ReadUnit], question: str) -> None:
        self._units = units
        self._question = question
        self._languages = {unit.language for unit in units}
        self._relevance = Relevance(question, units)
        self._asked = {form for term in self._relevance.terms for form in term.forms}
        self._asked_values = find_values(question)
        self._holders: dict[str, list[int]] = {}
        for index, unit in enumerate(units):
            for token in unit.tokens:
                self._holders.setdefault(token, []).append(index)
        counts = {token: len(indices) for token, indices in self._holders.items()}
        self._rarity = {
            token: math.log(1 + len(units) / (0.5 + count)) for token, count in counts.items()
        }
        self._unseen = math.log(1 + len(units) / 0.5)

    def place(self, text: str) -> _Place | None:
        """Return the best place of a statement, None when less than half of it is found."""
        values = find_values(text)
        new = [v for v in values if not any(v.stands_in(asked) for asked in self._asked_values)]
        statement = _Statement(text, tuple(new))
        best: _Place | None = None
        for index in self._candidates(statement):
            for count in (1, 2, 3):
                place = self._try(statement, index, count)
                if place is None:
                    continue
                # Two sentences are marked only where the second adds something.
                penalty = _JOIN_GAIN * (count - 1)
                if best is None or place.order - penalty > best.order + 1e-9:
                    best = _Place(place.first, place.last, place.score, place.order - penalty)
        return best

    def _candidates(self, statement: _Statement) -> list[int]:
        """Return the units where a place may begin: those that hold most of the statement."""
        held: dict[int, float] = {}
        for language in self._languages:
            for token in set(tokenize(statement.text, language)):
                weight = self._rarity.get(token, 0.0)
                for index in self._holders.get(token, ()):
                    held[index] = held.get(index, 0.0) + weight
        if not held and statement.values:
            # "3" may stand there as "three".
            return list(range(min(len(self._units), _MAX_UNITS_ONE_BY_ONE)))
        best = sorted(held, key=lambda index: -held[index])[:_MAX_CANDIDATES]
        # A place of several sentences may begin before the one that holds most.
        return sorted({i for index in best for i in range(max(0, index - 2), index + 1)})

    def _try(self, statement: _Statement, index: int, count: int) -> _Place | None:
        window = self._units[index : index + count]
        first, last = window[0], window[-1]
        if len(window) < count or last.page is not first.page:
            return None
        tokens = frozenset().union(*(unit.tokens for unit in window))
        found = [value for value in statement.values if _stands_in(value, window, tokens)]
        if statement.values and not found:
            return None
        # A value that is written otherwise there is found all the same.
        tokens |= {form for value in found for form in value.forms}
        share, is_short = self._share(statement, first.language, tokens)
        if statement.values:
            share *= 0.5 + 0.5 * len(found) / len(statement.values)
            if is_short and len(found) == len(statement.values):
                share = max(share, 0.75)
        if _is_quoted(statement.text, window):
            share = 1.0
        if share < MIN_SHARE:
            return None
        asked = max(self._relevance.share(index + offset) for offset in range(count))
        is_asked = any(self._relevance.has_word(index + i) for i in range(count))
        if is_short and not is_asked and _is_common(statement):
            return None
        return _Place(first, last, share, share + _QUESTION_BONUS * asked)

    def _share(
        self, statement: _Statement, language: str, tokens: frozenset[str]
    ) -> tuple[float, bool]:
        """Return the found share of a statement, and whether it is too short for that to tell."""
        wanted = list(dict.fromkeys(tokenize(statement.text, language)))
        new = [token for token in wanted if token not in self._asked]
        if not new:
            share = self._weight_of(wanted, tokens)
            return (share if share >= 0.8 else 0.0), False
        # What the answer adds to the question has to be found; the question's words are free.
        added = self._weight_of(new, tokens)
        if added < MIN_SHARE:
            return 0.0, False
        return 0.5 * added + 0.5 * self._weight_of(wanted, tokens), len(wanted) <= (
            _SHORT_STATEMENT_TOKENS
        )

    def _weight_of(self, wanted: Sequence[str], tokens: frozenset[str]) -> float:
        weights = {
            token: self._rarity.get(token, self._unseen)
            * (_VALUE_WEIGHT if any(c.isdigit() for c in token) else 1.0)
            for token in wanted
        }
        total = sum(weights.values())
        return sum(w for token, w in weights.items() if token in tokens) / total if total else 0.0


def _stands_in(value: Value, window: Sequence[ReadUnit], tokens: frozenset[str]) -> bool:
    """Whether a value stands in some units."""
    if any(value.stands_in(other) for unit in window for other in unit.values):
        return True
    # A part of a code: "20417" for "NP-20417". Short numbers stand in too many places.
    is_plain = value.kind in ("number", "identifier")
    return is_plain and any(form in tokens and len(form) >= 4 for form in value.forms)


def _is_quoted(text: str, window: Sequence[ReadUnit]) -> bool:
    """Whether the statement stands there word for word."""
    wanted = squash(text)
    there = squash(window[0].page.text[window[0].start : window[-1].end])
    if re.search(r"[\u3040-\u9fff\uac00-\ud7a3]", wanted):
        return len(wanted.strip()) >= 2 and wanted.replace(" ", "") in there.replace(" ", "")
    return len(wanted) > 4 and wanted in there


def _is_common(statement: _Statement) -> bool:
    """Whether the statement is a small number only, which stands by chance in many lines."""
    digits = re.sub(r"\D", "", plain_characters(statement.text))
    return len(statement.values) == 1 and len(digits) <= 3
