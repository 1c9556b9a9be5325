# SPDX-License-Identifier: Apache-2.0
"""Whether a token of a document is a word of the question: itself, a relative, or a part of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from molmo_desktop.retrieval.questions import Term
from molmo_desktop.retrieval.tokens import COMPOUNDING, ENDING_MARK, MIN_COMPOUND_CHARACTERS

EXACT = 1.0
RELATED = 0.6  # a word of the same concept
PART = 0.6  # "complain" in "complaint", "Betrag" in "Rechnungsbetrag"
_MIN_PREFIX_CHARACTERS = 5
_MIN_PART_CHARACTERS = 4  # of a compound
_MIN_REST_CHARACTERS = 3
_MIN_RELATED_CHARACTERS = 5

Meaning = tuple[int, float]


class TermMatcher:
    """Looks tokens up among the terms of one question.

    Args:
        terms: Of the question.
        languages: Of the question and the documents; decides whether compounds are taken apart.
    """

    def __init__(self, terms: Sequence[Term], languages: Collection[str]) -> None:
        self.terms = terms
        takes_apart = bool(COMPOUNDING & set(languages))
        self._known: dict[str, tuple[Meaning, ...]] = {}
        # Whole tokens, beginnings of tokens and ends of tokens, each with what they mean.
        self._whole: dict[str, dict[int, float]] = {}
        self._beginnings: dict[str, dict[int, float]] = {}
        self._ends: dict[str, dict[int, float]] = {}
        for index, term in enumerate(terms):
            for form in term.forms:
                _put(self._whole, form, index, EXACT)
                for part in beginnings(form, takes_apart):
                    _put(self._beginnings, part, index, PART)
                if takes_apart:
                    for part in parts_of_compound(form):
                        _put(self._whole, part, index, PART)
                    for part in ends((form,), _MIN_PART_CHARACTERS):
                        _put(self._ends, part, index, PART)
            for form in term.related:
                _put(self._whole, form, index, RELATED)
            if takes_apart:
                for form in ends(term.related, _MIN_RELATED_CHARACTERS):
                    _put(self._ends, form, index, PART * RELATED)
        self._all_beginnings = tuple(self._beginnings)
        self._all_ends = tuple(self._ends)

    def meanings(self, token: str) -> tuple[Meaning, ...]:
        """Return (term, how well it matches) for a token."""
        found = self._known.get(token)
        if found is None:
            found = self._known[token] = self._look_up(token)
        return found

    def found(self, tokens: Iterable[str]) -> dict[int, float]:
        """Return the terms that stand among the tokens, with how well the best token matches."""
        best: dict[int, float] = {}
        for token in tokens:
            for index, factor in self.meanings(token):
                if factor > best.get(index, 0.0):
                    best[index] = factor
        return best

    def _look_up(self, token: str) -> tuple[Meaning, ...]:
        found = dict(self._whole.get(token, ()))
        if not token.isalpha():
            return tuple(found.items())
        if token.startswith(self._all_beginnings):
            for part, meanings in self._beginnings.items():
                if token.startswith(part):
                    _merge(found, meanings)
        if len(token) >= MIN_COMPOUND_CHARACTERS and token.endswith(self._all_ends):
            for part, meanings in self._ends.items():
                if token.endswith(part):
                    _merge(found, meanings)
        return tuple(found.items())


def beginnings(form: str, takes_apart: bool) -> tuple[str, ...]:
    """Return the form where longer tokens may begin with it: "complain" and "complaint"."""
    least = _MIN_PART_CHARACTERS if takes_apart else _MIN_PREFIX_CHARACTERS
    return (form,) if len(form) >= least and form.isalpha() else ()


def ends(forms: Iterable[str], least: int) -> list[str]:
    """Return the forms that a compound may end with."""
    return sorted(form for form in forms if len(form) >= least and form.isalpha())


def parts_of_compound(form: str) -> list[str]:
    """Return what a long word of the question may be put together from, right or not."""
    if len(form) < MIN_COMPOUND_CHARACTERS or not form.isalpha():
        return []
    cuts = range(_MIN_PART_CHARACTERS, len(form) - _MIN_REST_CHARACTERS + 1)
    return [form[:cut] for cut in cuts] + [form[-cut:] for cut in cuts]


def _put(table: dict[str, dict[int, float]], form: str, index: int, factor: float) -> None:
    _merge(table.setdefault(form, {}), {index: factor})


def _merge(found: dict[int, float], others: Mapping[int, float]) -> None:
    for index, factor in others.items():
        found[index] = max(factor, found.get(index, 0.0))


def full_text_query(term: Term, languages: Collection[str]) -> str:
    """Return the FTS5 query for the passages that hold a term in any way."""
    takes_apart = bool(COMPOUNDING & set(languages))
    whole = set(term.forms | term.related)
    starting: set[str] = set()
    for form in term.forms:
        starting.update(beginnings(form, takes_apart))
        if takes_apart:
            whole.update(parts_of_compound(form))
            starting.update(ENDING_MARK + end[::-1] for end in ends((form,), _MIN_PART_CHARACTERS))
    if takes_apart:
        related = ends(term.related, _MIN_RELATED_CHARACTERS)
        starting.update(ENDING_MARK + end[::-1] for end in related)
    return " OR ".join(
        [_quoted(token) for token in sorted(whole)]
        + [f"{_quoted(token)} *" for token in sorted(starting)]
    )


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'
