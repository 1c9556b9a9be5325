# SPDX-License-Identifier: Apache-2.0
"""The engine may die in any way: the caller learns it at once and goes on."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest
from misbehaving_engine import talk_nonsense

from molmo_desktop.core.errors import EngineCrashedError, EngineError, OutOfMemoryError
from molmo_desktop.engine import process
from molmo_desktop.engine.events import EngineNoticeEvent, TokenEvent
from molmo_desktop.engine.faults import FAULT_VARIABLE
from molmo_desktop.engine.safe_settings import SafeSettingsFile

ENDLESS = 'root ::= "one " root'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses signals")


def kill_while_writing(client, request, number):
    """Kill the engine after the first piece of text; return the error and how it came."""
    killed_at, shown = [], []

    def on_event(event):
        if isinstance(event, TokenEvent):
            shown.append(event.text)
            if not killed_at:
                killed_at.append(time.monotonic())
                os.kill(client.pid, number)

    with pytest.raises(EngineCrashedError) as caught:
        client.generate(request, on_event=on_event)
    return caught.value, "".join(shown), time.monotonic() - killed_at[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_death_in_the_middle_of_an_answer(make_client, starter, ask, tmp_path, number):
    client = make_client()
    client.load(starter)
    first_pid = client.pid
    request = ask("Count.", grammar=ENDLESS, max_new_tokens=1000)
    error, shown, seen_after_s = kill_while_writing(client, request, number)
    assert seen_after_s < 1.0
    assert error.data["exit_code"] == -number
    assert error.data["partial_text"] == shown != ""
    assert number.name in error.detail
    assert not psutil.pid_exists(first_pid)
    assert client.pid is None
    answer = client.generate(ask("Hello", max_new_tokens=2))
    assert answer.completion_ids
    assert client.pid != first_pid
    assert not client.loaded.safe_settings
    assert not SafeSettingsFile(tmp_path / "engine.json").needs_safe()


def test_death_between_two_answers_is_not_even_noticed(make_client, tiny, ask):
    client = make_client()
    client.load(tiny)
    os.kill(client.pid, signal.SIGKILL)
    answer = client.generate(ask("What colour is the shape?", max_new_tokens=16))
    assert answer.text == "There is no image."


@pytest.mark.parametrize("fault", ["load:SIGSEGV", "load:SIGILL", "prefill:SIGILL"])
def test_a_machine_that_needs_safe_settings_gets_them(
    make_client, tiny, ask, tmp_path, monkeypatch, fault
):
    monkeypatch.setenv(FAULT_VARIABLE, f"{fault}:unsafe")
    client, events = make_client(), []
    client.load(tiny, on_event=events.append)
    answer = client.generate(
        ask("What colour is the shape?", max_new_tokens=16), on_event=events.append
    )
    assert answer.text == "There is no image."
    notices = [event for event in events if isinstance(event, EngineNoticeEvent)]
    assert len(notices) == 1
    assert client.loaded.safe_settings
    assert client.loaded.notice == notices[0].text
    assert SafeSettingsFile(tmp_path / "engine.json").needs_safe()

    other, later_events = make_client(), []
    loaded = other.load(tiny, on_event=later_events.append)
    assert loaded.safe_settings
    assert loaded.notice == ""
    assert not [event for event in later_events if isinstance(event, EngineNoticeEvent)]


def test_a_crash_at_the_first_picture_counts_as_first_evaluation(
    make_client, tiny, ask, picture, monkeypatch
):
    monkeypatch.setenv(FAULT_VARIABLE, "encode:SIGSEGV:unsafe")
    client = make_client()
    client.load(tiny)
    assert client.generate(ask("Hello", max_new_tokens=2)).completion_ids
    answer = client.generate(ask("What colour is the shape?", images=(picture("colour_1"),)))
    assert answer.text == "red"
    assert client.loaded.safe_settings


@pytest.mark.parametrize("stage", ["load", "prefill", "decode"])
def test_a_crash_with_safe_settings_too_is_an_error(
    make_client, tiny, ask, tmp_path, monkeypatch, stage
):
    monkeypatch.setenv(FAULT_VARIABLE, f"{stage}:SIGSEGV")
    client = make_client()
    with pytest.raises(EngineCrashedError) as caught:  # noqa: PT012 - either may meet the fault
        client.load(tiny)
        client.generate(ask("Hello"))
    assert "SIGSEGV" in caught.value.detail
    assert caught.value.hint
    assert not SafeSettingsFile(tmp_path / "engine.json").needs_safe()
    assert client.pid is None
    monkeypatch.delenv(FAULT_VARIABLE)
    client.load(tiny)
    assert client.generate(ask("Hello", max_new_tokens=1)).completion_ids


def test_being_killed_while_loading_does_not_switch_to_safe_settings(
    make_client, tiny, tmp_path, monkeypatch
):
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGKILL:unsafe")
    with pytest.raises(EngineCrashedError):
        make_client().load(tiny)
    assert not SafeSettingsFile(tmp_path / "engine.json").needs_safe()


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory the Linux way")
@pytest.mark.parametrize("stage", ["load", "encode", "prefill", "decode"])
def test_memory_that_runs_out_is_called_that_and_the_next_question_is_answered(
    make_client, tiny, starter, ask, picture, tmp_path, monkeypatch, stage
):
    monkeypatch.setenv(FAULT_VARIABLE, f"{stage}:OOM")
    client = make_client()
    request = ask("Count to twenty. " * 40, max_new_tokens=40)
    if stage == "encode":
        request = ask("What colour is the shape?", images=(picture("colour_1"),))
    with pytest.raises(OutOfMemoryError) as caught:  # noqa: PT012 - either may meet the fault
        client.load(tiny if stage == "encode" else starter)
        client.generate(request)
    assert "memory" in caught.value.message
    assert caught.value.hint.endswith(".")
    assert client.pid is None
    assert not SafeSettingsFile(tmp_path / "engine.json").needs_safe()
    monkeypatch.delenv(FAULT_VARIABLE)
    client.load(tiny)
    assert client.generate(ask("Hello", max_new_tokens=1)).completion_ids


def test_a_crash_after_good_answers_does_not_switch_to_safe_settings(
    make_client, tiny, ask, tmp_path
):
    client = make_client()
    client.load(tiny)
    client.generate(ask("Hello", max_new_tokens=2))
    request = ask("Count.", grammar=ENDLESS, max_new_tokens=3000)
    kill_while_writing(client, request, signal.SIGSEGV)
    assert not SafeSettingsFile(tmp_path / "engine.json").needs_safe()


def test_the_log_of_a_crash_goes_with_the_error(make_client, tiny, monkeypatch, capfd):
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGSEGV")
    with pytest.raises(EngineCrashedError) as caught:
        make_client().load(tiny)
    assert "faults.py" in caught.value.detail
    assert capfd.readouterr() == ("", "")


def test_the_engine_outlives_the_thread_that_loaded_it(make_client, tiny, ask):
    client = make_client()
    thread = threading.Thread(target=client.load, args=(tiny,))
    thread.start()
    thread.join()
    pid = client.pid
    time.sleep(0.3)
    assert client.generate(ask("Hello", max_new_tokens=1)).completion_ids
    assert client.pid == pid


def test_unloading_ends_the_process_and_the_next_question_loads_again(make_client, tiny, ask):
    client = make_client()
    client.load(tiny)
    pid = client.pid
    client.unload()
    assert client.loaded is None
    assert not psutil.pid_exists(pid)
    assert client.generate(ask("Hello", max_new_tokens=1)).completion_ids


def test_the_same_model_is_loaded_once_and_another_one_in_a_new_process(make_client, tiny, starter):
    client = make_client()
    loaded = client.load(tiny)
    pid = client.pid
    assert client.load(tiny) is loaded
    assert client.pid == pid
    client.load(starter)
    assert client.pid != pid
    assert not psutil.pid_exists(pid)


def test_without_a_model_there_is_an_error_in_words(make_client, ask):
    with pytest.raises(EngineError, match="No model"):
        make_client().generate(ask("Hello"))


def test_a_closed_engine_stays_closed(make_client, tiny, ask):
    client = make_client()
    client.load(tiny)
    client.close()
    with pytest.raises(EngineError, match="closed"):
        client.generate(ask("Hello"))


def test_several_threads_may_ask_at_once(make_client, tiny, ask):
    client = make_client()
    client.load(tiny)
    answers = []

    def question():
        request = ask("What colour is the shape?", max_new_tokens=16)
        answers.append(client.generate(request).text)

    threads = [threading.Thread(target=question) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["There is no image."] * 4


@pytest.mark.expects_warnings
def test_a_listener_that_fails_does_not_harm_the_answer(make_client, tiny, ask, caplog):
    client = make_client()
    client.load(tiny)

    def on_event(event):
        raise ValueError("a bug in the window")

    answer = client.generate(ask("What colour is the shape?"), on_event=on_event)
    assert answer.text == "There is no image."


@pytest.mark.parametrize("busy", [False, True])
def test_the_death_of_the_parent_ends_the_engine(tmp_path, tiny, starter, busy):
    request = starter if busy else tiny
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from molmo_desktop.engine.client import EngineClient
        from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest

        def main():
            folder = Path({str(tmp_path)!r})
            client = EngineClient(safe_settings_file=folder / "e.json", log_folder=folder)
            client.load(LoadRequest("m", Path({str(request.model_path)!r})))
            print(client.pid, flush=True)
            if {busy}:
                text = "The river is long. " * 330
                client.generate(
                    GenerateRequest((ChatMessage("user", text),)),
                    on_event=lambda event: os.kill(os.getpid(), signal.SIGKILL),
                )
            os.kill(os.getpid(), signal.SIGKILL)

        if __name__ == "__main__":
            main()
        """),
        encoding="utf-8",
    )
    parent = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert parent.returncode == -signal.SIGKILL, parent.stderr
    pid = int(parent.stdout)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.02)
    else:
        assert not psutil.pid_exists(pid)


@pytest.mark.expects_warnings
def test_an_engine_that_talks_nonsense_is_ended_and_reaped(make_client, starter, monkeypatch):
    monkeypatch.setattr(process, "run_engine", talk_nonsense)
    client = make_client()
    with pytest.raises(EngineCrashedError) as caught:
        client.load(starter)
    assert "memory" not in caught.value.hint
    assert client.pid is None
    monkeypatch.undo()
    assert client.load(starter).info.name == starter.name
