# SPDX-License-Identifier: Apache-2.0
"""A second start of the program hands its files to the first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from molmo_desktop.core.paths import app_paths
from molmo_desktop.services.single_instance import SingleInstance, hand_over


@pytest.mark.qt_log_ignore("This plugin does not support raise", extend=True)
def test_a_second_start_hands_its_files_to_the_first_and_ends(window, qtbot, samples):
    folder = app_paths().data
    instance = SingleInstance(folder)
    instance.files_received.connect(window.raise_with_files)
    assert instance.listen()
    second = subprocess.Popen(
        [sys.executable, "-m", "molmo_desktop", str(samples / "invoice.pdf")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=30_000)
    said = second.communicate()[0]
    assert second.returncode == 0, said
    qtbot.waitUntil(
        lambda: [item.state for item in window.backstage.session.attachments] == ["ready"],
        timeout=10_000,
    )
    instance.close()


def test_nobody_answers_where_no_program_runs(qapp, home):
    assert not hand_over(app_paths().data, [])
