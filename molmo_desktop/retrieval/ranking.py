# SPDX-License-Identifier: Apache-2.0
"""How well a passage answers a question: BM25 over the question's words, and their nearness.

Counted over the documents that are searched, not over everything that was ever read: a word that
is rare in this contract tells more than one that is rare in the user's whole library.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from molmo_desktop.retrieval.matching import TermMatcher
from molmo_desktop.retrieval.questions import Term

_K1 = 1.2
_B = 0.6
_AVERAGE_TOKENS = 70.0
_HEADING_FACTOR = 0.9  # a word that stands in the heading only
CONTEXT_FACTOR = 0.6  # a word in the sentence before, the head row or the heading
_NEARNESS_SHARE = 0.35
_COVERAGE_SHARE = 0.35
_MIN_WEIGHT = 0.05  # a word of every passage still breaks a tie
_MARK_SHARE = 0.5  # what a value of the wanted kind counts, compared with the heaviest word


@dataclass(frozen=True)
class Match:
    """How one passage matches.

    Attributes:
        score: 0 to 1.
        matched: The question's words that stand in it.
    """

    score: float
    matched: tuple[str, ...]


def weigh(terms: Sequence[Term], passage_counts: Sequence[int], total: int) -> list[float]:
    """Return the weights of the terms: their inverse document frequency.

    Args:
        terms: Of the question.
        passage_counts: For each term, the passages that hold it.
        total: Passages that are searched.
    """
    weights = [
        term.weight * math.log(1 + (total - n + 0.5) / (n + 0.5)) + _MIN_WEIGHT
        for term, n in zip(terms, passage_counts, strict=True)
    ]
    words = [weight for term, weight in zip(terms, weights, strict=True) if not term.is_mark]
    mark = _MARK_SHARE * max(words, default=1.0)
    return [mark if term.is_mark else weight for term, weight in zip(terms, weights, strict=True)]


def rank(
    matcher: TermMatcher,
    weights: Sequence[float],
    units: Sequence[Sequence[str]],
    context_of: Sequence[int | None],
    heading_tokens: Sequence[str],
) -> Match:
    """Return how well a passage matches the terms of a matcher.

    Args:
        matcher: Holds the terms.
        weights: One a term.
        units: Tokens of each sentence or row of the passage.
        context_of: For each, the unit that it is read with: its head row, or the one before.
        heading_tokens: Of the headings above the passage.
    """
    best = sum(weights)
    if not best:
        return Match(0.0, ())
    heading = matcher.found(heading_tokens)
    counts: dict[int, float] = {}
    found_in: list[dict[int, float]] = []
    meanings = matcher.meanings
    for tokens in units:
        found: dict[int, float] = {}
        for hit in filter(None, map(meanings, tokens)):
            for index, factor in hit:
                counts[index] = counts.get(index, 0.0) + factor
                found[index] = max(factor, found.get(index, 0.0))
        found_in.append(found)
    factors = {i: _HEADING_FACTOR * factor for i, factor in heading.items()}
    for found in found_in:
        for index, factor in found.items():
            factors[index] = max(factor, factors.get(index, 0.0))
    length_norm = 1 - _B + _B * sum(map(len, units)) / _AVERAGE_TOKENS
    covered = raw = 0.0
    for index, factor in factors.items():
        count = counts.get(index, 0.0) + heading.get(index, 0.0)
        covered += weights[index] * factor
        raw += weights[index] * factor * count / (count + _K1 * length_norm)
    nearness = max(
        (
            share(weights, own, [heading] if near is None else [found_in[near], heading])
            for own, near in zip(found_in, context_of, strict=True)
            if own
        ),
        default=0.0,
    )
    score = (
        (1 - _NEARNESS_SHARE - _COVERAGE_SHARE) * raw / best
        + _NEARNESS_SHARE * nearness
        + _COVERAGE_SHARE * covered / best
    )
    matched = tuple(
        term.word for i, term in enumerate(matcher.terms) if i in factors and not term.is_mark
    )
    return Match(min(1.0, score), matched)


def share(
    weights: Sequence[float], own: Mapping[int, float], contexts: Iterable[Mapping[int, float]]
) -> float:
    """Return the share of the terms' weight that a sentence holds, itself or by its context.

    Args:
        weights: One a term.
        own: Terms of the sentence with how well they match.
        contexts: Terms of what it is read with; they count less, and marks of values not at all
            because the value has to stand in the sentence.
    """
    found = dict(own)
    for context in contexts:
        for index, factor in context.items():
            found[index] = max(found.get(index, 0.0), CONTEXT_FACTOR * factor)
    total = sum(weights)
    return sum(weights[i] * factor for i, factor in found.items()) / total if total else 0.0
