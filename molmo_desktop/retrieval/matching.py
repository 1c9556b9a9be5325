# SPDX-License-Identifier: Apache-2.0
"""Whether a token of a document is a word of the question: itself, a relative, or a part of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from molmo_desktop.retrieval.questions import Term
from molmo_desktop.retrieval.tokens import COMPOUNDING, ENDING_MARK, MIN_COMPOUND_CHARACTERS

EXACT = 1.0
RELATED = 0.6  # a word of the same concept
PART = 0.6  # "complain" in "complaint", "Betrag" in "Rechnungsbetrag"
_MIN_PREFIX_CHARACTERS = 5
_MIN_ENDING_CHARACTERS = 4
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
        self._takes_apart = bool(COMPOUNDING & set(languages))
        self._known: dict[str, tuple[Meaning, ...]] = {}
        self._exact: dict[str, list[Meaning]] = {}
        for index, term in enumerate(terms):
            for form in term.forms:
                self._exact.setdefault(form, []).append((index, EXACT))
            for form in term.related:
                self._exact.setdefault(form, []).append((index, RELATED))

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
        found = dict(self._exact.get(token, ()))
        if token.isalpha() and len(token) >= _MIN_ENDING_CHARACTERS:
            for index, term in enumerate(self.terms):
                if index in found:
                    continue
                if any(self._is_part(form, token) for form in term.forms):
                    found[index] = PART
                elif self._takes_apart and any(ends_with(token, w) for w in term.related):
                    found[index] = PART * RELATED
        return tuple(found.items())

    def _is_part(self, form: str, token: str) -> bool:
        if not form.isalpha():
            return False
        if len(form) >= _MIN_PREFIX_CHARACTERS and token.startswith(form):
            return True
        if not self._takes_apart:
            return False
        long, short = (token, form) if len(token) > len(form) else (form, token)
        if len(long) < MIN_COMPOUND_CHARACTERS:
            return False
        is_long_enough = len(short) >= _MIN_ENDING_CHARACTERS
        return is_long_enough and (long.startswith(short) or long.endswith(short))


def ends_with(token: str, word: str) -> bool:
    """Whether a compound ends with a word of some length: "Jahresbeitrag" is a "Beitrag"."""
    is_compound = len(token) >= MIN_COMPOUND_CHARACTERS and len(word) >= _MIN_RELATED_CHARACTERS
    return is_compound and token.endswith(word)


def full_text_query(term: Term, languages: Collection[str]) -> str:
    """Return the FTS5 query for the passages that hold a term in any way."""
    parts = [_quoted(token) for token in sorted(term.forms | term.related)]
    takes_apart = bool(COMPOUNDING & set(languages))
    if takes_apart:
        parts += [
            f"{_quoted(ENDING_MARK + word[::-1])} *"
            for word in sorted(term.related)
            if len(word) >= _MIN_RELATED_CHARACTERS and word.isalpha()
        ]
    least = _MIN_ENDING_CHARACTERS if takes_apart else _MIN_PREFIX_CHARACTERS
    for form in sorted(term.forms):
        if not form.isalpha():
            continue
        if len(form) >= least:
            parts.append(f"{_quoted(form)} *")
        if not takes_apart:
            continue
        if len(form) >= _MIN_ENDING_CHARACTERS:
            parts.append(f"{_quoted(ENDING_MARK + form[::-1])} *")
        if len(form) >= MIN_COMPOUND_CHARACTERS:
            parts += [_quoted(form[:end]) for end in range(_MIN_ENDING_CHARACTERS, len(form))]
            parts += [
                _quoted(form[start:]) for start in range(1, len(form) - _MIN_ENDING_CHARACTERS + 1)
            ]
    return " OR ".join(parts)


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""') + '"'
