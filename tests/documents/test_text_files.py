# SPDX-License-Identifier: Apache-2.0
"""Text, Markdown, tables of values and web pages."""

from __future__ import annotations

import pytest

from molmo_desktop.core.errors import DocumentUnreadableError
from molmo_desktop.documents.csv_table import delimiter_of
from molmo_desktop.documents.pages_in_words import page_list


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_any_common_encoding(read_here, files, encoding):
    text = read_here(files / f"german-{encoding}.txt").pages[0].text
    assert text == ("Die Straße über den Fluß ist gesperrt. Käse kostet fünf Euro.\nZweite Zeile.")


def test_cyrillic_without_a_mark_is_recognised(read_here, files):
    assert read_here(files / "russian-cp1251.txt").pages[0].text.startswith("Москва стоит на реке")


def test_markdown_stays_as_it_is_written(read_here, files):
    document = read_here(files / "notes.md")
    assert document.format == "markdown"
    assert document.pages[0].text == "# Garden\n\nThe pond is 3 metres wide.\n\n- frogs\n- newts"


def test_a_form_feed_begins_a_page(read_here, tmp_path):
    (tmp_path / "fax.txt").write_text("one\n\ftwo\n")
    assert [page.text for page in read_here(tmp_path / "fax.txt").pages] == ["one", "two"]


def test_only_blanks_count_as_empty(read_here, tmp_path):
    (tmp_path / "blank.txt").write_text(" \n\n")
    with pytest.raises(DocumentUnreadableError, match="is empty"):
        read_here(tmp_path / "blank.txt")


def test_tables_of_values_become_rows(read_here, files):
    assert read_here(files / "cities.csv").pages[0].text == (
        "City | People | Note\nTurku | 201,5 | old, on the river\nOulu | 214,6 | north"
    )
    assert read_here(files / "rivers.tsv").pages[0].text == (
        "River | Length\nLoire | 1006 km\nRhône | 813 km"
    )


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b,c\n1,2,3", ","),
        ("a;b\n1,5;2,5\n3,5;4,5", ";"),
        ("a\tb\n1, 2\t3", "\t"),
        ("a|b\n1|2", "|"),
        ("name\nAda\nBob", ","),
        ('"x;y",2\n"p;q",3', ","),
    ],
)
def test_the_delimiter_is_the_one_that_makes_a_table(content, delimiter):
    assert delimiter_of(content) == delimiter


def test_an_open_quotation_mark_loses_no_value(read_here, tmp_path):
    (tmp_path / "odd.csv").write_text('a,b\n"open,2\n3,4\n')
    text = read_here(tmp_path / "odd.csv").pages[0].text
    assert all(value in text for value in ("open", "2", "3", "4"))


def test_a_web_page_is_read_as_it_is_seen(read_here, files):
    document = read_here(files / "bakery.html")
    assert document.pages[0].text.split("\n\n") == [
        "# Bakery",
        "Home",
        "# Our bakery",
        "We bake rye bread every day at 5 o'clock.",
        "- rolls\n- cakes\n  1. apple\n  2. plum",
        "Bread | Price\nRye | 4.20 €",
        "line one\n  line two",
        "First\nsecond",
        "Café Müller",
    ]
    assert document.warnings == ("The page holds hidden text, which was left out.",)


def test_a_page_s_own_word_about_its_encoding_counts(read_here, files):
    assert read_here(files / "latin.html").pages[0].text == "Überraschung – 5 €"


def test_forms_pictures_formulas_and_details_are_read_as_they_are_seen(read_here, tmp_path):
    (tmp_path / "form.html").write_text(
        "<html><body><p>A <img src=x alt='red boat'> at <math><mi>x</mi><mo>=</mo><mn>2</mn></math>"
        "</p><dl><dt>Tide</dt><dd>high</dd></dl><details><summary>More</summary>inside</details>"
        "<form>Name <input value=Ada><input type=hidden value=code><select><option>red<option>blue"
        "</select><textarea>my note</textarea><button>Send</button></form></body></html>"
    )
    assert read_here(tmp_path / "form.html").pages[0].text.split("\n\n") == [
        "A red boat at x = 2", "Tide", "high", "More", "inside", "Name Ada red, blue", "my note",
        "Send",
    ]  # fmt: skip


def test_cells_that_reach_over_rows_keep_the_columns(read_here, tmp_path):
    (tmp_path / "spans.html").write_text(
        "<html><body><table border=1><tr><th rowspan=2>Quay</th><th>Depth</th></tr><tr><td>6 m</td>"
        "</tr><tr><td>South</td><td><table><tr><td>3 m</td><td>low</td></tr></table></td></tr>"
        "</table></body></html>"
    )
    assert read_here(tmp_path / "spans.html").pages[0].text == (
        "Quay | Depth\n | 6 m\nSouth | 3 m / low"
    )


def test_a_page_nested_very_deep_is_read(read_here, tmp_path):
    path = tmp_path / "deep.html"
    path.write_text("<html><body>" + "<div>" * 5000 + "bottom" + "</div>" * 5000)
    assert read_here(path).pages[0].text == "bottom"


def test_a_web_page_without_text_is_told(read_here, tmp_path):
    (tmp_path / "empty.html").write_text("<html><body><script>1</script></body></html>")
    with pytest.raises(DocumentUnreadableError, match="has no text"):
        read_here(tmp_path / "empty.html")


def test_page_numbers_in_words():
    assert page_list([3]) == "Page 3"
    assert page_list([3, 4]) == "Pages 3 and 4"
    assert page_list([1, 5, 6, 7, 9]) == "Pages 1, 5 to 7 and 9"
    assert page_list(range(1, 40, 2)).endswith("13 and others")
