# SPDX-License-Identifier: Apache-2.0
"""A short soak: the engine dies in eight ways under the real window, and nothing is lost.

The seed was chosen so that every stage and every way to die comes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_eight_deaths_of_the_engine_lose_nothing_and_leave_nothing_behind():
    done = subprocess.run(
        [sys.executable, str(SOAK), "--rounds", "8", "--seed", "228", "--slack", "8", "--json"],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.stdout, done.stderr
    findings = json.loads(done.stdout)
    assert findings["problems"] == []
    assert done.returncode == 0
    ends = [entry["end"] for entry in findings["rounds"]]
    assert len(ends) == 8
    assert ends.count("failed") >= 4
    assert any(entry["partial_characters"] for entry in findings["rounds"])
