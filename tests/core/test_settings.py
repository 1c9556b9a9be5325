# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import fields

import pytest

from molmo_desktop.core.errors import SettingsError
from molmo_desktop.core.settings import Settings, _is_allowed, load_settings, save_settings


def test_settings_survive_a_round_trip(tmp_path):
    path = tmp_path / "settings.json"
    save_settings(path, Settings(model_name="x", max_new_tokens=77))
    loaded = load_settings(path)
    assert loaded.settings.model_name == "x"
    assert loaded.settings.max_new_tokens == 77
    assert loaded.ignored == ()


def test_an_unusable_value_keeps_its_default_and_is_named(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"context_length": "many", "thread_count": 3}))
    loaded = load_settings(path)
    assert loaded.settings.context_length == Settings().context_length
    assert loaded.settings.thread_count == 3
    assert loaded.ignored == ("context_length",)


def test_a_broken_file_gives_the_defaults(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text("{not json")
    loaded = load_settings(path)
    assert loaded.settings == Settings()
    assert loaded.ignored == ("the whole file",)


def test_a_file_of_the_future_is_left_alone(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 99, "thread_count": 3}))
    assert not load_settings(path).writable


def test_the_environment_keeps_the_program_offline(tmp_path, monkeypatch):
    path = tmp_path / "settings.json"
    save_settings(path, Settings(offline=False))
    monkeypatch.setenv("MOLMO_DESKTOP_OFFLINE", "1")
    assert load_settings(path).settings.offline


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError):
        save_settings(tmp_path / "file" / "settings.json", Settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context_length", -5),
        ("max_new_tokens", 0),
        ("temperature", -0.1),
        ("theme", "x"),
        ("reading_patience_s", float("inf")),
        ("reading_patience_s", float("nan")),
        ("idle_power_w", 10**400),
        ("panel_interval_ms", 0),
    ],
)
def test_a_value_out_of_range_keeps_its_default_and_is_named(tmp_path, name, value):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({name: value, "country": "DE"}))
    loaded = load_settings(path)
    assert loaded.settings == Settings(country="DE")
    assert loaded.ignored == (name,)


def test_every_number_and_choice_has_its_limits_and_defaults_lie_within():
    for item in fields(Settings):
        if item.type in ("int", "float"):
            assert _is_allowed(item.name, item.default)
            assert not _is_allowed(item.name, -1)
    assert _is_allowed("theme", Settings().theme)
