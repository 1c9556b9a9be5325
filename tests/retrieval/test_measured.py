# SPDX-License-Identifier: Apache-2.0
"""The question set: right page first, few false refusals, most unanswerable ones recognised."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from question_set import questions

from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.extract import find_quote
from molmo_desktop.retrieval.index import PassageIndex
from molmo_desktop.retrieval.sources import squash
from molmo_desktop.retrieval.support import answerable


@pytest.fixture(scope="module")
def searched(corpus, corpus_index):
    """Return (question, ranked passages of its document) for the whole set."""
    return [
        (q, corpus_index.search(q.question, [corpus[q.document].content_hash], limit=12))
        for q in questions()
    ]


@pytest.mark.parametrize(("which", "least"), [("tuning", 0.95), ("held out", 0.92)])
def test_first_passage_is_on_the_right_page(searched, which, least):
    asked = [(q, ranked) for q, ranked in searched if q.pages and q.set == which]
    hits = [bool(ranked) and ranked[0].passage.page in q.pages for q, ranked in asked]
    assert sum(hits) >= least * len(hits)


def test_right_page_is_among_the_first_three(searched):
    asked = [(q, ranked) for q, ranked in searched if q.pages]
    hits = [any(s.passage.page in q.pages for s in ranked[:3]) for q, ranked in asked]
    assert sum(hits) >= 0.97 * len(hits)


@pytest.mark.parametrize("which", ["tuning", "held out"])
def test_answerable_questions_are_seldom_refused(searched, which):
    asked = [(q, ranked) for q, ranked in searched if q.pages and q.set == which]
    refused = [q.question for q, ranked in asked if not answerable(q.question, ranked)]
    assert len(refused) <= 0.10 * len(asked), refused


@pytest.mark.parametrize("which", ["tuning", "held out"])
def test_most_unanswerable_questions_are_recognised(searched, which):
    asked = [(q, ranked) for q, ranked in searched if not q.pages and q.set == which]
    recognised = [q for q, ranked in asked if not answerable(q.question, ranked)]
    assert len(recognised) >= 0.60 * len(asked)


def test_quotations_hold_the_answer(searched):
    quotes = [
        (q, quote)
        for q, ranked in searched
        if q.pages and (quote := find_quote(q.question, ranked))
    ]
    right = [
        any(squash(answer).strip() in squash(quote.text) for answer in q.answers)
        for q, quote in quotes
    ]
    assert len(quotes) >= 0.6 * sum(1 for q, _ in searched if q.pages)
    assert sum(right) >= 0.85 * len(right)


def test_scores_fall_and_stay_within_one(searched):
    for _, ranked in searched:
        scores = [item.score for item in ranked]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


def test_ten_thousand_passages_are_searched_quickly(corpus):
    sentences = [
        sentence
        for document in corpus.values()
        for page in document.pages
        for sentence in page.text.replace("\n", " ").split(". ")
    ]
    pages = tuple(
        Page(
            number,
            ". ".join(sentences[(number * 7 + i * 13) % len(sentences)] for i in range(2)),
            "text layer",
            595.0,
            842.0,
        )
        for number in range(1, 10_001)
    )
    index = PassageIndex(None)
    index.add(Document(Path("large.pdf"), "pdf", "large", pages))
    assert len(index.passages("large")) >= 10_000
    durations_s = []
    for q in questions()[::3]:
        started_s = time.process_time()
        index.search(q.question, ["large"])
        durations_s.append(time.process_time() - started_s)
    index.close()
    # 20 ms is the aim; a shared machine needs room.
    assert sorted(durations_s)[len(durations_s) // 2] < 0.04
