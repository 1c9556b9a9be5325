# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random
from itertools import pairwise

from molmo_desktop.retrieval.passages import MAX_WORDS, count_words, cut_document
from molmo_desktop.retrieval.text import blocks, units

_SENTENCE = "The landlord repairs the roof and the walls of the house in every spring. "


def test_offsets_are_exact(corpus):
    for document in corpus.values():
        pages = {page.number: page.text for page in document.pages}
        for passage in cut_document(document):
            assert pages[passage.page][passage.start : passage.end] == passage.text


def test_every_word_stands_in_exactly_one_passage(corpus):
    for document in corpus.values():
        passages = cut_document(document)
        for page in document.pages:
            own = [p for p in passages if p.page == page.number]
            assert " ".join(p.text for p in own).split() == page.text.split()
            assert all(a.end <= b.start for a, b in pairwise(own))


def test_passages_have_a_readable_length(make_document):
    passages = cut_document(make_document(_SENTENCE * 60))
    counts = [count_words(p.text) for p in passages]
    assert all(80 <= count <= MAX_WORDS for count in counts[:-1])
    assert all(p.text.endswith(".") for p in passages)


def test_a_sentence_without_end_is_cut_at_words(make_document):
    passages = cut_document(make_document("word " * 1000, "x" * 5000))
    assert all(count_words(p.text) <= MAX_WORDS for p in passages)
    assert "".join(p.text for p in passages if p.page == 2) == "x" * 5000


def test_headings_are_carried_along_as_a_path(make_document):
    text = f"# Handbook\n\n## Safety\n\n{_SENTENCE * 10}\n\n## Service\n\n{_SENTENCE * 10}"
    headings = [p.heading for p in cut_document(make_document(text))]
    assert headings[0].startswith("Handbook > Safety")
    assert headings[-1] == "Handbook > Service"


def test_heading_holds_on_the_next_page(make_document):
    document = make_document(f"3. Rent\n{_SENTENCE * 4}", _SENTENCE * 4)
    assert [p.heading for p in cut_document(document)] == ["3. Rent", "3. Rent"]


def test_name_of_a_sheet_stands_in_the_heading(make_document):
    document = make_document("a | b\n1 | 2", labels=("Budget",))
    assert "Budget" in cut_document(document)[0].heading


def test_long_table_is_cut_between_rows_and_keeps_its_head(make_document):
    rows = [f"Article {i} | {i} | {i}.50" for i in range(200)]
    passages = cut_document(make_document("\n".join(["Name | Number | Price", *rows])))
    assert len(passages) > 3
    assert all(line.count("|") == 2 for p in passages for line in p.text.splitlines())
    assert all("Name | Number | Price" in p.heading for p in passages[1:])


def test_lines_of_a_form_are_units_of_their_own():
    text = "Invoice number 17\nSubtotal: 250.75 EUR\nTotal due: 300.90 EUR"
    assert [text[u.start : u.end] for u in units(text)] == text.splitlines()


def test_wrapped_prose_is_split_into_sentences():
    text = (
        "The lease begins on 1 March 2026 and ends on 28 February 2028, if nobody objects to\n"
        "it. It does not renew itself. Dr. Novak and Mr. J. Falk agreed at approx. 9.30 a.m."
    )
    found = [text[u.start : u.end] for u in units(text)]
    assert len(found) == 3
    assert found[0].endswith("to\nit.")
    assert found[2].startswith("Dr. Novak")


def test_german_ordinals_end_no_sentence():
    text = "Der Vertrag beginnt am 1. September und endet am 31. August. Danach gilt er weiter."
    assert len(units(text)) == 2


def test_chinese_sentences_are_split_without_spaces():
    text = "保修期为十八个月。乙方应在24小时内响应。"
    assert [text[u.start : u.end] for u in units(text)] == [
        "保修期为十八个月。",
        "乙方应在24小时内响应。",
    ]


def test_total_of_an_invoice_is_no_heading():
    kinds = {b.kind for b in blocks("Delivery 1 27.85\nTotal due 300.90\nPayable by transfer")}
    assert kinds == {"paragraph"}


def test_any_text_can_be_cut(make_document):
    random.seed(7)
    letters = "ab \n\t|#-.:;0123,€。合\u0000\ufeff\u200b\U0001f600\u0301"
    for _ in range(300):
        text = "".join(random.choices(letters, k=random.randint(0, 200)))
        document = make_document(text)
        joined = "".join(p.text for p in cut_document(document))
        assert "".join(joined.split()) == "".join(text.split())
