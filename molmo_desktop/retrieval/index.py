# SPDX-License-Identifier: Apache-2.0
"""The index: documents that were read, their passages, and full-text search over them.

One SQLite file (FTS5) that is a cache: it can be deleted at any time. Where it cannot be written,
the index works in memory and says so in `PassageIndex.memory_reason`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.passages import Passage, ScoredPassage, cut_document
from molmo_desktop.retrieval.matching import TermMatcher, full_text_query
from molmo_desktop.retrieval.questions import (
    TELLING_KINDS,
    Term,
    answer_kind,
    mark_term,
    question_terms,
)
from molmo_desktop.retrieval.ranking import rank, weigh
from molmo_desktop.retrieval.storage import (
    SCHEMA_VERSION,
    StorageUnusableError,
    open_storage,
    read_document,
    transaction,
    write_document,
)
from molmo_desktop.retrieval.text import units
from molmo_desktop.retrieval.tokens import TOKENS_VERSION, endings, placed_tokens, tokenize

_log = logging.getLogger(__name__)
_ROW_MARK = "|"
_CANDIDATES = 60  # passages that are looked at closely
_SESSION_DOCUMENTS = 64  # carried along when the file fails
_PASSAGE_COLUMNS = "d.content_hash, p.page, p.start, p.end, p.heading, substr(g.text, p.start + 1, p.end - p.start)"  # fmt: skip
_PASSAGE_TABLES = "passages p JOIN documents d ON d.id = p.document_id JOIN pages g ON g.document_id = p.document_id AND g.number = p.page"  # fmt: skip
_Range = tuple[int, int, str]
IntArray = npt.NDArray[np.int64]
_NO_IDS: IntArray = np.zeros(0, dtype=np.int64)
_Result = TypeVar("_Result")


class PassageIndex:
    """Passages of documents, searchable; safe to use from several threads.

    Args:
        path: The file, created when missing; None = in memory.
        reader_version: Raise it when documents are read differently; a file that was written
            with another one is begun anew.
    """

    def __init__(self, path: Path | None, *, reader_version: int = 0) -> None:
        self._version = SCHEMA_VERSION * 1_000_000 + TOKENS_VERSION * 1000 + reader_version
        self._lock = threading.RLock()
        self._session: OrderedDict[str, None] = OrderedDict()
        self._memory_reason: str | None = None
        self._is_closed = False
        try:
            self._connection = open_storage(path, self._version)
        except StorageUnusableError as error:
            self._memory_reason = str(error)
            self._connection = open_storage(None, self._version)
            _log.info("The index works in memory: %s", error)
        self._is_file = path is not None and self._memory_reason is None

    @property
    def memory_reason(self) -> str | None:
        """Why nothing is kept on the disk although a file was wanted; None when all is well."""
        return self._memory_reason

    def add(self, document: Document) -> None:
        """Store a document and make it searchable; one that is there is replaced."""
        self._touch(document.content_hash)
        self._guarded(lambda: self._write(document))

    def has(self, content_hash: str) -> bool:
        """Whether the document was added before."""
        return self._guarded(lambda: self._row(content_hash) is not None)

    def document(self, content_hash: str) -> Document | None:
        """Return a document as it was read; its path is where it lay then."""
        self._touch(content_hash)
        return self._guarded(lambda: read_document(self._connection, content_hash))

    def passages(self, content_hash: str) -> list[Passage]:
        """Return the passages of a document in reading order."""
        return self._guarded(lambda: self._passages_of(content_hash))

    def search(
        self,
        question: str,
        content_hashes: Sequence[str],
        *,
        limit: int = 8,
        pages: Sequence[int] = (),
    ) -> list[ScoredPassage]:
        """Return the passages that fit the question best, best first.

        Args:
            question: In the user's words.
            content_hashes: The documents to search.
            limit: At most this many passages.
            pages: Only these pages, counted from 1; empty = all.

        Returns:
            Passages with at least one word of the question. A question without telling words
            ("What is this about?") gets the beginnings of the documents, with score 0.
        """
        return self._guarded(lambda: self._search(question, content_hashes, limit, tuple(pages)))

    def remove(self, content_hash: str) -> None:
        """Delete a document and everything stored about it."""
        self._session.pop(content_hash, None)
        self._guarded(lambda: self._delete(content_hash))

    def close(self) -> None:
        """Close the file; the index cannot be used afterwards."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._connection.close()

    def _touch(self, content_hash: str) -> None:
        with self._lock:
            self._session[content_hash] = None
            self._session.move_to_end(content_hash)
            while len(self._session) > _SESSION_DOCUMENTS:
                self._session.popitem(last=False)

    def _guarded(self, work: Callable[[], _Result]) -> _Result:
        """Do the work; when the file fails, go on in memory and do it there."""
        with self._lock:
            try:
                return work()
            except sqlite3.DatabaseError as error:
                if not self._is_file or self._is_closed:
                    raise
                self._move_to_memory(error)
                return work()

    def _move_to_memory(self, error: sqlite3.DatabaseError) -> None:
        """Leave the file and carry along what this session uses, as far as it can be read."""
        _log.info("The index goes on in memory: %s", error)
        self._memory_reason = f"The file of documents read before cannot be used: {error}."
        self._is_file = False
        file, self._connection = self._connection, open_storage(None, self._version)
        for content_hash in self._session:
            try:
                document = read_document(file, content_hash)
            except sqlite3.DatabaseError:
                continue
            if document is not None:
                self._write(document)
        file.close()

    def _row(self, content_hash: str) -> int | None:
        row = self._connection.execute(
            "SELECT id FROM documents WHERE content_hash = ?", (content_hash,)
        ).fetchone()
        return int(row[0]) if row else None

    def _write(self, document: Document) -> None:
        cut = cut_document(document)
        language = guess_language("\n".join(p.text[:3000] for p in document.pages[:8])[:6000])
        rows = list(_passage_rows(document, cut, language))
        with transaction(self._connection):
            self._delete_rows(document.content_hash)
            row = write_document(self._connection, document, language)
            self._connection.executemany(
                "INSERT INTO passages (document_id, page, start, end, heading, heading_tokens, tokens, endings)"
                f" VALUES ({row}, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._connection.execute(
                "INSERT INTO words (rowid, heading_tokens, tokens, endings)"
                " SELECT id, heading_tokens, tokens, endings FROM passages WHERE document_id = ?",
                (row,),
            )

    def _delete(self, content_hash: str) -> None:
        with transaction(self._connection):
            self._delete_rows(content_hash)

    def _delete_rows(self, content_hash: str) -> None:
        row = self._row(content_hash)
        if row is None:
            return
        self._connection.execute(
            "INSERT INTO words (words, rowid, heading_tokens, tokens, endings)"
            " SELECT 'delete', id, heading_tokens, tokens, endings FROM passages WHERE document_id = ?",
            (row,),
        )
        self._connection.execute("DELETE FROM documents WHERE id = ?", (row,))

    def _passages_of(self, content_hash: str) -> list[Passage]:
        rows = self._connection.execute(
            f"SELECT {_PASSAGE_COLUMNS} FROM {_PASSAGE_TABLES} WHERE d.content_hash = ? ORDER BY p.id",
            (content_hash,),
        )
        return [_passage(row) for row in rows]

    def _search(
        self, question: str, content_hashes: Sequence[str], limit: int, pages: tuple[int, ...]
    ) -> list[ScoredPassage]:
        ranges = self._ranges(content_hashes)
        if not ranges or limit < 1:
            return []
        languages = {guess_language(question), *(language for _, _, language in ranges)}
        terms = question_terms(question, languages)
        mark = mark_term(question)
        if not terms:
            return self._openings(ranges, limit, pages)
        holders = [self._holders(term, languages, ranges, pages) for term in terms]
        if mark is not None:
            terms.append(mark)
            # A telling value is worth finding alone, any other only beside the question's words.
            is_telling = answer_kind(question) in TELLING_KINDS
            sought = ranges if is_telling else []
            holders.append(self._holders(mark, languages, sought, pages) or [_NO_IDS] * len(ranges))
        counts = [sum(map(len, ids)) for ids in holders]
        weights = weigh(terms, counts, self._count(ranges, pages))
        candidates = _most_covered(weights, holders, ranges)
        marks = ",".join("?" * len(candidates))
        rows = self._connection.execute(
            f"SELECT {_PASSAGE_COLUMNS}, p.tokens, p.heading_tokens FROM {_PASSAGE_TABLES}"
            f" WHERE p.id IN ({marks})",
            candidates,
        )
        matcher = TermMatcher(terms, languages)
        found = []
        for row in rows:
            sentences, context_of = _stored_units(row[6])
            match = rank(matcher, weights, sentences, context_of, row[7].split())
            found.append(ScoredPassage(_passage(row), round(match.score, 4), match.matched))
        order = {content_hash: i for i, content_hash in enumerate(content_hashes)}
        found.sort(
            key=lambda item: (
                -item.score,
                order[item.passage.content_hash],
                item.passage.page,
                item.passage.start,
            )
        )
        return found[:limit]

    def _ranges(self, content_hashes: Sequence[str]) -> list[_Range]:
        """Return first and last passage and the language of each document that has text.

        A document is written in one transaction, so its passages follow one another.
        """
        found = []
        for content_hash in dict.fromkeys(content_hashes):
            row = self._connection.execute(
                "SELECT min(p.id), max(p.id), d.language FROM documents d"
                " JOIN passages p ON p.document_id = d.id WHERE d.content_hash = ?",
                (content_hash,),
            ).fetchone()
            if row[0] is not None:
                found.append((int(row[0]), int(row[1]), str(row[2])))
        return found

    def _holders(
        self,
        term: Term,
        languages: set[str],
        ranges: Sequence[_Range],
        pages: tuple[int, ...],
    ) -> list[IntArray]:
        """Return for each range the passages that hold a term, a part or a relative of it."""
        words = full_text_query(term, languages)
        found = []
        for first, last, _ in ranges:
            rows = self._connection.execute(
                "SELECT rowid FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?",
                (words, first, last),
            )
            ids = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
            if pages:
                ids = ids[np.isin(ids, list(self._on_pages(ranges, pages)))]
            found.append(ids)
        return found

    def _on_pages(self, ranges: Sequence[_Range], pages: tuple[int, ...]) -> set[int]:
        marks = ",".join(str(int(page)) for page in pages)
        return {
            row[0]
            for first, last, _ in ranges
            for row in self._connection.execute(
                f"SELECT id FROM passages WHERE id BETWEEN ? AND ? AND page IN ({marks})",
                (first, last),
            )
        }

    def _count(self, ranges: Sequence[_Range], pages: tuple[int, ...]) -> int:
        if pages:
            return len(self._on_pages(ranges, pages))
        return sum(last - first + 1 for first, last, _ in ranges)

    def _openings(
        self, ranges: Sequence[_Range], limit: int, pages: tuple[int, ...]
    ) -> list[ScoredPassage]:
        """Return the first passages of each document in turn."""
        allowed = self._on_pages(ranges, pages) if pages else None
        columns = [
            [i for i in range(first, last + 1) if allowed is None or i in allowed][:limit]
            for first, last, _ in ranges
        ]
        ids = [
            column[depth] for depth in range(limit) for column in columns if depth < len(column)
        ][:limit]
        found = []
        for passage_id in ids:
            row = self._connection.execute(
                f"SELECT {_PASSAGE_COLUMNS} FROM {_PASSAGE_TABLES} WHERE p.id = ?", (passage_id,)
            ).fetchone()
            found.append(ScoredPassage(_passage(row), 0.0))
        return found


def _passage(row: Sequence[object]) -> Passage:
    content_hash, page, start, end, heading, text = row[:6]
    return Passage(
        str(content_hash), int(str(page)), int(str(start)), int(str(end)), str(text), str(heading)
    )


@lru_cache(maxsize=64)
def _heading_tokens(heading: str, language: str) -> str:
    return " ".join(tokenize(heading, language))


def _passage_rows(
    document: Document, cut: Sequence[Passage], language: str
) -> Iterator[tuple[object, ...]]:
    """Yield what is stored of each passage, from its page on.

    A page is taken apart once: its tokens are then dealt to the units of its passages.
    """
    passages_of = {number: list(group) for number, group in groupby(cut, lambda p: p.page)}
    for page in document.pages:
        own_language = guess_language(page.text, language)
        placed = placed_tokens(page.text, own_language, marks=True)
        starts = [start for start, _ in placed]
        page_units = units(page.text)
        for passage in passages_of.get(page.number, ()):
            lines: list[str] = []
            words: list[str] = []
            for unit in page_units:
                start, end = max(unit.start, passage.start), min(unit.end, passage.end)
                if start >= end:
                    continue
                first, last = bisect_left(starts, start), bisect_left(starts, end)
                tokens = [token for _, token in placed[first:last]]
                words += tokens
                lines.append((_ROW_MARK if unit.is_row else "") + " ".join(tokens))
            yield (
                passage.page,
                passage.start,
                passage.end,
                passage.heading,
                _heading_tokens(passage.heading, own_language),
                "\n".join(lines),
                " ".join(endings(words, own_language)),
            )


def _stored_units(stored: str) -> tuple[list[list[str]], list[int | None]]:
    """Return the tokens of each unit, and which unit it is read with: head row or the one before."""
    units: list[list[str]] = []
    context_of: list[int | None] = []
    header: int | None = None
    for index, line in enumerate(stored.split("\n")):
        is_row = line.startswith(_ROW_MARK)
        before = index - 1 if index else None
        context_of.append(header if is_row and header is not None else before)
        if is_row:
            header = index if header is None else header
        else:
            header = None
        units.append(line.removeprefix(_ROW_MARK).split())
    return units, context_of


def _most_covered(
    weights: Sequence[float], holders: Sequence[Sequence[IntArray]], ranges: Sequence[_Range]
) -> list[int]:
    """Return the passages that hold the most weight of the question, the best ones only."""
    best: list[tuple[float, int]] = []
    for place, (first, last, _) in enumerate(ranges):
        covered = np.zeros(last - first + 1)
        for weight, ids in zip(weights, holders, strict=True):
            covered[ids[place] - first] += weight
        count = min(_CANDIDATES, len(covered))
        for offset in np.argpartition(-covered, count - 1)[:count]:
            if covered[offset] > 0:
                best.append((-float(covered[offset]), first + int(offset)))
    return [passage_id for _, passage_id in sorted(best)[:_CANDIDATES]]
