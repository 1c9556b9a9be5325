# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from molmo_desktop.assistant.memory import ConversationMemory
from molmo_desktop.assistant.plan import ReadingPlan
from molmo_desktop.assistant.prompting import build_messages, new_turn, with_answer
from molmo_desktop.assistant.requests import Turn
from molmo_desktop.core.answer import Coverage
from molmo_desktop.core.pages import Document, Page
from molmo_desktop.retrieval.passages import Passage

TEXT = "Total due: 300.90 EUR"
DOCUMENT = Document(Path("a.pdf"), "pdf", "hash-a", (Page(1, TEXT, "text layer", 595, 842),))
PASSAGE = Passage("hash-a", 1, 0, len(TEXT), TEXT)
PLAN = ReadingPlan("whole", (DOCUMENT,), (PASSAGE,), (), (), Coverage(1, (1,), "whole"), False)


def test_the_document_is_sent_once_in_a_conversation():
    first = with_answer(new_turn("What is due?", PLAN, [], None), "300.90 EUR")
    second = new_turn("And when?", PLAN, [first], None)
    messages, _ = build_messages([first, second])
    assert sum(TEXT in message.text for message in messages) == 1
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]


def test_a_follow_up_repeats_what_was_sent_to_the_letter():
    memory = ConversationMemory()
    first = with_answer(new_turn("What is due?", PLAN, [], "Total due"), "300.90 EUR")
    memory.remember("c", [first])
    recalled = memory.recall("c", [Turn("What is due?", "300.90 EUR")])
    before, _ = build_messages([first])
    after, _ = build_messages([*recalled, new_turn("And when?", PLAN, recalled, None)])
    assert after[: len(before)] == before


def test_an_edited_turn_is_not_recalled_as_it_was():
    memory = ConversationMemory()
    memory.remember("c", [with_answer(new_turn("What is due?", PLAN, [], None), "300.90 EUR")])
    recalled = memory.recall("c", [Turn("What is the date?", "3 November")])
    assert recalled[0].text == "What is the date?"
    assert new_turn("And when?", PLAN, recalled, None).passages == (PASSAGE,)
