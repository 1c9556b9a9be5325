# SPDX-License-Identifier: Apache-2.0
"""Full-text search: FTS5 finds the passages that hold words of a question, ranking orders them.

FTS5 has a ranking of its own, but it counts how rare a word is over everything that was ever
read. Here it is counted over the documents that are searched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from molmo_desktop.retrieval.kinds import TELLING_KINDS, answer_kind
from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.matching import TermMatcher, full_text_query
from molmo_desktop.retrieval.passages import ScoredPassage
from molmo_desktop.retrieval.questions import Term, mark_term, question_terms
from molmo_desktop.retrieval.ranking import Match, rank, weigh
from molmo_desktop.retrieval.records import passages_by_id, token_records

_CANDIDATES = 60  # passages that are looked at closely
_SCORE_DECIMALS = 4

_Ids = npt.NDArray[np.int64]


class _Range(NamedTuple):
    """The passages of one document: written in one transaction, so they follow one another."""

    first: int
    last: int
    languages: str

    def __len__(self) -> int:
        return self.last - self.first + 1


def search_passages(
    connection: sqlite3.Connection,
    question: str,
    content_hashes: Sequence[str],
    *,
    limit: int,
    pages: Sequence[int] = (),
) -> list[ScoredPassage]:
    """Return the passages that fit a question best; see `PassageIndex.search`."""
    ranges = _ranges(connection, content_hashes)
    if not ranges or limit < 1:
        return []
    languages = {
        guess_language(question),
        *(name for item in ranges for name in item.languages.split()),
    }
    terms = question_terms(question, languages)
    scope = _Scope(connection, ranges, tuple(pages))
    if not terms:
        ids = scope.openings(limit)
        return [ScoredPassage(passage, 0.0) for passage in passages_by_id(connection, ids)]
    holders = [scope.holders(term, languages) for term in terms]
    mark = mark_term(question)
    if mark is not None:
        # A telling value is worth finding alone, any other only beside the question's words.
        is_telling = answer_kind(question) in TELLING_KINDS
        holders.append(scope.holders(mark, languages) if is_telling else scope.nothing())
        terms.append(mark)
    weights = weigh(terms, [sum(map(len, ids)) for ids in holders], scope.count())
    candidates = scope.most_covered(weights, holders)
    matcher = TermMatcher(terms, languages)
    found: list[tuple[int, Match]] = [
        (record.passage_id, rank(matcher, weights, *record[1:]))
        for record in token_records(connection, candidates)
    ]
    found.sort(
        key=lambda item: (-round(item[1].score, _SCORE_DECIMALS), scope.place_of(item[0]), item[0])
    )
    passages = passages_by_id(connection, [passage_id for passage_id, _ in found[:limit]])
    return [
        ScoredPassage(passage, round(match.score, _SCORE_DECIMALS), match.matched)
        for passage, (_, match) in zip(passages, found[:limit], strict=True)
    ]


def _ranges(connection: sqlite3.Connection, content_hashes: Sequence[str]) -> list[_Range]:
    """Return the passages of each document that has any."""
    found = []
    for content_hash in dict.fromkeys(content_hashes):
        first, last, languages = connection.execute(
            "SELECT min(p.id), max(p.id), d.languages FROM documents d"
            " JOIN passages p ON p.document_id = d.id WHERE d.content_hash = ?",
            (content_hash,),
        ).fetchone()
        if first is not None:
            found.append(_Range(first, last, languages))
    return found


class _Scope:
    """What is searched: some documents, perhaps only some pages of them."""

    def __init__(
        self, connection: sqlite3.Connection, ranges: Sequence[_Range], pages: tuple[int, ...]
    ) -> None:
        self._connection = connection
        self._ranges = ranges
        self._allowed = self._on_pages(pages) if pages else None

    def nothing(self) -> list[_Ids]:
        """Return no passages for each document."""
        return [np.zeros(0, dtype=np.int64) for _ in self._ranges]

    def count(self) -> int:
        """Return the number of passages."""
        return sum(map(len, self._allowed if self._allowed is not None else self._ranges))

    def holders(self, term: Term, languages: Collection[str]) -> list[_Ids]:
        """Return for each document the passages that hold a term, a part or a relative of it."""
        words = full_text_query(term, languages)
        found = []
        for place, (first, last, _) in enumerate(self._ranges):
            rows = self._connection.execute(
                "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?",
                (words, first, last),
            )
            ids = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
            found.append(
                ids if self._allowed is None else np.intersect1d(ids, self._allowed[place])
            )
        return found

    def most_covered(
        self, weights: Sequence[float], holders: Sequence[Sequence[_Ids]]
    ) -> list[int]:
        """Return the passages that hold the most weight of the question, the best ones only."""
        best: list[tuple[float, int]] = []
        for place, item in enumerate(self._ranges):
            covered = np.zeros(len(item))
            for weight, ids in zip(weights, holders, strict=True):
                covered[ids[place] - item.first] += weight
            count = min(_CANDIDATES, len(covered))
            for offset in np.argpartition(-covered, count - 1)[:count]:
                if covered[offset] > 0:
                    best.append((-float(covered[offset]), item.first + int(offset)))
        return [passage_id for _, passage_id in sorted(best)[:_CANDIDATES]]

    def openings(self, limit: int) -> list[int]:
        """Return the first passages of each document in turn."""
        columns = [
            range(item.first, item.last + 1)
            if self._allowed is None
            else [int(passage_id) for passage_id in self._allowed[place]]
            for place, item in enumerate(self._ranges)
        ]
        in_turn = chain.from_iterable(zip_longest(*(column[:limit] for column in columns)))
        return [passage_id for passage_id in in_turn if passage_id is not None][:limit]

    def place_of(self, passage_id: int) -> int:
        """Return which of the documents, in the order that was asked for, holds a passage."""
        return next(i for i, r in enumerate(self._ranges) if r.first <= passage_id <= r.last)

    def _on_pages(self, pages: tuple[int, ...]) -> list[_Ids]:
        marks = ",".join("?" * len(pages))
        return [
            np.fromiter(
                chain.from_iterable(
                    self._connection.execute(
                        f"SELECT id FROM passages WHERE id BETWEEN ? AND ? AND page IN ({marks})"
                        " ORDER BY id",
                        (first, last, *pages),
                    )
                ),
                dtype=np.int64,
            )
            for first, last, _ in self._ranges
        ]
