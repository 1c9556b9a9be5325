# SPDX-License-Identifier: Apache-2.0
"""How well a passage answers a question: BM25 over the question's words, and their nearness.

Counted over the documents that are searched, not over everything that was ever read: a word that
is rare in this contract tells more than one that is rare in the user's whole library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from molmo_desktop.retrieval.questions import Term

_K1 = 1.2
_B = 0.6
_RELATED_FACTOR = 0.6  # a word of the same concept counts less than the word itself
_HEADING_FACTOR = 0.9  # a word that stands in the heading only
_NEARNESS_WINDOW = 14  # tokens; about one sentence or table row
_NEARNESS_SHARE = 0.35
_COVERAGE_SHARE = 0.35


@dataclass(frozen=True)
class WeightedTerm:
    """A question's word with its weight in the documents that are searched."""

    term: Term
    weight: float


@dataclass(frozen=True)
class Match:
    """How one passage matches: ``score`` and ``coverage`` are 0 to 1."""

    score: float
    coverage: float
    matched: tuple[str, ...]


def weigh(terms: Sequence[Term], passage_counts: Sequence[int], total: int) -> list[WeightedTerm]:
    """Return the terms with their inverse document frequency.

    Args:
        terms: Of the question.
        passage_counts: For each term, the passages that hold it.
        total: Passages that are searched.
    """
    return [
        WeightedTerm(term, term.weight * math.log(1 + (total - n + 0.5) / (n + 0.5)) + 0.05)
        for term, n in zip(terms, passage_counts, strict=True)
    ]


def rank(
    terms: Sequence[WeightedTerm],
    tokens: Sequence[str],
    heading_tokens: Sequence[str],
    average_length: float,
) -> Match:
    """Return how well a passage matches the terms."""
    if not terms:
        return Match(0.0, 0.0, ())
    heading = set(heading_tokens)
    length_norm = 1 - _B + _B * len(tokens) / max(1.0, average_length)
    places = _places(terms, tokens)
    raw = best = covered = 0.0
    matched: list[str] = []
    for index, weighted in enumerate(terms):
        best += weighted.weight
        exact = sum(1 for _, which, is_exact in places if which == index and is_exact)
        related = sum(1 for _, which, is_exact in places if which == index and not is_exact)
        factor = 1.0 if exact else _RELATED_FACTOR if related else 0.0
        if not factor and heading & weighted.term.forms:
            factor = _HEADING_FACTOR
        elif not factor and heading & weighted.term.related:
            factor = _HEADING_FACTOR * _RELATED_FACTOR
        if not factor:
            continue
        matched.append(weighted.term.word)
        count = exact + _RELATED_FACTOR * related or 1
        if heading & weighted.term.forms:
            count += 1
        covered += weighted.weight * factor
        raw += weighted.weight * factor * count / (count + _K1 * length_norm)
    coverage = covered / best if best else 0.0
    nearness = _nearness(terms, places) / best if best else 0.0
    score = (
        (1 - _NEARNESS_SHARE - _COVERAGE_SHARE) * (raw / best if best else 0.0)
        + _NEARNESS_SHARE * nearness
        + _COVERAGE_SHARE * coverage
    )
    return Match(min(1.0, score), min(1.0, coverage), tuple(matched))


def _places(terms: Sequence[WeightedTerm], tokens: Sequence[str]) -> list[tuple[int, int, bool]]:
    """Return (position, term, is the word itself) of every match, in order."""
    meanings: dict[str, list[tuple[int, bool]]] = {}
    for index, weighted in enumerate(terms):
        for form in weighted.term.forms:
            meanings.setdefault(form, []).append((index, True))
        for form in weighted.term.related:
            meanings.setdefault(form, []).append((index, False))
    return [
        (position, index, is_exact)
        for position, token in enumerate(tokens)
        for index, is_exact in meanings.get(token, ())
    ]


def _nearness(terms: Sequence[WeightedTerm], places: Sequence[tuple[int, int, bool]]) -> float:
    """Return the greatest weight of different terms that stand within one window."""
    best = 0.0
    for first, (start, _, _) in enumerate(places):
        seen: dict[int, float] = {}
        for position, index, is_exact in places[first:]:
            if position - start >= _NEARNESS_WINDOW:
                break
            factor = 1.0 if is_exact else _RELATED_FACTOR
            seen[index] = max(seen.get(index, 0.0), terms[index].weight * factor)
        best = max(best, sum(seen.values()))
    return best
