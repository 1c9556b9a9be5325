# SPDX-License-Identifier: Apache-2.0
"""The check for leaks sees a child that ended but was not waited for."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest


@pytest.mark.skipif(os.name != "posix", reason="only Unix keeps them")
def test_a_zombie_counts_as_left_behind(request):
    checks = request.config.pluginmanager.get_plugin(str(Path(__file__).parents[1] / "conftest.py"))
    process = subprocess.Popen([sys.executable, "-c", ""])
    try:
        deadline = time.monotonic() + 20
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert process.pid in [child.pid for child in checks._children()]
    finally:
        process.wait()
    assert process.pid not in [child.pid for child in checks._children()]
