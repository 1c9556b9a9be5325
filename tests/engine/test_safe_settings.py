# SPDX-License-Identifier: Apache-2.0
"""What works on this machine is remembered, and a broken memory does no harm."""

import json
from pathlib import Path

import pytest

from molmo_desktop.engine import safe_settings
from molmo_desktop.engine.safe_settings import FAST, SAFE, SafeSettingsFile


def test_safe_settings_are_remembered(tmp_path: Path):
    path = tmp_path / "new folder" / "engine.json"
    assert not SafeSettingsFile(path).needs_safe()
    SafeSettingsFile(path).remember("SIGILL")
    assert SafeSettingsFile(path).needs_safe()
    entry = json.loads(path.read_text(encoding="utf-8"))["machines"][safe_settings.machine_key()]
    assert entry["reason"] == "SIGILL"


def test_another_processor_or_version_begins_anew(tmp_path: Path, monkeypatch):
    file = SafeSettingsFile(tmp_path / "engine.json")
    file.remember("SIGILL")
    monkeypatch.setattr(safe_settings, "machine_key", lambda: "another machine")
    assert not file.needs_safe()
    file.remember("SIGSEGV")
    machines = json.loads((tmp_path / "engine.json").read_text(encoding="utf-8"))["machines"]
    assert len(machines) == 2


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"machines": 3}', "\udcff"])
def test_an_unreadable_file_counts_as_empty(tmp_path: Path, content: str):
    path = tmp_path / "engine.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    assert not SafeSettingsFile(path).needs_safe()
    SafeSettingsFile(path).remember("SIGSEGV")
    assert SafeSettingsFile(path).needs_safe()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path):
    blocker = tmp_path / "file"
    blocker.write_text("", encoding="utf-8")
    file = SafeSettingsFile(blocker / "engine.json")
    file.remember("SIGSEGV")
    assert not file.needs_safe()


def test_only_the_conservative_settings_are_safe():
    assert SAFE.is_safe
    assert not FAST.is_safe
