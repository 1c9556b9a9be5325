# SPDX-License-Identifier: Apache-2.0
"""Guessing from the document's words changes how fast an answer comes, never the answer."""

import dataclasses
import sys

import pytest

from molmo_desktop.engine.lookup import MOST_GUESSED, Economy, PromptLookup

LEASE = (
    "The tenant pays 940 EUR on the third working day of each month. The deposit is three "
    "months' rent and is returned within six weeks of moving out. Either side may end the lease "
    "with three months' notice in writing. Pets need the written consent of the landlord. "
)
QUESTIONS = [
    f"{LEASE}\n\nCopy the text above word for word.",
    f"{LEASE}\n\nWhat is the deposit?",
    "Say one two three four five six seven eight, and then say it again, three times.",
    "Tell a story about a boy and the sea.",
]


def test_what_followed_before_is_guessed_to_follow_again():
    lookup = PromptLookup([1, 2, 3, 4, 5, 6, 7, 9, 1, 2, 3])
    assert lookup.guess(2) == [4, 5]
    lookup.append(4)
    assert lookup.guess(3) == [5, 6, 7]
    lookup.append(8)
    assert lookup.guess(3) == []


def test_a_picture_ends_a_guess():
    assert PromptLookup([1, 2, 3, 4, -1, 5, 1, 2, 3]).guess(4) == [4]


def test_guesses_grow_while_they_are_right_and_shrink_when_they_are_wrong():
    tokens = [*range(20), 0, 1, 2]
    lookup = PromptLookup(tokens)
    for _ in range(9):
        guessed = lookup.guess(99)
        lookup.learn(guessed, len(guessed))
    assert len(lookup.guess(99)) == MOST_GUESSED
    for _ in range(9):
        lookup.learn(lookup.guess(99), 0)
    assert 1 <= len(lookup.guess(99)) < 4


def test_guessing_stops_where_it_costs_more_than_it_brings():
    economy = Economy()
    assert not economy.pays(), "nothing is known yet"
    economy.note_plain(0.010)
    for _ in range(5):
        economy.note_guessing(0.050, 2)
    assert not any(economy.pays() for _ in range(50))
    economy = Economy()
    economy.note_plain(0.010)
    for _ in range(5):
        assert economy.pays()
        economy.note_guessing(0.015, 4)


def test_guessing_never_happens_where_it_is_not_exact():
    economy = Economy()
    economy.note_plain(0.010)
    economy.is_exact = False
    assert not economy.pays()


@pytest.mark.parametrize("flash_attention", [True, False])
def test_the_answer_is_the_same_with_and_without(make_client, starter, ask, flash_attention):
    client = make_client()
    client.load(dataclasses.replace(starter, flash_attention=flash_attention))
    guessed = 0
    for question in QUESTIONS:
        request = ask(question, max_new_tokens=60)
        client.generate(dataclasses.replace(request, max_new_tokens=1))
        plain = client.generate(dataclasses.replace(request, guesses=False))
        again = client.generate(request)
        assert again.completion_ids == plain.completion_ids
        assert again.text == plain.text
        guessed += again.guessed_tokens
        held = client.generate(ask(question, again.text, "Go on.", max_new_tokens=1))
        assert held.cached_tokens > plain.prompt_tokens
    if flash_attention and sys.platform == "linux":  # where it was found to be exact
        assert guessed > 0
