# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from molmo_desktop.retrieval.values import find_values


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("1,234.50 EUR", "1.234,50 EUR"),
        ("1 234,50 €", "€1234.5"),
        ("1'234.50 CHF", "1234.50"),
        ("300.90", "300,90 EUR"),
        ("12,34,567 Rs", "1234567"),
        ("23 November 2026", "23.11.2026"),
        ("November 23rd, 2026", "2026-11-23"),
        ("23. November 2026", "23 novembre 2026"),
        ("23 de noviembre de 2026", "2026/11/23"),
        ("2026年11月23日", "Nov 23, 2026"),
        ("23.11.26", "23 Nov 2026"),
        ("3/4/2026", "3 April 2026"),
        ("3/4/2026", "4 March 2026"),
        ("6 pm", "18:00"),
        ("14.15 Uhr", "14:15"),
        ("+44 117 555 0142", "0117 555 0142"),
        ("GB29 NWBK 6016 1331 9268 19", "GB29NWBK60161331926819"),
        ("INV-2026/17", "inv 2026 17".replace(" ", "-")),
        ("three months", "3 months"),
        ("zwölf Monate", "12 Monate"),
        ("十八个月", "18个月"),
        ("٣٠٠ EUR", "300 EUR"),
        ("５０ EUR", "50 EUR"),
    ],
)
def test_one_value_written_in_two_ways_is_the_same(written, other):
    mine, theirs = find_values(written), find_values(other)
    assert any(a.stands_in(b) for a in mine for b in theirs), (mine, theirs)


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ("30 minutes", "30 days"),
        ("4 %", "4 EUR"),
        ("300.90 EUR", "309.00 EUR"),
        ("23 November 2026", "24 November 2026"),
        ("23 November 2026", "23 November 2025"),
    ],
)
def test_different_values_stay_different(written, other):
    assert not find_values(written)[0].stands_in(find_values(other)[0])


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("Total due: 300.90 EUR", "money", "300.90 EUR"),
        ("a fee of £10 applies", "money", "£10"),
        ("合同总金额为人民币772,000元", "money", "772,000元"),
        ("VAT 20 %", "percent", "20 %"),
        ("within ten days", "duration", "ten days"),
        ("a 12-month term", "duration", "12-month"),
        ("write to lost@ferries.example.", "email", "lost@ferries.example"),
        ("see www.perla.example/help for more", "url", "www.perla.example/help"),
        ("call 01803 555 019 at any hour", "phone", "01803 555 019"),
        ("Invoice number 2026-0417", "identifier", "2026-0417"),
        ("order PO-8812 of today", "identifier", "PO-8812"),
        ("closes at 6.30 pm", "time", "6.30 pm"),
    ],
)
def test_kind_of_a_value_is_told_by_what_stands_around_it(text, kind, found):
    assert (kind, found) in [(value.kind, value.text) for value in find_values(text)]


def test_a_date_without_its_year_may_be_the_one_with_it():
    assert find_values("5 November")[0].stands_in(find_values("5.11.2026")[0])
    assert not find_values("5 November")[0].stands_in(find_values("6.11.2026")[0])


def test_places_of_values_count_characters_of_the_text():
    text = "Fällig: 1.234,50 €, spätestens am 3. März 2027."
    for value in find_values(text):
        assert text[value.start : value.end] == value.text


def test_two_columns_of_a_table_are_not_only_one_number():
    row = find_values("Door 2 150.00 300.00")
    for answer in ("2", "150.00", "2150.00", "300"):
        assert any(find_values(answer)[0].stands_in(value) for value in row), answer
    assert not find_values("2 150.00")[0].stands_in(find_values("§ 2")[0])
