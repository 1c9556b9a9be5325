# SPDX-License-Identifier: Apache-2.0
"""Steps of a prompt take a second or two, whatever the speed."""

import pytest

from molmo_desktop.engine.batch import Pace


@pytest.mark.parametrize(
    ("tokens", "seconds", "expected"),
    [
        (128, 0.75, 320),  # 171 tokens/s
        (128, 4.0, 128),  # slow: the smallest step
        (128, 0.01, 512),  # fast: all there is room for
        (128, 0.65, 384),
        (8, 5.0, 128),  # a few tokens tell nothing
    ],
)
def test_the_step_follows_the_speed(tokens, seconds, expected):
    pace = Pace(512)
    assert pace.step_tokens == 128
    pace.note(tokens, seconds)
    assert pace.step_tokens == expected


def test_a_small_batch_is_not_overfilled():
    assert Pace(48).step_tokens == 48
