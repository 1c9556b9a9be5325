# SPDX-License-Identifier: Apache-2.0
"""The main job: drop a file, ask with the keyboard, see the answer and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from window_driver import (
    STARTER,
    LoopWatch,
    ask,
    choose_model,
    drag,
    drop_files,
    mime_of,
    type_and_send,
)


def test_a_dropped_invoice_is_answered_with_the_marked_passage(window, qtbot, samples):
    drop_files(qtbot, window, samples / "invoice.pdf")
    started = []
    window.answer_started.connect(lambda: started.append(True))
    answer = ask(qtbot, window, "What is the total due?")
    assert started
    assert "300.90" in answer["answer"]
    assert answer["model"]["name"] == STARTER
    assert "300.90" in window.column.transcript.plain_text()
    assert "What is the total due?" in window.column.transcript.plain_text()
    json.dumps(answer)

    card = window.panel.evidence.cards[0]
    assert "300.90" in card.evidence.text
    window.panel.viewer.clear()
    qtbot.keyClick(card, Qt.Key.Key_Return)
    canvas = window.panel.viewer.canvas
    qtbot.waitUntil(lambda: canvas.image is not None and bool(canvas.boxes), timeout=10_000)
    assert canvas.boxes == card.evidence.boxes
    qtbot.wait(50)
    shown = canvas.grab(canvas.box_area(canvas.boxes[0]).toRect()).toImage()
    colours = [
        shown.pixelColor(x, y).name().upper()
        for x in range(shown.width())
        for y in range(shown.height())
    ]
    assert colours.count("#FFE58A") > 0.1 * len(colours)


def test_the_line_under_an_answer_says_what_it_cost_and_what_was_read(window, qtbot, samples):
    drop_files(qtbot, window, samples / "meeting-notes.md")
    answer = ask(qtbot, window, "When is the spring market?")
    words = window.column.transcript.last_answer.quiet_line.text()
    assert "tok/s" in words
    assert answer["energy"]["kind"] in words
    assert "read 1 of 1 page" in words
    qtbot.waitUntil(lambda: window.panel.live.memory_figure.text() != "–", timeout=5_000)
    assert "tok/s" in window.panel.live.speed_figure.text()
    assert {part.name for part in window.panel.live.memory_gauge.parts} >= {"weights", "others"}
    assert "135 M parameters" in window.panel.live.model_size.text()
    assert window.panel.live.power_badge.text() in ("measured", "estimated", "not available")
    assert not window.panel.viewer.text.isHidden()
    assert window.panel.viewer.text.extraSelections(), "the passage is marked in the text"


def test_dropped_pictures_are_answered_by_a_model_that_sees(tiny_model, window, qtbot, tiny_vlm):
    choose_model(qtbot, window, tiny_model)
    questions = [
        entry
        for entry in map(json.loads, (tiny_vlm / "questions.jsonl").read_text("utf-8").splitlines())
        if entry["task"] == "colour" and entry["right"]
    ][:2]
    for entry in questions:
        window.new_conversation()
        drop_files(qtbot, window, tiny_vlm / entry["image"])
        answer = ask(qtbot, window, entry["question"])
        assert answer["answer"] == entry["greedy_answer"]
        assert "looked at 1 picture" in window.column.transcript.last_answer.quiet_line.text()
    assert window.panel.viewer.canvas.image is not None


def test_points_of_an_answer_are_drawn_over_the_picture(tiny_model, window, qtbot, tiny_vlm):
    choose_model(qtbot, window, tiny_model)
    entry = next(
        entry
        for entry in map(json.loads, (tiny_vlm / "questions.jsonl").read_text("utf-8").splitlines())
        if entry["task"] == "point"
    )
    drop_files(qtbot, window, tiny_vlm / entry["image"])
    answer = ask(qtbot, window, entry["question"])
    canvas = window.panel.viewer.canvas
    qtbot.waitUntil(lambda: bool(canvas.points), timeout=10_000)
    assert len(canvas.points) == len(answer["points"]) > 0
    assert "<point" not in window.column.transcript.plain_text()
    place = canvas.point_place(canvas.points[0]).toPoint()
    assert canvas.grab().toImage().pixelColor(place).name().upper() == "#B3245C"
    assert canvas.point_at(canvas.point_place(canvas.points[0])) == canvas.points[0]


def test_what_the_document_does_not_say_is_a_note_and_not_an_error(window, qtbot, samples):
    drop_files(qtbot, window, samples / "lease.pdf")
    answer = ask(qtbot, window, "What is the capital of Mongolia?")
    assert answer["found"] is False
    view = window.column.transcript.last_answer
    assert view._note.property("role") == "note"
    assert window.column.message_bar.isHidden()


def test_a_second_question_waits_in_the_field_and_the_window_never_stalls(window, qtbot, samples):
    drop_files(qtbot, window, samples / "lease.pdf")
    watch = LoopWatch()
    with qtbot.waitSignal(window.answer_finished, timeout=90_000):
        type_and_send(qtbot, window, "How much is the deposit?")
        assert window.column.composer.text == ""
        type_and_send(qtbot, window, "And the rent?")
        assert window.column.composer.text == "And the rent?"
        assert not window.column.composer.ask_button.isEnabled()
    assert watch.stop() < 0.35  # seconds, on two cores that the engine keeps busy
    assert window.column.composer.ask_button.isEnabled()
    assert window.column.transcript.plain_text().count("You:") == 1


def test_the_overlay_says_what_a_drop_would_do(window, samples, tmp_path):
    event = drag(
        window,
        mime_of(
            samples / "invoice.pdf", samples / "lease.pdf", samples / "red-circle.png", tmp_path
        ),
    )
    assert event.isAccepted()
    overlay = window.drops.overlay
    assert overlay.isVisible()
    assert overlay.size() == window.size()
    assert overlay.sentence == "Add 3 files: 2 PDF, 1 picture"
    assert "a folder" in overlay.refusals
    window.drops.leave()
    assert overlay.isHidden()


@pytest.mark.parametrize("what", ["picture", "file", "text"])
def test_paste_takes_pictures_files_and_text(window, qtbot, samples, what):
    clipboard = QApplication.clipboard()
    edit = window.column.composer.edit
    if what == "picture":
        clipboard.setImage(window.grab().toImage())
    elif what == "file":
        clipboard.setMimeData(mime_of(samples / "invoice.pdf"))
    else:
        clipboard.setText("What is it?")
    edit.setFocus()
    edit.paste()
    if what == "text":
        assert window.column.composer.text == "What is it?"
        return
    attachments = window.backstage.session.attachments
    qtbot.waitUntil(lambda: [item.state for item in attachments] == ["ready"], timeout=10_000)
    path: Path = attachments[0].path
    assert path.suffix == (".png" if what == "picture" else ".pdf")
    if what == "picture":
        assert window.backstage.assistant.paths.data in path.parents


def test_an_example_is_attached_and_asked_with_one_press(window, qtbot):
    examples = window.column.empty_state.example_buttons
    assert len(examples) == 3
    with qtbot.waitSignal(window.answer_finished, timeout=90_000) as finished:
        examples[0].click()
    assert "300.90" in finished.args[0]["answer"]
    assert window.column.empty_state.isHidden()
