# SPDX-License-Identifier: Apache-2.0
"""A model that will not fit is refused in a sentence, before anything is loaded.

The limits are real ones: the program runs in a process that may not have more memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from molmo_desktop.assistant import preflight
from molmo_desktop.assistant.requests import AskOptions, AskRequest
from molmo_desktop.core.errors import OutOfMemoryError
from molmo_desktop.engine.faults import FAULT_VARIABLE
from molmo_desktop.models.free_memory import FreeMemory
from molmo_desktop.models.starter import starter_model_path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits memory the Linux way")

_TINY = Path(__file__).parents[1] / "data" / "models" / "tiny-vlm" / "model.gguf"
# Guarded, because the spawned processes read it again.
_LIMITED = """
if __name__ == "__main__":
    import resource, sys
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), resource.RLIM_INFINITY))
    from molmo_desktop.cli import run
    sys.exit(run(sys.argv[2:]))
"""


def _run(tmp_path: Path, limit_bytes: int, *arguments: str) -> tuple[int, dict, str]:
    script = tmp_path / "limited.py"
    script.write_text(_LIMITED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(limit_bytes), *arguments, "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def _ask(tmp_path: Path, limit_bytes: int, *more: str) -> tuple[int, dict, str]:
    path = starter_model_path()
    if path is None:
        pytest.skip("the starter model is not installed")
    options = ("ask", "Count to ten.", "--model", str(path), "--max-tokens", "4", *more)
    return _run(tmp_path, limit_bytes, *options)


def test_a_model_that_will_not_fit_is_refused_with_its_parts(tmp_path):
    status, result, _ = _ask(tmp_path, 450_000_000)
    error = result["error"]
    assert status == 5
    assert error["kind"] == "OutOfMemoryError"
    assert error["message"].startswith("Not enough memory: SmolLM2-135M-Instruct")
    assert "lower the context length" in error["hint"]
    assert error["free_bytes"] == 180_000_000
    parts = ("weights_bytes", "kv_cache_bytes", "compute_bytes", "projector_bytes")
    assert error["needed_bytes"] == sum(error[name] for name in parts) > error["free_bytes"]
    assert not (tmp_path / "home" / "logs" / "engine.log").exists()


def test_a_shorter_context_makes_it_fit_and_that_is_said(tmp_path):
    status, result, errors = _ask(tmp_path, 560_000_000)
    assert status == 0, errors
    assert 2048 <= result["model"]["context_length"] < 8192
    assert any("context was lowered from 8192" in notice for notice in result["notices"])


def test_a_context_that_the_user_chose_is_not_lowered(tmp_path):
    status, result, _ = _ask(tmp_path, 560_000_000, "--context", "8192")
    assert status == 5
    assert result["error"]["context_length"] == 8192


def test_trying_anyway_ends_in_a_sentence_too(tmp_path):
    status, result, errors = _ask(tmp_path, 450_000_000, "--context", "8192", "--try-anyway")
    assert status == 5
    assert result["error"]["kind"] == "OutOfMemoryError"
    assert "enough memory" in result["error"]["message"]
    assert "Traceback" not in errors


@pytest.mark.parametrize("stage", ["load", "prefill", "decode"])
def test_memory_that_runs_out_on_the_way_is_a_sentence_too(tmp_path, monkeypatch, stage):
    monkeypatch.setenv(FAULT_VARIABLE, f"{stage}:OOM")
    status, result, errors = _ask(tmp_path, 4_000_000_000)
    assert status == 5
    assert result["error"]["kind"] == "OutOfMemoryError"
    assert "enough memory" in result["error"]["message"]
    assert result["error"]["hint"].startswith("Close other programs")
    assert "Traceback" not in errors


def test_a_model_that_only_just_fits_is_loaded_with_a_notice(tmp_path):
    status, result, errors = _ask(tmp_path, 700_000_000)
    assert status == 0, errors
    assert any(notice.startswith("Memory is tight: ") for notice in result["notices"])


def test_the_command_explains_each_verdict_by_its_parts(tmp_path):
    _, result, _ = _run(tmp_path, 330_000_000, "models", "fit", str(_TINY), "--context", "1024")
    assert result["verdict"] == "will not fit"
    assert result["limited_by"] == "process limit"
    assert result["needed_bytes"] == sum(result["parts"].values())
    assert result["source"] == "estimated"
    assert "weights" in result["explanation"].casefold()


def test_a_question_that_needs_more_than_a_lowered_context_says_what_is_missing(
    assistant, monkeypatch
):
    options = AskOptions(model=str(_TINY))
    enough = assistant.check_memory(assistant.library.resolve(str(_TINY))).estimate.total_bytes
    monkeypatch.setattr(preflight, "free_memory", lambda **_: FreeMemory(enough - 1))
    loaded = assistant.load_model(options)
    assert loaded.info.context_length == 3072
    assert assistant.load_model(options) is loaded
    with pytest.raises(OutOfMemoryError):
        assistant.ask(AskRequest("a question " * 500, options=options))
    assert assistant.engine.loaded is loaded, "what was held is held still"


def test_an_answer_teaches_what_the_model_really_takes(assistant):
    model = assistant.library.resolve(str(_TINY))
    assistant.settings = assistant.settings.changed(model_name=str(_TINY))
    before = assistant.check_memory(model)
    assert before.estimate.source == "estimated"
    answer = assistant.ask(AskRequest("What is this?"))
    after = assistant.check_memory(model)
    assert after.estimate.source == "measured here"
    real = answer.memory.engine_peak_bytes
    text_only = after.estimate.total_bytes - before.estimate.projector_bytes
    assert text_only == pytest.approx(real, rel=0.02)


def test_other_conversations_held_in_memory_are_not_what_a_model_takes(assistant, tmp_path):
    path = starter_model_path()
    if path is None:
        pytest.skip("the starter model is not installed")
    options = AskOptions(model=str(path), max_new_tokens=2, mode="whole")
    needed = []
    for number, word in enumerate(("bridge", "boat", "river", "bridge")):
        file = tmp_path / f"{number}.txt"
        file.write_text(f"The {word} is old and wide. " * 100)
        assistant.ask(AskRequest(f"How is the {word}?", (file,), options=options))
        model = assistant.library.resolve(str(path))
        needed.append(assistant.check_memory(model).estimate.total_bytes)
    assert needed[-1] < needed[0] * 1.05
