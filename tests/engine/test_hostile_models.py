# SPDX-License-Identifier: Apache-2.0
"""A sample of hostile model files: each ends in a sentence, or in a model that answers."""

from __future__ import annotations

import sys

import pytest
from hostile_models import MISMATCHES, MUTATIONS, Trial

SAMPLE = 40


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_forty_hostile_models_end_in_a_sentence_or_an_answer(tmp_path):
    trial = Trial(seed=3, folder=tmp_path, slack=4)
    cases = [trial.play(number) for number in range(SAMPLE)]
    assert [case for case in cases if case.problem] == []
    assert {case.mutation for case in cases} >= {name.strip() for name in MUTATIONS}
    assert {case.end for case in cases[: len(MISMATCHES)]} <= {
        "ModelLoadError",
        "ProjectorMismatchError",
    }
    assert sum(case.end == "answers" for case in cases) > 3, "some changes do no harm"
