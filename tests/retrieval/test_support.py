# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from molmo_desktop.retrieval.support import answerability, answerable, unsupported_values

_LEASE = (
    "The lease begins on 1 March 2026. The landlord is Marta Ruiz. The deposit is 1,410 pounds.\n"
    "The rent of 940 pounds is paid on the third working day. Reference: LE-2026-77."
)


@pytest.fixture
def lease(make_document):
    return make_document(_LEASE)


@pytest.mark.parametrize(
    "answer",
    [
        "The deposit is 1410 pounds.",
        "It begins on March 1, 2026.",
        "01.03.2026",
        "Marta Ruiz is the landlord, and the rent is £940.",
        "It is paid on the 3rd working day, reference le-2026-77.",
        "1. The lease begins in March 2026.\n2. The rent is 940 pounds.",
        "In 2026.",
        "",
    ],
)
def test_what_the_document_says_is_supported(answer, lease):
    assert unsupported_values(answer, [lease]) == []


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ("The deposit is 1,400 pounds.", ["1,400 pounds"]),
        ("It begins on 2 March 2026.", ["2 March 2026"]),
        ("The landlord is Peter Smith.", ["Peter Smith"]),
        ("Marta Ruiz pays 5 % to Helen Okafor.", ["5 %", "Helen Okafor"]),
    ],
)
def test_invented_values_are_named_in_order(answer, missing, lease):
    assert unsupported_values(answer, [lease]) == missing


def test_values_of_the_question_are_not_counted(lease):
    answer = "No, the deposit is not 2,000 pounds."
    assert unsupported_values(answer, [lease]) == ["2,000 pounds"]
    assert unsupported_values(answer, [lease], question="Is the deposit 2,000 pounds?") == []


def test_german_nouns_are_no_names(make_document):
    document = make_document("Die Miete beträgt 900 Euro. Vermieterin ist Frau Jana Reuter.")
    answer = "Der Betrag der Zahlung ist 900 Euro und geht an Jana Reuter."
    assert unsupported_values(answer, [document]) == []
    assert unsupported_values("Er geht an Karla Maurer.", [document]) == ["Karla Maurer"]


def test_nothing_found_means_not_answerable():
    assert not answerable("What is the deposit?", [])


def test_question_without_telling_words_is_answerable():
    assert answerable("What is this about?", [])


def test_answerability_grows_with_what_is_found(corpus, corpus_index):
    hashes = [corpus["hosting"].content_hash]

    def of(question: str) -> float:
        return answerability(question, corpus_index.search(question, hashes, limit=12))

    assert of("How much is the monthly fee?") > of("How much is the monthly bus fare?")
    assert of("Which programming language is used for the website?") < 1


def test_a_possessive_is_no_other_name(make_document):
    document = make_document("Welcome to the Aurora Guesthouse in Tromsø.")
    assert unsupported_values("It is the Aurora Guesthouse's kitchen.", [document]) == []
