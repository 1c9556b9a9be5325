# SPDX-License-Identifier: Apache-2.0
"""What a load took is remembered and makes the next estimate of that model better."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from molmo_desktop.models.fit import MemoryEstimate
from molmo_desktop.models.measured_memory import (
    LoadKind,
    MeasuredLoad,
    MeasuredMemory,
    corrected,
    scaled,
)

_KIND = LoadKind("model.gguf:10:20", 8192, "f16 True 0")
_LOAD = MeasuredLoad(kv_cache_bytes=200, compute_bytes=30, rest_bytes=60)
_ESTIMATE = MemoryEstimate(1000, 100, 50, 0, 8192)


def test_what_was_learned_is_there_after_a_restart(tmp_path):
    path = tmp_path / "memory.json"
    MeasuredMemory(path).learn(_KIND, _LOAD)
    assert MeasuredMemory(path).find(_KIND) == _LOAD
    assert MeasuredMemory(path).find(replace(_KIND, context_length=4096)) is None
    assert MeasuredMemory(path).find_other(replace(_KIND, context_length=4096)) == (8192, _LOAD)
    assert MeasuredMemory(path).find_other(replace(_KIND, settings="q8_0 True 0")) is None


def test_the_highest_of_several_peaks_stays_and_small_changes_are_not_written(tmp_path):
    path = tmp_path / "memory.json"
    memory = MeasuredMemory(path)
    memory.learn(_KIND, _LOAD)
    written = path.stat().st_mtime_ns
    memory.learn(_KIND, replace(_LOAD, rest_bytes=50))
    assert path.stat().st_mtime_ns == written
    memory.learn(_KIND, replace(_LOAD, rest_bytes=90, with_pictures=True))
    memory.learn(_KIND, replace(_LOAD, rest_bytes=70))
    assert memory.find(_KIND) == replace(_LOAD, rest_bytes=90, with_pictures=True)


def test_other_buffers_replace_what_was_learned_before(tmp_path):
    memory = MeasuredMemory(tmp_path / "memory.json")
    memory.learn(_KIND, replace(_LOAD, rest_bytes=900))
    memory.learn(_KIND, replace(_LOAD, compute_bytes=31))
    assert memory.find(_KIND) == replace(_LOAD, compute_bytes=31)


def test_the_file_stays_small(tmp_path):
    path = tmp_path / "memory.json"
    memory = MeasuredMemory(path)
    for number in range(80):
        memory.learn(replace(_KIND, context_length=2048 + number), _LOAD)
    assert len(json.loads(path.read_text(encoding="utf-8"))["loads"]) == 64
    assert memory.find(replace(_KIND, context_length=2048)) is None
    assert memory.find(replace(_KIND, context_length=2127)) == _LOAD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "loads": {}}',
        '{"version": 1, "loads": [1]}',
        '{"version": 1, "loads": {"a | b | 8192": 5, "no number": {}}}',
        '{"version": 1, "loads": {"a | b | 1": {"kv_cache_bytes": -1, "compute_bytes": 1e9}}}',
    ],
)
def test_a_damaged_file_counts_as_empty_and_is_written_anew(tmp_path, text):
    path = tmp_path / "memory.json"
    path.write_text(text, encoding="utf-8")
    memory = MeasuredMemory(path)
    assert memory.find(_KIND) is None
    memory.learn(_KIND, _LOAD)
    assert MeasuredMemory(path).find(_KIND) == _LOAD


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    memory = MeasuredMemory(tmp_path / "file" / "memory.json")
    memory.learn(_KIND, _LOAD)
    assert memory.find(_KIND) == _LOAD


def test_a_measured_load_takes_the_place_of_the_estimate():
    found = corrected(_ESTIMATE, _LOAD, 0)
    assert (found.kv_cache_bytes, found.compute_bytes) == (200, 90)
    assert found.total_bytes == 1290
    assert found.source == "measured here"


def test_scratch_for_pictures_stays_estimated_until_a_picture_was_looked_at():
    estimate = replace(_ESTIMATE, projector_bytes=400)
    assert corrected(estimate, _LOAD, 300).projector_bytes == 400
    looked = replace(_LOAD, rest_bytes=70_000_500, with_pictures=True)
    found = corrected(estimate, looked, 300)
    assert found.projector_bytes == 800
    assert found.compute_bytes == 30 + 70_000_000


def test_another_context_is_corrected_in_proportion_and_still_called_estimated():
    half = replace(_ESTIMATE, kv_cache_bytes=50, compute_bytes=45, context_length=4096)
    found = scaled(half, _ESTIMATE, _LOAD, 0)
    assert (found.kv_cache_bytes, found.compute_bytes) == (100, 85)
    assert found.source == "estimated"


def test_a_file_that_changed_is_another_kind(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(b"1")
    before = LoadKind.of(path, None, 2048, "f16", True)
    path.write_bytes(b"12")
    assert LoadKind.of(path, None, 2048, "f16", True) != before
