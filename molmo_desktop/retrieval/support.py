# SPDX-License-Identifier: Apache-2.0
"""Whether the documents support an answer at all: before it is written, and after."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.kinds import TELLING_KINDS, answer_kind
from molmo_desktop.retrieval.languages import guess_language, stop_words
from molmo_desktop.retrieval.passages import ScoredPassage
from molmo_desktop.retrieval.relevance import Relevance
from molmo_desktop.retrieval.sources import cached_values, passage_units
from molmo_desktop.retrieval.text import fold, plain_characters, sentences
from molmo_desktop.retrieval.values import Value, comparable_forms, find_values

# Chosen by logistic regression on the tuning questions of tests/data/retrieval.
ANSWERABLE_FROM = 0.5
_UNIT_SHARE = 0.4
_VALUE_BONUS = 0.13
_NO_VALUE_MALUS = 0.1
_NO_TELLING_VALUE_FACTOR = 0.6  # no e-mail address anywhere cannot be said in other words
_FOREIGN_BONUS = 0.25  # words of another language are found by the table of concepts only
_NEAR_FACTOR = 0.9
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)])\s+|\[\d{1,3}\]", re.MULTILINE)
_CAPITAL = "A-ZÀ-ÖØ-ÞА-Я"
_NAME = re.compile(
    rf"(?<!\w)[{_CAPITAL}][\w'-]+"
    rf"(?:\s+(?:(?:de|van|von|der|den|du|la|le|del|di|da|of|the|&)\s+)*[{_CAPITAL}][\w'-]+)*"
)


_GERMAN_NAME = re.compile(
    rf"(?<!\w)[{_CAPITAL}][\w'-]+(?:\s+(?:(?:von|van|zu)\s+)?[{_CAPITAL}][\w'-]+)+"
)


def answerable(question: str, ranked: Sequence[ScoredPassage]) -> bool:
    """Whether the documents seem to say anything about the question.

    Args:
        question: In the user's words.
        ranked: What the search found, best first.

    Returns:
        True as well for a question without telling words, about which nothing can be said.
    """
    return answerability(question, ranked) >= ANSWERABLE_FROM


def answerability(question: str, ranked: Sequence[ScoredPassage]) -> float:
    """Return 0 to 1: how much of the question stands together in one place.

    Counted are the question's telling words, in the best passage and in its best sentence or row.
    A value of the kind that is asked for ("when": a date) speaks for a place; its absence
    everywhere speaks against all of them.
    """
    groups = [passage_units(item.passage) for item in ranked]
    units = [unit for group in groups for unit in group]
    relevance = Relevance(question, units)
    if not relevance.terms:
        return 1.0
    if not units:
        return 0.0
    best, first = 0.0, 0
    for group in groups:
        indices = range(first, first + len(group))
        first += len(group)
        in_unit = max(
            relevance.coverage(i) + _VALUE_BONUS / _UNIT_SHARE * relevance.has_value(i)
            for i in indices
        )
        in_passage = relevance.covered(indices, near_factor=_NEAR_FACTOR)
        best = max(best, _UNIT_SHARE * in_unit + (1 - _UNIT_SHARE) * in_passage)
    if relevance.asks_for_value and not any(map(relevance.has_value, range(len(units)))):
        is_telling = answer_kind(question) in TELLING_KINDS
        best = best * _NO_TELLING_VALUE_FACTOR if is_telling else best - _NO_VALUE_MALUS
    if relevance.is_foreign and best > 0:
        best += _FOREIGN_BONUS
    return min(1.0, max(0.0, best))


def unsupported_values(
    answer: str, documents: Sequence[Document], *, question: str = ""
) -> list[str]:
    """Return the numbers, dates and names of an answer that stand nowhere in the documents.

    Args:
        answer: As the model wrote it.
        documents: What was attached.
        question: Values of the question are not counted against the answer.

    Returns:
        The values as the answer writes them, each once, in order.
    """
    plain = _LIST_MARK.sub("", plain_characters(answer))
    texts = [page.text for document in documents for page in document.pages] + [question]
    words = {word for text in texts for word in re.findall(r"\w+", fold(plain_characters(text)))}
    values = [v for v in find_values(plain) if not _is_ordinal(plain, v)]
    missing: list[tuple[int, str]] = []
    if values:
        known = _Known([value for text in texts for value in cached_values(text)], words)
        missing += [(value.start, value.text) for value in values if not known.holds(value)]
    taken = [(value.start, value.end) for value in values]
    missing += [(at, name) for at, name in _names(plain, taken) if not _is_known(name, words)]
    return list(dict.fromkeys(text for _, text in sorted(missing)))


def _is_ordinal(plain: str, value: Value) -> bool:
    """Whether it is "3rd" or the like, which the documents may write as a word."""
    return value.kind == "number" and bool(
        re.match(r"(?:st|nd|rd|th|er|e|º)\b", plain[value.end :])
    )


class _Known:
    """The values of all documents, to be looked up."""

    def __init__(self, values: Iterable[Value], words: Collection[str]) -> None:
        self._words = words
        self._by_form: dict[str, list[Value]] = {}
        for value in dict.fromkeys(values):
            for form in comparable_forms([value]) | value.parts:
                self._by_form.setdefault(form, []).append(value)

    def holds(self, value: Value) -> bool:
        candidates = [v for form in comparable_forms([value]) for v in self._by_form.get(form, ())]
        if any(value.stands_in(other) for other in candidates):
            return True
        # A year or a number may be a part of a date or of a code.
        return value.kind in ("number", "identifier") and value.text.casefold() in self._words


def _names(plain: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield names with their places: capitalised words that do not only begin a sentence."""
    language = guess_language(plain)
    stops = stop_words(language)
    # German nouns are capitalised: only two in a row, without an article between, may be a name.
    is_german = language == "german"
    for sentence in sentences(plain):
        text = plain[sentence.start : sentence.end]
        for match in (_GERMAN_NAME if is_german else _NAME).finditer(text):
            start = sentence.start + match.start()
            if any(a <= start < b for a, b in taken):
                continue
            words = match[0].split()
            if match.start() == 0 and (len(words) == 1 or fold(words[0]) in stops):
                words = words[1:]
            if words and (len(words) > 1 or not is_german):
                yield start, " ".join(words)


def _is_known(name: str, words: Collection[str]) -> bool:
    # "Anna's" is Anna.
    plain_name = re.sub(r"'s\b", "", fold(name))
    return all(part in words for part in re.findall(r"\w+", plain_name))
