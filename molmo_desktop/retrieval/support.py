# SPDX-License-Identifier: Apache-2.0
"""Whether the documents support an answer at all: before it is written, and after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.languages import guess_language, stop_words
from molmo_desktop.retrieval.passages import ScoredPassage
from molmo_desktop.retrieval.relevance import Relevance
from molmo_desktop.retrieval.sources import passage_units
from molmo_desktop.retrieval.text import fold, plain_characters, sentences
from molmo_desktop.retrieval.values import comparable_forms, find_values

# Chosen by logistic regression on the tuning questions of tests/data/retrieval.
ANSWERABLE_FROM = 0.45
_UNIT_SHARE = 0.4
_VALUE_BONUS = 0.13
_NO_VALUE_MALUS = 0.1
_FOREIGN_BONUS = 0.25  # words of another language are found by the table of concepts only
_NEAR_FACTOR = 0.9
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.)])\s+|\[\d{1,3}\]", re.MULTILINE)
_NAME = re.compile(r"[A-ZÀ-ÖØ-ÞА-Я][\w'’-]+(?:\s+(?:(?:de|van|von|der|den|du|la|le|del|di|da|of|the|&)\s+)*[A-ZÀ-ÖØ-ÞА-Я][\w'’-]+)*")  # fmt: skip


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
            relevance.coverage[i] + _VALUE_BONUS / _UNIT_SHARE * relevance.has_value(i)
            for i in indices
        )
        in_passage = relevance.covered(indices, near_factor=_NEAR_FACTOR)
        best = max(best, _UNIT_SHARE * in_unit + (1 - _UNIT_SHARE) * in_passage)
    if relevance.asks_for_value and not any(map(relevance.has_value, range(len(units)))):
        best -= _NO_VALUE_MALUS
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
    known_forms = frozenset(form for text in texts for form in _forms_in(text))
    values = find_values(plain)
    missing = [value.text for value in values if not _is_known(value.forms, known_forms)]
    taken = [(value.start, value.end) for value in values]
    words = {word for text in texts for word in re.findall(r"\w+", fold(plain_characters(text)))}
    missing += [name for name in _names(plain, taken) if not _name_is_known(name, words)]
    return list(dict.fromkeys(missing))


def _forms_in(text: str) -> Iterable[str]:
    yield from comparable_forms(find_values(text))
    # Every number by itself too: a date or an identifier is made of numbers that may be named.
    yield from (str(int(run)) for run in re.findall(r"\d{1,18}", plain_characters(text)))


def _is_known(forms: frozenset[str], known: frozenset[str]) -> bool:
    return not forms or bool(forms & known)


def _names(plain: str, taken: Sequence[tuple[int, int]]) -> Iterable[str]:
    """Yield names: capitalised words that do not only begin a sentence."""
    language = guess_language(plain)
    capitalises_nouns = language == "german"
    for sentence in sentences(plain):
        text = plain[sentence.start : sentence.end]
        for match in _NAME.finditer(text):
            start = sentence.start + match.start()
            if any(a <= start < b for a, b in taken):
                continue
            words = match[0].split()
            if match.start() == 0 and (len(words) == 1 or fold(words[0]) in stop_words(language)):
                words = words[1:]
            if not words or (capitalises_nouns and len(words) < 2):
                continue
            yield " ".join(words)


def _name_is_known(name: str, words: set[str]) -> bool:
    parts = re.findall(r"\w+", fold(name))
    return all(part in words for part in parts)
