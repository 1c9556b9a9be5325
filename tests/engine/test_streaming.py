# SPDX-License-Identifier: Apache-2.0
"""Text may only be shown when it is certain."""

import pytest

from molmo_desktop.engine.streaming import TextStream

WORDS = "Grüße, 你好, Привет, مرحبا, 🙂👩‍👩‍👧 done"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_characters_that_are_spread_over_tokens_stay_whole(size: int):
    data = WORDS.encode()
    stream = TextStream()
    shown = [stream.feed(data[place : place + size]) for place in range(0, len(data), size)]
    shown.append(stream.finish())
    assert "".join(shown) == stream.text == WORDS
    assert all("\ufffd" not in piece for piece in shown)


def test_half_a_character_at_the_very_end_becomes_a_replacement():
    stream = TextStream()
    assert stream.feed("a🙂".encode()[:-1]) == "a"
    assert stream.finish() == "\ufffd"
    assert stream.text == "a\ufffd"


@pytest.mark.parametrize("size", [1, 2, 7])
def test_no_part_of_a_stop_string_is_ever_shown(size: int):
    data = b"The answer is 42.<|end|> and this is never seen"
    stream = TextStream(["<|end|>", "###"])
    shown = [stream.feed(data[place : place + size]) for place in range(0, len(data), size)]
    shown.append(stream.finish())
    assert stream.stopped
    assert "".join(shown) == stream.text == "The answer is 42."


def test_what_only_looks_like_a_stop_string_is_shown_in_the_end():
    stream = TextStream(["\n\nUser:"])
    assert stream.feed(b"Yes.\n\nUse") == "Yes."
    assert stream.feed(b"ful, too.") == "\n\nUseful, too."
    assert stream.feed(b"\n\nUser") == ""
    assert stream.finish() == "\n\nUser"
    assert not stream.stopped


def test_the_first_of_several_stop_strings_counts():
    stream = TextStream(["later", "soon"])
    assert stream.feed(b"as soon as later") == "as "
    assert stream.text == "as "


def test_empty_stop_strings_do_nothing():
    stream = TextStream([""])
    assert stream.feed(b"text") == "text"
    assert not stream.stopped
