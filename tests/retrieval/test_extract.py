# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from molmo_desktop.retrieval.extract import find_quote, quote_answer


@pytest.mark.parametrize(
    ("document", "question", "value"),
    [
        ("invoice", "What is the total amount to pay?", "1,469.34 GBP"),
        ("invoice", "What is the unit price of a roller banner?", "74.00"),
        ("employment", "When does the employment start?", "1 February 2027"),
        ("garden", "Who won the pumpkin prize?", "Ines Carver"),
        ("report", "What is the email address?", "hello@fellside-energy.example"),
        ("manual", "What is the phone number of the service hotline?", "0800 555 7731"),
        ("manual", "How long is the warranty?", "24 months"),
        ("devis", "Quel est le montant total TTC ?", "7 764,00 €"),
    ],
)
def test_value_is_picked_by_the_kind_of_question(document, question, value, corpus, corpus_index):
    ranked = corpus_index.search(question, [corpus[document].content_hash])
    assert find_quote(question, ranked).value == value


def test_row_of_a_table_comes_with_its_head(corpus, corpus_index):
    question = "What is the unit price of a roller banner?"
    ranked = corpus_index.search(question, [corpus["invoice"].content_hash])
    assert quote_answer(question, ranked).splitlines() == [
        "Description | Quantity | Unit price | Amount",
        "Roller banner 85 x 200 cm | 2 | 74.00 | 148.00",
    ]


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("invoice", "Which software was used for the design?"),
        ("ferry", "Who is the captain of the Storm Petrel?"),
        ("manual", "How much does the machine cost?"),
        ("manual", "What is this about?"),
    ],
)
def test_unsure_means_none(document, question, corpus, corpus_index):
    ranked = corpus_index.search(question, [corpus[document].content_hash])
    assert quote_answer(question, ranked) is None


def test_nothing_found_means_none():
    assert quote_answer("What is the total?", []) is None
