# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from molmo_desktop.retrieval.index import PassageIndex


@pytest.fixture
def index():
    index = PassageIndex(None)
    yield index
    index.close()


def pages_found(index, question, *documents, **options):
    hashes = [document.content_hash for document in documents]
    return [item.passage.page for item in index.search(question, hashes, **options)]


def test_only_the_chosen_pages_are_searched(index, make_document):
    document = make_document("The deposit is high.", "The deposit is low.", "The rent.")
    index.add(document)
    assert pages_found(index, "deposit", document, pages=[2, 3]) == [2]
    assert pages_found(index, "deposit", document, pages=[9]) == []


def test_only_the_chosen_documents_are_searched(index, make_document):
    mine, other = make_document("My deposit."), make_document("Other deposit.", name="other.pdf")
    index.add(mine)
    index.add(other)
    found = index.search("deposit", [mine.content_hash])
    assert {item.passage.content_hash for item in found} == {mine.content_hash}


def test_limit_is_kept(index, make_document):
    document = make_document(*[f"Deposit number {i}." for i in range(20)])
    index.add(document)
    assert len(index.search("deposit", [document.content_hash], limit=3)) == 3
    assert index.search("deposit", [document.content_hash], limit=0) == []


def test_a_rare_word_outweighs_common_ones(index, make_document):
    texts = [f"The tenant pays the landlord the rent for month {i}." for i in range(20)]
    document = make_document(*texts, "The plumber is called Penrose.")
    index.add(document)
    question = "Which plumber does the tenant call for the landlord?"
    assert pages_found(index, question, document)[0] == 21


def test_question_without_telling_words_gets_the_beginnings(index, make_document):
    first = make_document("One.", "Two.", name="a.pdf")
    second = make_document("Three.", "Four.", name="b.pdf")
    index.add(first)
    index.add(second)
    found = index.search("What is this about?", [first.content_hash, second.content_hash], limit=3)
    assert [item.passage.text for item in found] == ["One.", "Three.", "Two."]
    assert all(item.score == 0 and not item.matched_terms for item in found)


def test_same_scores_come_in_the_order_of_the_documents(index, make_document):
    first = make_document("The deposit.", name="a.pdf")
    second = make_document("The deposit.", name="b.pdf")
    index.add(second)
    index.add(first)
    found = index.search("deposit", [first.content_hash, second.content_hash])
    assert [item.passage.content_hash for item in found] == ["hash-of-a.pdf", "hash-of-b.pdf"]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("What does it cost?", "Price: 12.00 EUR"),
        ("When was it born?", "Geburtsdatum: 3. April 1990"),
        ("Wie hoch ist der Betrag?", "Rechnungsbetrag 12,00 EUR"),
        ("Welche Kündigungsfrist gilt?", "Die Frist der Kündigung beträgt einen Monat."),
        ("Wurde der Antrag eingereicht?", "Der Antrag ist bis Mai einzureichen."),
        ("What is the e-mail address?", "Write to info@example.org"),
        ("invoice of 23 November 2026", "Rechnung vom 23.11.2026"),
        ("INV-2026-17", "Ihre Nummer: inv 2026 17 oder INV-2026-17"),
        ("Quel est le montant du loyer?", "Monthly rent: 900 pounds"),
        ("租金是多少？", "The monthly rent is 900 pounds."),
        ("How many complaints were there?", "Each complaint is answered."),
        ("naive cafe", "Ein naïves Café"),
    ],
)
def test_words_meet_although_they_differ(question, text, index, make_document):
    document = make_document(text, "Something else altogether stands on this page.")
    index.add(document)
    assert pages_found(index, question, document)[:1] == [1]


def test_questions_of_any_shape_are_safe(index, make_document):
    document = make_document("The deposit is 12.00 EUR. 押金为12元。")
    index.add(document)
    for question in ("", '"', "AND OR NOT", "deposit* OR (", "'; DROP TABLE", "\0", "押", "*" * 500,
                     "deposit " * 5000, "\ud800"):  # fmt: skip
        index.search(question, [document.content_hash])
