# SPDX-License-Identifier: Apache-2.0
"""An answer can be stopped in every phase, and the engine goes on afterwards."""

import os
import signal
import threading
import time

import pytest

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled, EngineError
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine import client as client_module
from molmo_desktop.engine import process
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, ProgressEvent, TokenEvent
from molmo_desktop.engine.faults import FAULT_VARIABLE


def test_loading_stops(make_client, starter, ask):
    client, cancel = make_client(), CancelToken()
    with pytest.raises(Cancelled):
        client.load(starter, on_event=lambda event: cancel.cancel(), cancel=cancel)
    assert client.loaded is None
    assert client.pid is None
    assert client.load(starter).info.name == starter.name


def test_a_cancel_before_the_start_evaluates_nothing(starter_client, ask):
    cancel = CancelToken()
    cancel.cancel()
    answer = starter_client.generate(ask("Hello"), cancel=cancel)
    assert answer.finish_reason == "cancelled"
    assert answer.text == ""
    assert answer.completion_ids == ()


def test_looking_stops_between_pictures(tiny_client):
    images = tuple(PageImage(8, 8, bytes([number]) * 192) for number in range(12))
    request = GenerateRequest((ChatMessage("user", "Which?", tuple(range(12))),), images, cold=True)
    cancel, looked = CancelToken(), []

    def on_event(event):
        if isinstance(event, ProgressEvent) and event.stage == "looking":
            looked.append(event.done)
            if event.done == 2:
                cancel.cancel()

    answer = tiny_client.generate(request, on_event=on_event, cancel=cancel)
    assert answer.finish_reason == "cancelled"
    assert answer.text == ""
    assert max(looked) < 12
    again = tiny_client.generate(request)
    assert again.finish_reason != "cancelled"


def test_an_encoder_that_never_returns_is_ended_after_a_grace(
    make_client, tiny, ask, picture, monkeypatch
):
    monkeypatch.setattr(process, "_CANCEL_GRACE_S", 0.3)
    monkeypatch.setenv(FAULT_VARIABLE, "encode:HANG")
    client, cancel = make_client(), CancelToken()
    client.load(tiny)
    first_pid = client.pid
    threading.Timer(0.2, cancel.cancel).start()
    request = ask("What colour is the shape?", images=(picture("colour_1"),))
    answer = client.generate(request, cancel=cancel)
    assert answer.finish_reason == "cancelled"
    assert client.pid is None
    # What the engine did not live to tell is unknown, not zero.
    assert (answer.prompt_tokens, answer.image_tokens, answer.cached_tokens) == (None, None, None)
    assert (answer.encode_s, answer.prefill_s, answer.decode_s) == (None, None, None)
    monkeypatch.delenv(FAULT_VARIABLE)
    assert client.generate(request).text == "red"
    assert client.pid not in (None, first_pid)


def test_prefill_stops_in_the_middle_and_keeps_what_is_done(starter_client, ask):
    cancel = CancelToken()
    request = ask("The river is long. " * 60, cold=True, max_new_tokens=4)
    asked_at = []

    def on_event(event):
        if isinstance(event, ProgressEvent) and event.done > 0:
            cancel.cancel()
            asked_at.append(time.monotonic())

    answer = starter_client.generate(request, on_event=on_event, cancel=cancel)
    stopped_s = time.monotonic() - asked_at[0]
    assert answer.finish_reason == "cancelled"
    assert answer.completion_ids == ()
    assert stopped_s < 2.0
    again = starter_client.generate(ask("The river is long. " * 60, max_new_tokens=4))
    assert again.cached_tokens > 0
    clean = starter_client.generate(request)
    assert clean.completion_ids == again.completion_ids


def test_writing_stops_and_the_partial_text_is_kept(starter_client, ask):
    cancel, shown = CancelToken(), []

    def on_event(event):
        if isinstance(event, TokenEvent):
            shown.append(event.text)
            if len(shown) == 3:
                cancel.cancel()

    request = ask("Count.", grammar='root ::= "one " root', max_new_tokens=1000)
    answer = starter_client.generate(request, on_event=on_event, cancel=cancel)
    assert answer.finish_reason == "cancelled"
    assert answer.text == "".join(shown)
    assert 3 <= len(answer.completion_ids) < 1000
    assert starter_client.generate(ask("Hello", max_new_tokens=1)).finish_reason == "length"


def test_closing_ends_an_answer_in_another_thread(make_client, starter, ask):
    client = make_client()
    client.load(starter)
    writing, results = threading.Event(), []

    def write():
        request = ask("Count.", grammar='root ::= "one " root', max_new_tokens=1900)
        try:
            client.generate(request, on_event=lambda event: writing.set())
        except Cancelled as error:
            results.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(30)
    client.close()
    thread.join(10)
    assert len(results) == 1
    assert client.pid is None


def test_a_stop_whose_wake_up_was_lost_is_heard_all_the_same(starter_client, ask):
    class Unheard(CancelToken):
        """As when the handler of Ctrl+C ran just before the wait began."""

        def on_cancel(self, _callback):
            return lambda: None

    cancel, begun = Unheard(), threading.Event()

    def stop():
        begun.wait(30)
        cancel.cancel()

    thread = threading.Thread(target=stop)
    thread.start()
    request = ask("Count.", grammar='root ::= "one " root', max_new_tokens=1000)
    answer = starter_client.generate(request, on_event=lambda event: begun.set(), cancel=cancel)
    thread.join()
    assert answer.finish_reason == "cancelled"
    assert len(answer.completion_ids) < 1000


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
def test_counting_stops_although_the_engine_is_silent(make_client, starter, monkeypatch):
    monkeypatch.setattr(process, "_CANCEL_GRACE_S", 0.3)
    client, cancel = make_client(), CancelToken()
    client.load(starter)
    messages = (ChatMessage("user", "Hello"),)
    count = client.count_tokens(messages, cancel=cancel)
    os.kill(client.pid, signal.SIGSTOP)
    timer = threading.Timer(0.2, cancel.cancel)
    timer.start()
    started_s = time.monotonic()
    with pytest.raises(Cancelled):
        client.count_tokens(messages, cancel=cancel)
    assert time.monotonic() - started_s < 5
    timer.join()
    with pytest.raises(Cancelled):
        client.count_tokens(messages, cancel=cancel)
    assert client.count_tokens(messages) == count


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
def test_counting_without_end_is_given_up(make_client, starter, monkeypatch):
    monkeypatch.setattr(client_module, "_COUNT_LIMIT_S", 0.5)
    client = make_client()
    client.load(starter)
    os.kill(client.pid, signal.SIGSTOP)
    with pytest.raises(EngineError, match="took too long"):
        client.count_tokens((ChatMessage("user", "Hello"),))
    assert client.pid is None


@pytest.mark.skipif(os.name != "posix", reason="signals of Unix")
def test_closing_ends_counting_in_another_thread(make_client, starter):
    client, results = make_client(), []
    client.load(starter)
    os.kill(client.pid, signal.SIGSTOP)

    def count():
        try:
            client.count_tokens((ChatMessage("user", "Hello"),))
        except Cancelled as error:
            results.append(error)

    thread = threading.Thread(target=count)
    thread.start()
    time.sleep(0.3)
    client.close()
    thread.join(10)
    assert len(results) == 1
