# SPDX-License-Identifier: Apache-2.0
"""The user's folders are private, and one that cannot be made is told in a sentence."""

from __future__ import annotations

import os
import stat

import pytest

from molmo_desktop.cli import run
from molmo_desktop.core.errors import SettingsError
from molmo_desktop.core.files import keep_private
from molmo_desktop.core.paths import app_paths


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
def test_folders_are_for_the_user_alone(home):
    (home / "data").mkdir(parents=True, mode=0o755)
    (home / "data").chmod(0o755)
    paths = app_paths().make()
    for folder in (paths.config, paths.data, paths.cache, paths.logs, paths.models):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
def test_a_private_file_keeps_what_is_in_it(tmp_path):
    path = tmp_path / "file"
    path.write_text("text")
    path.chmod(0o666)
    keep_private(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "text"


def test_a_home_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOLMO_DESKTOP_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsError, match="cannot keep its files") as caught:
        app_paths().make()
    assert "MOLMO_DESKTOP_HOME" in caught.value.hint


@pytest.mark.parametrize("command", [["ask", "Why?"], ["read", "x.txt"], ["models"], ["doctor"]])
def test_the_command_line_says_one_sentence_about_it(tmp_path, monkeypatch, capsys, command):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MOLMO_DESKTOP_HOME", str(tmp_path / "file" / "home"))
    assert run(command) == 1
    said = capsys.readouterr().err
    assert "cannot keep its files" in said
    assert "unexpected" not in said
    assert said.count("\n") == 1
