# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from molmo_desktop.core.pages import Page, WordBox
from molmo_desktop.retrieval.boxes import line_boxes


def test_words_of_a_line_become_one_box(make_document):
    page = make_document("Total due: 300.90 EUR").pages[0]
    assert line_boxes(page, 0, len(page.text)) == ((50.0, 50.0, 50.0 + 6 * 21, 60.0),)


def test_each_line_has_its_own_box(make_document):
    page = make_document("first line here\nsecond line").pages[0]
    boxes = line_boxes(page, 6, len(page.text))
    assert [box[1] for box in boxes] == [50.0, 62.0]
    assert boxes[0][0] == 50.0 + 6 * 6


def test_only_the_words_between_the_characters_count(make_document):
    page = make_document("alpha beta gamma").pages[0]
    assert line_boxes(page, 6, 10) == ((86.0, 50.0, 110.0, 60.0),)


def test_columns_beside_each_other_are_not_joined():
    words = (WordBox(0, 4, 50, 50, 74, 60), WordBox(5, 9, 320, 50, 344, 60))
    page = Page(1, "left next", "text layer", 595, 842, words)
    assert len(line_boxes(page, 0, 9)) == 2


def test_a_page_without_words_has_no_boxes():
    assert line_boxes(Page(1, "text", "text layer", 0, 0), 0, 4) == ()
