# SPDX-License-Identifier: Apache-2.0
"""How near single sentences and rows come to a question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.matching import TermMatcher
from molmo_desktop.retrieval.questions import mark_term, question_terms
from molmo_desktop.retrieval.ranking import CONTEXT_FACTOR, share
from molmo_desktop.retrieval.sources import ReadUnit

_MARK_WEIGHT = 0.5
_IMPLIED_FACTOR = 0.8


class Relevance:
    """Compares the units of what was read with one question.

    Args:
        question: In the user's words.
        units: Of what was read or found.
    """

    def __init__(self, question: str, units: Sequence[ReadUnit]) -> None:
        self.question = question
        self.units = units
        languages = {guess_language(question), *(unit.language for unit in units)}
        self.terms = question_terms(question, languages)
        self._mark = mark_term(question)
        self._matcher = TermMatcher(
            [*self.terms, self._mark] if self._mark else self.terms, languages
        )

        self._found: dict[int, dict[int, float]] = {}
        self._found_near: dict[int, dict[int, float]] = {}

    def found(self, index: int) -> dict[int, float]:
        """Return the terms that stand in a unit with how well they match."""
        if index not in self._found:
            self._found[index] = self._matcher.found(self.units[index].marked_tokens)
        return self._found[index]

    def found_near(self, index: int) -> dict[int, float]:
        """Return the terms of a unit's heading and of what it is read with."""
        if index not in self._found_near:
            self._found_near[index] = self._matcher.found(self.units[index].context_tokens)
        return self._found_near[index]

    @cached_property
    def weights(self) -> list[float]:
        """The terms' weights: rarer among the units is more; the mark comes last."""
        total = len(self.units)
        counts = [0] * (len(self.terms) + 1)
        for token, count in Counter(t for unit in self.units for t in unit.tokens).items():
            for index, _ in self._matcher.meanings(token):
                counts[index] += count
        weights = [
            term.weight * math.log(1 + (total + 1) / (min(count, total) + 0.5))
            for term, count in zip(self.terms, counts, strict=False)
        ]
        if self._mark:
            weights.append(_MARK_WEIGHT * max(weights, default=1.0))
        return weights

    def share(self, index: int) -> float:
        """Return the share of the question that a unit holds, rare words counting more, 0 to 1."""
        return share(self.weights, self.found(index), [self.found_near(index)])

    def coverage(self, index: int) -> float:
        """Return `covered` for one unit with what it is read with."""
        return self.covered((index,))

    def covered(self, indices: Sequence[int], near_factor: float = CONTEXT_FACTOR) -> float:
        """Return the share of the question's words that stand in some units, 0 to 1.

        Rare words count no more than others here. A value of the kind that is asked for stands
        in for the words that it implies.

        Args:
            indices: Of units that are read together.
            near_factor: What a word counts that stands in their headings and contexts only.
        """
        found: dict[int, float] = {}
        if any(self.has_value(index) for index in indices):
            found = {i: _IMPLIED_FACTOR for i, term in enumerate(self.terms) if term.is_implied}
        for index in indices:
            for term, factor in self.found(index).items():
                found[term] = max(found.get(term, 0.0), factor)
            for term, factor in self.found_near(index).items():
                found[term] = max(found.get(term, 0.0), near_factor * factor)
        weights = [term.weight for term in self.terms]
        total = sum(weights)
        return sum(w * found.get(i, 0.0) for i, w in enumerate(weights)) / total if total else 0.0

    @property
    def asks_for_value(self) -> bool:
        """Whether the question asks for a value or a name that can be recognised."""
        return self._mark is not None

    def has_value(self, index: int) -> bool:
        """Whether a value of the kind that is asked for stands in a unit."""
        return len(self.terms) in self.found(index)

    @cached_property
    def is_foreign(self) -> bool:
        """Whether the question is in another language than everything that was found."""
        return guess_language(self.question) not in {unit.language for unit in self.units}

    def meanings(self, token: str) -> tuple[tuple[int, float], ...]:
        """Return the terms that a token stands for."""
        return self._matcher.meanings(token)

    def has_word(self, index: int) -> bool:
        """Whether a word of the question stands in a unit or its context."""
        words = range(len(self.terms))
        return any(i in self.found(index) or i in self.found_near(index) for i in words)
