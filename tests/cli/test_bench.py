# SPDX-License-Identifier: Apache-2.0
"""``bench`` as people and scripts use it: the real program as a subprocess, with real models."""

import json
import os
import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-m", "molmo_desktop", "bench"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


QUICK = ("--rounds", 1, "--prompt-tokens", 64, "--new-tokens", 8)


def test_the_starter_model_is_measured():
    result = run(*QUICK, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    (bench,) = report["models"]
    speed = bench["speed"]
    assert bench["model"]["name"].startswith("SmolLM2-135M")
    assert 40 <= speed["prompt_tokens"] <= 64
    assert speed["new_tokens"] == 7
    assert speed["prefill_tokens_per_s"] > speed["decode_tokens_per_s"] > 0
    assert speed["first_token_s"] > 0
    assert bench["engine_peak_bytes"] > bench["weights_bytes"] > 80_000_000
    assert bench["picture"] is None
    assert bench["settings"] == []
    assert bench["energy"]["kind"] in ("measured", "estimated")
    assert bench["energy"]["new_token_j"] > 0
    assert report["machine"]["logical_cores"] >= 1
    assert "round 1 of 1" in result.stderr


def test_a_model_that_sees_is_shown_a_picture(tiny_vlm):
    result = run(*QUICK, "--json", "--model", tiny_vlm / "model.gguf")
    assert result.returncode == 0, result.stderr
    (bench,) = json.loads(result.stdout)["models"]
    picture = bench["picture"]
    assert (picture["width_px"], picture["height_px"]) == (1024, 768)
    assert picture["image_tokens"] == 64
    assert 0 < picture["encode_s"] < picture["first_token_s"]


def test_settings_are_rows_of_one_run(tiny_vlm):
    result = run(*QUICK, "--json", "--settings", "--model", tiny_vlm / "model.gguf")
    assert result.returncode == 0, result.stderr
    (bench,) = json.loads(result.stdout)["models"]
    rows = {row["label"]: row for row in bench["settings"]}
    first = bench["settings"][0]
    assert first["label"] == "as set"
    assert first["prefill_to_first_row"] == first["decode_to_first_row"] == 1.0
    assert rows["1 thread"]["speed"]["thread_count"] == 1
    assert rows["flash attention off"]["speed"]["flash_attention"] is False
    sixteen, eight = (row["speed"]["kv_cache_bytes"] for row in (first, rows["context in 8 bits"]))
    assert eight == pytest.approx(sixteen * 8.5 / 16, rel=0.01)


def test_for_people_it_is_a_table(tiny_vlm):
    result = run(*QUICK, "--settings", "--model", tiny_vlm / "model.gguf")
    assert result.returncode == 0, result.stderr
    assert "tiny-vlm" in result.stdout.splitlines()[0]
    for words in ("reading", "tok/s", "picture of 1024 × 768", "flash attention off", " J ("):
        assert words in result.stdout


def test_an_unknown_model_is_told():
    result = run("--model", "no-such-model", "--json")
    assert result.returncode == 4
    assert json.loads(result.stdout)["error"]["kind"] == "ModelNotFoundError"
    assert "Traceback" not in result.stderr


def test_a_broken_model_is_told_and_named(tmp_path, tiny_vlm):
    whole = (tiny_vlm / "model.gguf").read_bytes()
    path = tmp_path / "broken.gguf"
    path.write_bytes(whole[: len(whole) // 2])
    result = run(*QUICK, "--model", path)
    assert result.returncode == 4
    assert "broken.gguf" in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_ends_with_status_130():
    process = subprocess.Popen(
        [*COMMAND, "--rounds", "1000", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "round" not in (line := process.stderr.readline()):
        assert line, "it ended before it measured anything"
    os.kill(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
