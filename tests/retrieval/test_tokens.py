# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

from molmo_desktop.retrieval.languages import guess_language
from molmo_desktop.retrieval.tokens import stem, tokenize


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The tenant pays the rent in advance.", "english"),
        ("Der Mieter zahlt die Miete im Voraus.", "german"),
        ("Le locataire paie le loyer d'avance.", "french"),
        ("El inquilino paga la renta por adelantado.", "spanish"),
        ("Арендатор платит за квартиру вперёд.", "russian"),
        ("يدفع المستأجر الإيجار مقدما", "arabic"),
        ("承租人应提前支付租金。", "cjk"),
        ("賃借人は家賃を前払いする。", "cjk"),
        ("Rechnung Nr. 17, Datum 3.4.2026, Betrag 12,00", "german"),
        ("12 34 56", "english"),
        ("", "english"),
    ],
)
def test_language_is_guessed(text, language):
    assert guess_language(text) == language


@pytest.mark.parametrize(
    ("word", "other", "language"),
    [
        ("payments", "payment", "english"),
        ("Häuser", "Haus", "german"),
        ("Strasse", "Straße", "german"),
        ("échéances", "echeance", "french"),
        ("pagos", "pago", "spanish"),
        ("договора", "договор", "russian"),
    ],
)
def test_forms_of_a_word_share_a_stem(word, other, language):
    assert stem(word, language) == stem(other, language)


def test_stop_words_are_left_out_and_numbers_kept_whole():
    assert tokenize("The total is 1,234.50 for the year", "english") == ["total", "1234.5", "year"]


def test_ambiguous_number_has_both_readings():
    assert set(tokenize("1.234", "english")) == {"1.234", "1234"}


def test_script_without_spaces_becomes_pairs():
    assert tokenize("合同编号", "cjk") == ["合同", "同编", "编号"]


def test_date_and_code_are_tokens_of_their_own():
    tokens = tokenize("Invoice INV-2026-17 of 23 November 2026", "english")
    assert "2026-11-23" in tokens
    assert "identifier:inv202617" in tokens


def test_german_participle_is_its_verb():
    assert set(tokenize("eingereicht", "german")) & set(tokenize("einzureichen", "german"))


def test_marks_stand_where_values_stand():
    tokens = tokenize("Clara Jansen pays 12.00 EUR in May", "english", marks=True)
    assert "is:person" in tokens
    assert "is:money" in tokens


def test_russian_letters_keep_their_marks():
    assert stem("край", "none") != stem("краи", "none")


def test_stemming_is_safe_in_several_threads():
    expected = [stem(f"payments{i}", "german") for i in range(200)]
    stem.cache_clear()
    results: list[list[str]] = []

    def work() -> None:
        results.append([stem(f"payments{i}", "german") for i in range(200)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4
