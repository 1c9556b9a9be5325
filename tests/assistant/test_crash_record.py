# SPDX-License-Identifier: Apache-2.0
"""What ended the engine twice is not tried again, until the user says so or it goes well."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

import pytest

from molmo_desktop.assistant.build import build_assistant
from molmo_desktop.assistant.crash_record import CrashRecord
from molmo_desktop.assistant.requests import AskOptions, AskRequest, TextEvent
from molmo_desktop.core.errors import (
    EngineCrashedError,
    OutOfMemoryError,
    RepeatedCrashError,
)
from molmo_desktop.engine.faults import FAULT_VARIABLE

QUESTION = "What colour is the shape?"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses signals")


@pytest.fixture
def model(tmp_path, tiny_vlm):
    """A copy of the tiny vision model, so that its file may change."""
    for name in ("model.gguf", "mmproj.gguf"):
        shutil.copy(tiny_vlm / name, tmp_path / name)
    return tmp_path / "model.gguf"


@pytest.fixture
def picture(tiny_vlm):
    return tiny_vlm / "images" / "colour_1.png"


@pytest.fixture
def ask(assistant, model):
    """Asks the tiny model; each engine is a new one, as after a restart."""

    def run(*files, again=False, on_event=None, fresh=True, **more):
        if fresh:
            assistant.engine.unload()
        options = AskOptions(model=str(model), max_new_tokens=16, try_anyway=again)
        request = AskRequest(QUESTION, files, options=options, **more)
        return assistant.ask(request, on_event=on_event)

    return run


def die_twice(ask, monkeypatch, fault, *files, **more):
    monkeypatch.setenv(FAULT_VARIABLE, fault)
    for _ in range(2):
        with pytest.raises(EngineCrashedError):
            ask(*files, **more)
    monkeypatch.delenv(FAULT_VARIABLE)


def test_a_model_that_dies_twice_while_loading_is_not_started_again(
    assistant, ask, model, monkeypatch
):
    die_twice(ask, monkeypatch, "load:SIGSEGV")
    started = time.monotonic()
    with pytest.raises(RepeatedCrashError) as caught:
        ask()
    assert time.monotonic() - started < 0.5
    assert assistant.engine.pid is None
    assert caught.value.message.endswith("ended the engine twice and was not started again.")
    assert "--try-anyway" in caught.value.hint
    assert caught.value.data["crash_count"] == 2
    with pytest.raises(RepeatedCrashError):
        assistant.load_model(AskOptions(model=str(model)))
    assert ask(again=True).answer == "There is no image."
    assert ask().answer, "what went well is forgotten"
    assert assistant.crashes.count == 0


def test_trying_anyway_in_vain_counts_on(ask, monkeypatch):
    die_twice(ask, monkeypatch, "load:SIGABRT")
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGABRT")
    with pytest.raises(EngineCrashedError):
        ask(again=True)
    with pytest.raises(RepeatedCrashError, match="3 times"):
        ask()


@pytest.mark.parametrize("fault", ["encode:SIGSEGV", "prefill:SIGKILL", "decode:SIGILL"])
def test_a_file_that_kills_the_engine_twice_is_not_given_to_it_again(
    assistant, ask, picture, tiny_vlm, monkeypatch, fault
):
    die_twice(ask, monkeypatch, fault, picture)
    with pytest.raises(RepeatedCrashError) as caught:
        ask(picture)
    assert assistant.engine.pid is None
    assert caught.value.message.startswith("colour_1.png ended the engine twice")
    assert ask(tiny_vlm / "images" / "colour_2.png").answer, "another file is innocent"
    assert ask().answer, "and so is the model"
    with pytest.raises(RepeatedCrashError):
        ask(picture)
    assert ask(picture, again=True).answer == "red"
    assert ask(picture).answer == "red"


def test_without_a_file_the_model_is_the_one_to_blame(ask, picture, monkeypatch):
    die_twice(ask, monkeypatch, "prefill:SIGSEGV")
    with pytest.raises(RepeatedCrashError, match="while it was answering"):
        ask()
    assert ask(picture).answer == "red"
    assert ask(again=True).answer
    assert ask().answer


def test_being_killed_while_writing_counts_and_an_answer_between_resets(
    assistant, ask, monkeypatch
):
    def kill(event):
        if isinstance(event, TextEvent):
            os.kill(assistant.engine.pid, signal.SIGKILL)

    monkeypatch.setenv(FAULT_VARIABLE, "decode:SIGKILL")
    with pytest.raises(EngineCrashedError):
        ask()
    monkeypatch.delenv(FAULT_VARIABLE)
    assert assistant.crashes.count == 1
    ask()
    assert assistant.crashes.count == 0
    options = AskOptions(max_new_tokens=400)
    for _ in range(2):
        with pytest.raises(EngineCrashedError):
            assistant.ask(AskRequest("Write a long story.", options=options), on_event=kill)
    with pytest.raises(RepeatedCrashError):
        assistant.ask(AskRequest("Write a long story.", options=options))


def test_a_death_that_safe_settings_cure_is_none(assistant, ask, monkeypatch):
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGSEGV:unsafe")
    assert ask().answer
    assert assistant.crashes.count == 0


def test_the_record_outlives_the_program_and_a_changed_model_is_another(
    assistant, ask, model, monkeypatch, home
):
    die_twice(ask, monkeypatch, "load:SIGSEGV")
    assistant.engine.close()
    later = build_assistant()
    request = AskRequest(QUESTION, options=AskOptions(model=str(model)))
    try:
        with pytest.raises(RepeatedCrashError):
            later.ask(request)
        os.utime(model, (1, 1))
        assert later.ask(request).answer
    finally:
        later.close()
    (home / "config" / "crashes.json").write_text("{damaged")
    assert CrashRecord(home / "config" / "crashes.json").count == 0


def test_of_a_private_conversation_nothing_is_kept_on_the_disk(
    assistant, ask, picture, monkeypatch, home
):
    die_twice(ask, monkeypatch, "encode:SIGSEGV", picture, is_private=True)
    with pytest.raises(RepeatedCrashError):
        ask(picture)
    assert assistant.crashes.count == 0
    assert not (home / "config" / "crashes.json").exists()


def test_a_refusal_is_no_death(tmp_path):
    record = CrashRecord(tmp_path / "crashes.json")
    for _ in range(3):
        with pytest.raises(OutOfMemoryError), record.loading("m", tmp_path / "m.gguf", None):
            raise OutOfMemoryError("Not enough memory.", needed_bytes=1)
    assert record.count == 0


def test_the_list_is_bounded(tmp_path):
    record = CrashRecord(tmp_path / "crashes.json")
    for number in range(230):
        with (
            pytest.raises(EngineCrashedError),
            record.loading("m", tmp_path / f"{number}.gguf", None),
        ):
            raise EngineCrashedError("The engine stopped.", exit_code=-11)
    assert record.count == 200
