# SPDX-License-Identifier: Apache-2.0
"""The main job on real files with real models: the starter model and the tiny one that sees."""

import json
from pathlib import Path

import pytest

from molmo_desktop.assistant.requests import (
    AskOptions,
    AskRequest,
    CoverageEvent,
    StageEvent,
    TextEvent,
    Turn,
)
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled, DocumentError, UnsupportedFormatError, UsageError


def test_the_total_of_an_invoice_is_answered_with_page_and_boxes(assistant, samples):
    path = samples / "invoice.pdf"
    events = []
    answer = assistant.ask(AskRequest("What is the total due?", (path,)), on_event=events.append)
    assert "300.90" in answer.answer
    assert answer.found
    best = answer.evidence[0]
    assert best.cited
    assert (best.file, best.page) == (str(path), 1)
    assert "300.90" in best.text
    assert len(best.boxes) == 1
    x0, y0, x1, y1 = best.boxes[0]
    assert 0 < x0 < x1 < 596
    assert 0 < y0 < y1 < 843
    assert answer.coverage.mode == "whole"
    assert answer.coverage.sentence() == "read 1 of 1 page"
    assert "".join(e.text for e in events if isinstance(e, TextEvent)) == answer.answer
    assert any(isinstance(e, CoverageEvent) for e in events)
    assert "reading" in [e.stage for e in events if isinstance(e, StageEvent)]
    assert answer.timings.first_token_s > 0
    assert answer.memory.weights_bytes > 50_000_000
    assert answer.model.quantization == "Q4_1"
    assert answer.energy.kind in ("measured", "estimated")
    json.dumps(answer.to_dict())


@pytest.mark.parametrize(
    ("file", "question", "expected", "page"),
    [
        ("lease.pdf", "How much is the deposit?", "1,410", 2),
        ("lease.pdf", "What is the monthly rent?", "940", 2),
        ("lease.pdf", "When does the lease end?", "28 February 2028", 1),
        ("meeting-notes.md", "When is the spring market?", "24 April 2027", 1),
        ("invoice.pdf", "What is the invoice number?", "2026-0417", 1),
    ],
)
def test_questions_about_the_samples_name_the_right_page(
    assistant, samples, file, question, expected, page
):
    answer = assistant.ask(AskRequest(question, (samples / file,)))
    assert expected in answer.answer
    assert answer.evidence[0].page == page
    assert answer.evidence[0].cited


def test_what_the_document_does_not_say_is_not_invented(assistant, samples):
    answer = assistant.ask(
        AskRequest("Which football team won the championship?", (samples / "lease.pdf",))
    )
    assert not answer.found
    assert "does not seem to say" in answer.answer
    assert not any(item.cited for item in answer.evidence)
    assert answer.tokens.completion == 0


def test_a_follow_up_evaluates_only_what_is_new(assistant, samples):
    first = AskRequest("How much is the deposit?", (samples / "lease.pdf",), conversation_key="c")
    one = assistant.ask(first)
    two = assistant.ask(
        AskRequest(
            "What is the monthly rent?",
            first.files,
            history=(Turn(first.question, one.answer),),
            conversation_key="c",
        )
    )
    assert "940" in two.answer
    assert two.tokens.cached >= one.tokens.prompt
    assert two.tokens.prompt - two.tokens.cached < 200


def test_several_files_are_told_apart(assistant, samples):
    files = (samples / "invoice.pdf", samples / "lease.pdf")
    answer = assistant.ask(AskRequest("How much is the deposit?", files))
    assert "1,410" in answer.answer
    assert answer.evidence[0].file == str(files[1])
    assert answer.coverage.pages_total == 5


def test_passages_are_read_where_the_whole_would_take_too_long(assistant, tmp_path):
    lines = [f"Chapter {n}. The lamp number {n} burns {n * 7} hours." for n in range(1, 3000)]
    path = tmp_path / "lamps.txt"
    path.write_text("\n\n".join(lines))
    answer = assistant.ask(AskRequest("How many hours does the lamp number 1234 burn?", (path,)))
    assert answer.coverage.mode == "retrieve"
    assert "8638" in answer.evidence[0].text


def test_only_the_chosen_pages_are_read(assistant, samples):
    options = AskOptions(pages=(3,))
    answer = assistant.ask(
        AskRequest("Who is the plumber?", (samples / "lease.pdf",), options=options)
    )
    assert answer.coverage.pages_read == (3,)
    with pytest.raises(UsageError):
        assistant.ask(AskRequest("Who?", (samples / "lease.pdf",), options=AskOptions(pages=(99,))))


def test_a_picture_needs_a_model_that_sees(assistant, samples):
    with pytest.raises(UnsupportedFormatError) as caught:
        assistant.ask(AskRequest("What colour is the shape?", (samples / "red-circle.png",)))
    assert "cannot look at pictures" in caught.value.message
    assert caught.value.hint


def test_a_stop_while_writing_keeps_what_was_written(assistant):
    cancel = CancelToken()

    def stop_after_some_text(event):
        if isinstance(event, TextEvent):
            cancel.cancel()

    answer = assistant.ask(
        AskRequest("Write a long story about a lighthouse."),
        on_event=stop_after_some_text,
        cancel=cancel,
    )
    assert answer.finish_reason == "cancelled"
    assert answer.answer
    assert answer.tokens.completion < 200


def test_a_stop_before_anything_was_written_is_no_answer(assistant, samples):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        assistant.ask(AskRequest("What?", (samples / "invoice.pdf",)), cancel=cancel)


def test_a_missing_file_is_told_and_the_next_question_is_answered(assistant, samples):
    with pytest.raises(DocumentError) as caught:
        assistant.ask(AskRequest("What?", (samples / "nothing.pdf",)))
    assert "no file" in caught.value.message
    answer = assistant.ask(AskRequest("What is the total due?", (samples / "invoice.pdf",)))
    assert "300.90" in answer.answer


def ask_tiny(assistant, tiny_vlm: Path, question: str, *names: str, **options) -> str:
    answer = assistant.ask(
        AskRequest(
            question,
            tuple(tiny_vlm / name for name in names),
            options=AskOptions(model=str(tiny_vlm / "model.gguf"), **options),
        )
    )
    return answer.answer.strip()


def test_the_tiny_model_answers_about_pictures_as_often_as_it_can(assistant, tiny_vlm):
    lines = (tiny_vlm / "questions.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    chosen = [e for e in entries if e["task"] in ("colour", "shape", "colour_of", "shape_of")]
    assert len(chosen) >= 20
    right = sum(
        ask_tiny(assistant, tiny_vlm, e["question"], *e["images"]) == e["answer"] for e in chosen
    )
    assert right / len(chosen) >= 0.95


def test_points_of_a_picture_are_returned_with_the_answer(assistant, tiny_vlm):
    entries = [json.loads(x) for x in (tiny_vlm / "questions.jsonl").read_text().splitlines()]
    entry = next(e for e in entries if e["task"] == "point")
    answer = assistant.ask(
        AskRequest(
            entry["question"],
            (tiny_vlm / entry["image"],),
            options=AskOptions(model=str(tiny_vlm / "model.gguf")),
        )
    )
    assert answer.points
    assert answer.points[0].label
    assert 0 <= answer.points[0].x_percent <= 100
    assert answer.points[0].file == str(tiny_vlm / entry["image"])
    assert answer.coverage.mode == "picture"


def test_a_conversation_goes_on_when_its_picture_is_gone(assistant, tiny_vlm, tmp_path):
    picture = tmp_path / "shape.png"
    picture.write_bytes((tiny_vlm / "images" / "colour_1.png").read_bytes())
    options = AskOptions(model=str(tiny_vlm / "model.gguf"))
    first = AskRequest(
        "What colour is the shape?", (picture,), options=options, conversation_key="c"
    )
    one = assistant.ask(first)
    assert one.answer == "red"
    history = (Turn(first.question, one.answer),)
    two = assistant.ask(
        AskRequest("What shape is it?", history=history, options=options, conversation_key="c")
    )
    assert two.tokens.image > 0
    assert two.timings.encode_s == 0
    blind = assistant.ask(AskRequest("Say hello.", history=history, conversation_key="c"))
    assert blind.model.has_vision is False
    assert "cannot look at shape.png" in blind.notices[0]


def test_the_same_bytes_under_another_extension_are_read_for_what_they_are(assistant, tmp_path):
    for name in ("table.csv", "table.md"):
        (tmp_path / name).write_text("# a,b\n1,2\n")
    assert assistant.read(tmp_path / "table.csv").format == "csv"
    assert assistant.read(tmp_path / "table.md").format == "markdown"


def test_each_of_several_files_gets_its_share_of_what_is_read(assistant, samples):
    files = (samples / "lease.pdf", samples / "invoice.pdf")
    answer = assistant.ask(AskRequest("How much is the deposit and what is the total due?", files))
    assert all(item.pages_read for item in answer.coverage.files)


def test_a_picture_beside_a_document_does_not_stop_the_question(assistant, samples):
    files = (samples / "red-circle.png", samples / "invoice.pdf")
    answer = assistant.ask(AskRequest("What is the total due?", files))
    assert "300.90" in answer.answer
    assert any("red-circle.png was left out" in notice for notice in answer.notices)


def test_an_answer_that_was_cut_off_says_so(assistant, samples):
    answer = assistant.ask(
        AskRequest(
            "How much is the deposit?",
            (samples / "lease.pdf",),
            options=AskOptions(max_new_tokens=3),
        )
    )
    assert answer.finish_reason == "length"
    assert any("cut off" in notice for notice in answer.notices)
