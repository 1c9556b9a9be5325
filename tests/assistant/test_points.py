# SPDX-License-Identifier: Apache-2.0
import pytest

from molmo_desktop.assistant.points import PointTagFilter, display_text, parse_points


def test_a_single_point_has_its_place_and_label():
    points = parse_points('<point x="61.5" y="40.6" alt="red square">red square</point>')
    assert [(p.x_percent, p.y_percent, p.label) for p in points] == [(61.5, 40.6, "red square")]


def test_several_points_share_one_label():
    points = parse_points(
        '<points x1="10.0" y1="20.0" x2="30.5" y2="40.5" alt="cats">cats</points>'
    )
    assert [(p.x_percent, p.y_percent) for p in points] == [(10.0, 20.0), (30.5, 40.5)]
    assert {p.label for p in points} == {"cats"}


def test_points_outside_the_picture_are_dropped():
    assert parse_points('<point x="161.5" y="40.6" alt="a">a</point>') == []


def test_an_answer_cut_short_keeps_its_point():
    assert len(parse_points('Here: <point x="1.0" y="2.0" alt="a">a')) == 1


def test_people_read_the_label_instead_of_the_tag():
    text = 'The <point x="61.5" y="40.6" alt="dog">dog</point> sleeps.'
    assert display_text(text) == "The dog sleeps."


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_streamed_tag_is_never_shown_in_part(size):
    text = 'a < b, <b>x</b> <point x="61.5" y="40.6" alt="dog">dog</point>. <poi'
    tags = PointTagFilter()
    pieces = [tags.feed(text[i : i + size]) for i in range(0, len(text), size)]
    shown = "".join(pieces)
    assert shown == "a < b, <b>x</b> dog. "
    assert "x=" not in shown
    assert tags.flush() == "<poi"
