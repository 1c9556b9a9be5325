# SPDX-License-Identifier: Apache-2.0
"""Passages, full-text search, and the evidence that an answer rests on.

What the assistant uses::

    index.PassageIndex          documents that were read, their passages, search
    passages.Passage            a piece of a page; ScoredPassage: one that a search found
    evidence.locate, nearest    where an answer stands; what stands near a question
    support.answerable          whether the documents say anything about a question
    support.unsupported_values  numbers, dates and names that stand nowhere
    extract.find_quote          a quotation with its value, found without a model; quote_answer

From text to score: `text` (blocks, sentences), `languages`, `dates`, `numbers`, `values` (what can
be compared), `tokens` (what is indexed), `kinds`, `concepts`, `questions` (what is asked),
`matching`, `ranking`, `relevance` (how both meet), `storage`, `records`, `search` (where it lies).
"""
