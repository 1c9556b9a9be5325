# SPDX-License-Identifier: Apache-2.0
"""After a restart the next question goes on from what the model had read, unless it must not."""

import threading

import pytest

from molmo_desktop.assistant.build import build_assistant
from molmo_desktop.assistant.memory import ConversationMemory
from molmo_desktop.assistant.prompting import SentTurn
from molmo_desktop.assistant.reading_speed import ReadingSpeed
from molmo_desktop.assistant.requests import AskOptions, AskRequest, TextEvent, Turn
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.settings import Settings
from molmo_desktop.retrieval.passages import Passage

QUESTION = "How was the bridge built?"
KEY = "7"


@pytest.fixture
def text(tmp_path):
    """A document of about 300 tokens, which takes long enough to read to be worth keeping."""
    path = tmp_path / "bridge.txt"
    path.write_text("The bridge was built of stone and wood in nine years. " * 28)
    return path


@pytest.fixture
def ask():
    """Asks an assistant of its own, as after a restart of the program."""

    def run(path, question, *history, settings=None, **more):
        assistant = build_assistant(settings=settings or Settings(max_new_tokens=8))
        try:
            options = AskOptions(mode="whole", **more.pop("options", {}))
            turns = tuple(Turn(*pair) for pair in history)
            request = AskRequest(question, (path,), turns, options, **more)
            return assistant.ask(request)
        finally:
            assistant.close()

    return run


def test_a_follow_up_after_a_restart_reads_only_what_is_new(ask, text):
    first = ask(text, QUESTION, conversation_key=KEY)
    follow_up = ask(text, "And in how many years?", (QUESTION, first.answer), conversation_key=KEY)
    assert first.tokens.cached == 0
    assert follow_up.tokens.cached >= first.tokens.prompt - 1


def test_the_same_document_in_a_new_conversation_is_not_read_again(ask, text):
    first = ask(text, QUESTION)
    again = ask(text, "In how many years was it built?")
    assert again.tokens.cached > first.tokens.prompt * 0.8


def test_cold_uses_nothing_stored(ask, text):
    ask(text, QUESTION)
    assert ask(text, QUESTION, options={"cold": True}).tokens.cached == 0


def test_nothing_is_kept_of_a_private_conversation(ask, text, home):
    first = ask(text, QUESTION, conversation_key=KEY, is_private=True)
    assert not [path for path in (home / "cache" / "states").rglob("*") if path.is_file()]
    follow_up = ask(text, "And when?", (QUESTION, first.answer), conversation_key=KEY)
    assert follow_up.tokens.cached == 0


def test_nothing_is_kept_when_the_settings_say_so(ask, text, home):
    settings = Settings(max_new_tokens=8, stored_state_limit_mb=0)
    ask(text, QUESTION, conversation_key=KEY, settings=settings)
    assert not [path for path in (home / "cache" / "states").rglob("*") if path.is_file()]


def test_a_conversation_leaves_nothing_behind(ask, text, home):
    ask(text, QUESTION, conversation_key=KEY)
    folder = home / "cache" / "states"
    assert [path for path in folder.rglob("*") if path.is_file()]
    assistant = build_assistant()
    assistant.forget_conversation(KEY)
    assistant.close()
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_a_conversation_that_is_being_answered_leaves_nothing_behind(text, home):
    assistant = build_assistant(settings=Settings(max_new_tokens=200))
    request = AskRequest(QUESTION, (text,), (), AskOptions(mode="whole"), conversation_key=KEY)
    forgetting = threading.Thread(target=assistant.forget_conversation, args=(KEY,))
    cancel = CancelToken()

    def forget(event):
        if isinstance(event, TextEvent) and not forgetting.ident:
            forgetting.start()
            forgetting.join(0.2)
            cancel.cancel()

    try:
        assistant.ask(request, on_event=forget, cancel=cancel)
        forgetting.join()
    finally:
        assistant.close()
    assert not [path for path in (home / "cache" / "states").rglob("*") if path.is_file()]


def test_turns_are_recalled_from_the_disk_to_the_letter(tmp_path):
    turn = SentTurn("Why?", "Document:\nBecause ä\n\nWhy?", "So", (Passage("h", 2, 0, 9, "x"),))
    ConversationMemory(tmp_path).remember(KEY, [turn])
    again = ConversationMemory(tmp_path)
    assert again.recall(KEY, [Turn("Why?", "So")]) == [turn]
    assert again.recall("8", [Turn("Why?", "So")]) == [SentTurn("Why?", "Why?", "So")]
    (file,) = tmp_path.iterdir()
    file.write_text('{"version": 1, "turns": [{}]}')
    damaged = ConversationMemory(tmp_path).recall(KEY, [Turn("Why?", "So")])
    assert damaged == [SentTurn("Why?", "Why?", "So")]


def test_turns_that_did_not_fit_any_more_do_not_spoil_the_others():
    """Else every further question would be a prompt that the model has not read."""
    sent = [SentTurn(f"{number}?", f"Document\n\n{number}?", "So") for number in range(4)]
    history = [Turn(turn.question, turn.answer) for turn in sent]
    memory = ConversationMemory()
    memory.remember(KEY, sent[2:])
    assert memory.recall(KEY, history) == sent[2:]
    edited = [*history[:3], Turn("3?", "Otherwise")]
    assert [turn.text for turn in memory.recall(KEY, edited)] == ["0?", "1?", "2?", "3?"]


def test_the_reading_speed_outlives_the_program(tmp_path):
    speed = ReadingSpeed(tmp_path / "speed.json")
    assert speed.tokens_per_s("model") < 300
    speed.learn("model", 1000, 1.0)
    assert ReadingSpeed(tmp_path / "speed.json").tokens_per_s("model") == 1000
    (tmp_path / "speed.json").write_text('{"tokens_per_s": {"model": -1}}')
    assert ReadingSpeed(tmp_path / "speed.json").tokens_per_s("model") < 300
