# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest
from question_set import questions

from molmo_desktop.retrieval.evidence import locate, nearest, statements
from molmo_desktop.retrieval.passages import cut_document
from molmo_desktop.retrieval.sources import squash

_INVOICE = (
    "Invoice number 2026-0417\n"
    "Invoice date 3 November 2026\n"
    "Paid so far: 300.90 EUR\n"
    "Oak shelf, 120 cm 2 85.00 EUR 170.00 EUR\n"
    "Total due: 300.90 EUR\n"
    "Please pay within 14 days. Late payments are charged with 2 % interest a month.\n"
    "Questions? Call Anna Weber."
)


@pytest.fixture
def invoice(make_document):
    return make_document("Covering letter, nothing of interest.", _INVOICE, name="invoice.pdf")


def cited(answer, question, *documents):
    return [item.text for item in locate(answer, question, documents, [])]


def test_a_short_answer_is_found_on_the_line_that_shares_the_question(invoice):
    found = locate("300.90 EUR", "What is the total due?", [invoice], [])
    assert [item.text for item in found] == ["Total due: 300.90 EUR"]
    evidence = found[0]
    assert (evidence.file, evidence.page, evidence.cited) == ("invoice.pdf", 2, True)
    assert evidence.boxes == ((50.0, 98.0, 50.0 + 6 * 21, 108.0),)
    page = invoice.pages[1]
    assert page.text[evidence.start : evidence.end] == evidence.text


@pytest.mark.parametrize(
    "answer",
    [
        "The total due is 300.90 EUR.",
        "**€300.90**",
        "The total amount due is 300,90 euros.",
        "- Total due: 300.90 EUR [1]",
    ],
)
def test_other_writing_of_the_same_is_found(answer, invoice):
    assert cited(answer, "What is the total due?", invoice) == ["Total due: 300.90 EUR"]


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("The total due is 309.00 EUR.", "What is the total due?"),
        ("The invoice date is 4 November 2026.", "What is the invoice date?"),
        ("The invoice was signed by Peter Smith of Glasgow.", "Who signed?"),
        ("The company was founded in Leeds by two brothers.", "Where was it founded?"),
        ("The document does not mention a discount.", "What is the discount?"),
        ("Yes.", "Is it paid?"),
        ("", "What is the total due?"),
        ("2", "How many people work there?"),
    ],
)
def test_what_does_not_stand_there_is_not_marked(answer, question, invoice):
    assert cited(answer, question, invoice) == []


def test_a_number_may_be_written_as_a_word(make_document):
    document = make_document("Notice is given in writing. The period of notice is three months.")
    found = locate("3 months", "What is the period of notice?", [document], [])
    assert found[0].text == "The period of notice is three months."
    assert locate("3", "How many months is the notice?", [document], [])


def test_a_long_answer_about_a_long_document_is_located_quickly(make_document):
    pages = [
        f"Paragraph {n} deals with matter {n * 7}. The fee is {n} EUR. " * 8 for n in range(200)
    ]
    document = make_document(*pages)
    answer = "Paragraph 150 deals with matter 1050. " + "Nobody ever said anything like it. " * 30
    started_s = time.process_time()
    found = locate(answer, "What does paragraph 150 deal with?", [document], [])
    assert found[0].page == 151
    assert time.process_time() - started_s < 5


def test_each_statement_has_its_own_place(invoice):
    answer = "Late payments cost 2 % interest a month. The invoice number is 2026-0417."
    found = cited(answer, "What is the invoice number?", invoice)
    assert found == [
        "Invoice number 2026-0417",
        "Late payments are charged with 2 % interest a month.",
    ]


def test_only_what_was_read_can_be_cited(invoice):
    read = [p for p in cut_document(invoice) if p.page == 1]
    assert locate("300.90 EUR", "What is the total due?", [invoice], read) == []


def test_words_cut_by_a_hyphen_are_whole(make_document):
    document = make_document("The agree-\nment ends on 28 February 2028 at mid-\nnight.")
    found = locate("The agreement ends at midnight.", "When does it end?", [document], [])
    assert found[0].score == 1.0


def test_a_statement_over_two_sentences_marks_both(make_document):
    document = make_document(
        "The tenant is Tomas Novak. He lives at 27 Mill Road in Exeter and works as a baker. "
        "The landlord is Marta Ruiz."
    )
    answer = "The tenant Tomas Novak lives at 27 Mill Road in Exeter and works as a baker."
    found = cited(answer, "Who is the tenant?", document)
    assert found[0].startswith("The tenant is Tomas Novak. He lives at 27 Mill Road")
    assert "Marta" not in found[0]


def test_two_documents_are_told_apart(make_document):
    spring = make_document("The spring market is on 4 April 2027.", name="spring.md")
    autumn = make_document("The autumn market is on 9 October 2027.", name="autumn.md")
    found = locate("9 October 2027", "When is the autumn market?", [spring, autumn], [])
    assert [item.file for item in found] == ["autumn.md"]


def test_chinese_answer_is_found(corpus):
    found = locate("合同总金额为772,000元。", "合同总金额是多少？", [corpus["hetong"]], [])
    assert found[0].page == 1
    assert "772,000" in found[0].text


def test_nearest_points_at_the_sentence_and_claims_nothing(corpus, corpus_index):
    document = corpus["ferry"]
    question = "How much luggage can I take?"
    ranked = corpus_index.search(question, [document.content_hash])
    found = nearest(question, [document], ranked)
    assert found[0].page == 3
    assert "25 kg" in found[0].text
    assert not any(item.cited for item in found)


def test_nearest_to_nothing_is_empty(invoice):
    assert nearest("What is the total due?", [invoice], []) == []


def test_statements_lose_their_formatting():
    answer = "## Answer\n**Total**: 5 EUR [2]. See below.\n\n1. first item\n2. second item\n---"
    assert statements(answer) == [
        "Answer", "Total: 5 EUR .", "See below.", "first item", "second item"
    ]  # fmt: skip


def test_expected_answers_are_located_on_their_pages(corpus):
    """Of every question that the set answers, the answer's place is found."""
    asked = [q for q in questions() if q.pages]
    wrong = []
    for q in asked:
        found = locate(q.answers[0], q.question, [corpus[q.document]], [])
        expected = squash(q.answers[0]).strip()
        if not found or found[0].page not in q.pages or expected not in squash(found[0].text):
            wrong.append((q.question, found))
    assert len(wrong) <= 0.02 * len(asked), wrong


def test_answers_to_other_questions_are_rarely_cited(corpus):
    asked = [q for q in questions() if q.pages]
    cited_wrongly = []
    for index, q in enumerate(asked[::2]):
        other = asked[(2 * index + 97) % len(asked)]
        if other.document == q.document:
            continue
        if locate(other.answers[0], q.question, [corpus[q.document]], []):
            cited_wrongly.append((q.question, other.answers[0]))
    assert len(cited_wrongly) <= 0.05 * len(asked), cited_wrongly
