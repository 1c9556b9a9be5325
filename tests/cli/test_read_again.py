# SPDX-License-Identifier: Apache-2.0
"""A file that made a reader stop is tried once more when the user says so."""

from __future__ import annotations

from molmo_desktop.cli import run
from molmo_desktop.core.paths import app_paths
from molmo_desktop.documents.quarantine import Quarantine


def test_read_again_frees_a_file_that_made_a_reader_stop(samples, capsys):
    path = samples / "invoice.pdf"
    Quarantine(app_paths().make().unreadable_files_file).add(path, "read")
    assert run(["read", str(path)]) == 3
    assert "molmo-desktop read --again FILE" in capsys.readouterr().err
    assert run(["read", "--again", str(path)]) == 0
    assert run(["read", str(path)]) == 0
