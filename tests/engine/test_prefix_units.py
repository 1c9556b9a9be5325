# SPDX-License-Identifier: Apache-2.0
"""Counting and comparing the units of a prompt."""

from molmo_desktop.engine.prefix_cache import (
    PictureUnit,
    count_positions,
    count_tokens,
    shared_length,
)

CAT = PictureUnit("cat:1", token_count=300, position_count=20)
DOG = PictureUnit("dog:1", token_count=300, position_count=20)


def test_tokens_and_positions_are_counted_apart():
    assert count_tokens([1, 2, CAT, 3]) == 303
    assert count_positions([1, 2, CAT, 3]) == 23


def test_two_prompts_share_their_units_up_to_the_first_difference():
    assert shared_length([1, 2, CAT, 3], [1, 2, CAT, 4, 5]) == 3
    assert shared_length([1, 2, CAT, 3], [1, 2, DOG, 3]) == 2
    assert shared_length([1, 2], [1, 2, 3]) == 2
    assert shared_length([], [1]) == 0
