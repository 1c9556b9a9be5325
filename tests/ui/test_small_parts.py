# SPDX-License-Identifier: Apache-2.0
"""The parts of the window, one by one."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QThread
from PySide6.QtGui import QTextDocument

from molmo_desktop.app import files_of, install_last_resorts
from molmo_desktop.assistant.requests import StageEvent
from molmo_desktop.core.answer import Evidence, ModelInfo
from molmo_desktop.core.errors import Cancelled, DocumentUnreadableError
from molmo_desktop.meters.reading import LiveReading
from molmo_desktop.services.answer_words import (
    bytes_in_words,
    end_in_words,
    evidence_of,
    parameters_in_words,
    quiet_line,
)
from molmo_desktop.services.jobs import Jobs
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.ui.answer_text import AnswerText
from molmo_desktop.ui.composer import Composer
from molmo_desktop.ui.dropped import file_dialog_filter, sort_out, what_will_happen
from molmo_desktop.ui.evidence_list import bold_matches, matched_words
from molmo_desktop.ui.live_panel import LivePanel, memory_parts
from molmo_desktop.ui.page_headings import dress_headings, without_mark
from molmo_desktop.ui.page_viewer import _place_in, _utf16
from molmo_desktop.ui.power_gauge import PowerGauge, PowerSample


@pytest.fixture
def jobs(qapp):
    made = Jobs()
    yield made
    made.close()


def test_results_errors_and_progress_of_jobs_arrive_in_the_window_thread(jobs, qtbot):
    seen = []

    def work(job):
        seen.append(("ran in", QThread.currentThread() is not main))
        job.report(1, 2)
        return "result"

    def fail(_job):
        raise DocumentUnreadableError("It is broken.")

    main = QThread.currentThread()
    jobs.run(
        work,
        on_done=lambda value: seen.append((value, QThread.currentThread() is main)),
        on_progress=lambda *values: seen.append((values, QThread.currentThread() is main)),
    )
    jobs.run(fail, on_failed=lambda error: seen.append((error.message, True)))
    qtbot.waitUntil(lambda: len(seen) == 4, timeout=5_000)
    assert ("ran in", True) in seen
    assert ("result", True) in seen
    assert ((1, 2), True) in seen
    assert ("It is broken.", True) in seen


@pytest.mark.expects_warnings
def test_an_unforeseen_error_of_a_job_becomes_a_sentence(jobs, qtbot):
    errors = []
    jobs.run(lambda _job: 1 / 0, on_failed=errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=5_000)
    assert errors[0].message == "Something went wrong inside the program."
    assert "ZeroDivisionError" in errors[0].detail


def test_a_cancelled_job_ends_as_cancelled(jobs, qtbot):
    errors, started = [], threading.Event()

    def work(job):
        started.set()
        while True:
            job.cancel_token.raise_if_cancelled()

    job = jobs.run(work, on_failed=errors.append)
    assert started.wait(5)
    job.cancel()
    qtbot.waitUntil(lambda: bool(errors), timeout=5_000)
    assert isinstance(errors[0], Cancelled)


def test_answers_are_markdown_without_html_and_load_nothing(qtbot, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"not looked at")
    text = AnswerText("Answer")
    qtbot.addWidget(text)
    text.resize(500, 10)
    text.show_markdown(
        f"**bold** <b>tag</b>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n\n"
        f"![picture]({secret.as_uri()})"
    )
    assert "<b>tag</b>" in text.toPlainText()
    assert "bold" in text.toPlainText()
    assert "**" not in text.toPlainText()
    assert text.loadResource(2, secret.as_uri()) is None
    assert text.height() > 80


def test_streamed_text_is_shown_in_the_end_however_small_its_pieces(qtbot):
    text = AnswerText("Answer")
    qtbot.addWidget(text)
    for number in range(300):
        text.append_markdown(f"word{number} ")
    qtbot.waitUntil(lambda: "word299" in text.toPlainText(), timeout=5_000)


def test_matched_words_are_bold_and_the_rest_of_a_passage_is_only_text():
    matched = matched_words("What is the total due? It is 300.90 EUR")
    assert "the" not in matched
    words = bold_matches("Total <i>due</i>: 300.90", matched)
    assert words == "<b>Total</b> &lt;i&gt;<b>due</b>&lt;/i&gt;: <b>300.90</b>"


def test_a_passage_is_found_in_text_that_holds_wide_characters():
    text = "😀 first. The answer is here."
    evidence = Evidence("a.txt", 1, "The answer is here.", (), 1.0, True, 0, 0)
    start, end = _place_in(text, evidence)
    assert text[start:end] == evidence.text
    assert _utf16(text, start) == start + 1


def test_headings_look_like_headings_and_every_place_stays(qapp):
    text = "# Handbook\n#tag\nRooms"
    shown = QTextDocument(text)
    dress_headings(shown, "docx")
    assert shown.toPlainText() == text
    first, second = shown.begin(), shown.begin().next()
    assert [piece.format.fontWeight() for piece in first.textFormats()] == [600, 600]
    assert len(second.textFormats()) == 1
    plain = QTextDocument("# a comment")
    dress_headings(plain, "text")
    assert len(plain.begin().textFormats()) == 1
    assert without_mark("## Rooms and prices") == "Rooms and prices"
    assert without_mark("#1 of all") == "#1 of all"


def test_sizes_and_costs_are_said_in_words():
    assert bytes_in_words(98_362_432) == "98 MB"
    assert bytes_in_words(1_900_000_000) == "1.9 GB"
    assert bytes_in_words(None) == "not available"
    assert parameters_in_words(134_515_008) == "135 M parameters"
    assert parameters_in_words(2_100_000_000) == "2.1 B parameters"
    assert parameters_in_words(None) == ""
    answer = {
        "timings": {"prefill_s": 0.4, "decode_s": 0.5, "decode_tokens_per_s": 41.2},
        "energy": {"energy_j": 12.1, "kind": "estimated"},
        "coverage": {"pages_total": 40, "pages_read": list(range(12)), "mode": "retrieve"},
    }
    words = "0.9 s · 41 tok/s · 12 J estimated · read passages on 12 of 40 pages"
    assert quiet_line(answer) == words
    answer["timings"]["total_s"] = 2.04
    answer["coverage"]["mode"] = "whole"
    assert quiet_line(answer) == "2.0 s · 41 tok/s · 12 J estimated · read 12 of 40 pages"
    answer["coverage"] = {"pages_total": 1, "pages_read": [1], "mode": "retrieve"}
    assert quiet_line(answer).endswith("read the best passages")
    assert "energy not available" in quiet_line({"energy": {"energy_j": None}})
    assert end_in_words("finished", {"finish_reason": "stop"}) == ""
    assert "Cut off" in end_in_words("finished", {"finish_reason": "length"})
    assert evidence_of({"evidence": None}) == []


def test_what_is_dropped_is_named(tmp_path):
    document = tmp_path / "a.docx"
    document.write_text("x")
    found = sort_out([document, tmp_path, tmp_path / "no.pdf"])
    assert found.accepted == (document,)
    assert [item.reason for item in found.refused] == ["a folder", "not there any more"]
    assert what_will_happen([document]) == "Add a.docx"
    assert what_will_happen([document, document]) == "Add 2 files: 2 Word documents"
    assert what_will_happen([]) == "Nothing here can be added"
    assert "*.pdf" in file_dialog_filter()


def test_stages_are_named_and_nothing_jumps(qtbot):
    composer = Composer()
    qtbot.addWidget(composer)
    composer.resize(500, composer.sizeHint().height())
    composer.show()
    before = composer.sizeHint()
    composer.set_busy(True)
    composer.show_stage(StageEvent("reading", 3, 12, "report.pdf"))
    assert composer.stage.full_text == "Reading page 3 of 12 of report.pdf…"
    assert composer.progress.value() == 3
    assert composer.sizeHint() == before
    composer.set_busy(False)
    assert composer.sizeHint() == before


def reading(**changes) -> LiveReading:
    values = {
        "time_s": 1.0,
        "engine_rss_bytes": 400,
        "engine_mapped_bytes": 120,
        "window_rss_bytes": 50,
        "system_total_bytes": 1000,
        "system_available_bytes": 400,
        "power_w": 14.2,
        "power_kind": "estimated",
        "power_source": "cpu time model",
        "power_scope": "whole machine",
        "cpu_percent": 50.0,
        "battery_percent": None,
        "is_on_battery": None,
    }
    return LiveReading(**{**values, **changes})


def test_memory_is_split_without_counting_anything_twice():
    parts = memory_parts(reading(), None)
    assert sum(part.size_bytes for part in parts) == 600
    assert {part.name: part.size_bytes for part in parts}["others"] == 150


def test_memory_of_the_window_that_is_unknown_is_left_out():
    names = {
        part.name: part.size_bytes for part in memory_parts(reading(window_rss_bytes=None), None)
    }
    assert "window" not in names
    assert sum(names.values()) == 600


def test_an_unknown_figure_is_never_shown_as_zero(qtbot):
    panel = LivePanel()
    qtbot.addWidget(panel)
    panel.show_reading(reading(), None)
    assert panel.power_figure.text() == "14 W"
    assert panel.power_badge.text() == "estimated"
    panel.show_reading(reading(engine_rss_bytes=None, engine_mapped_bytes=None, power_w=None), None)
    assert panel.power_figure.text() == "–"
    assert panel.power_badge.text() == "not available"
    assert panel.memory_figure.text() == "–"
    assert "The engine is not running" in panel.memory_figure.accessibleName()
    assert "peak" not in panel.memory_words.full_text
    panel.set_collapsed(True)
    assert "14 W" not in panel.summary.full_text


def test_the_power_line_keeps_two_minutes(qtbot):
    gauge = PowerGauge()
    qtbot.addWidget(gauge)
    for second in range(200):
        gauge.add(PowerSample(float(second), 10.0 if second % 7 else None, second > 150))
    assert gauge.samples[0].time_s == 79.0
    gauge.resize(200, 44)
    assert not gauge.grab().isNull()


@pytest.mark.expects_warnings
def test_an_error_that_nobody_foresaw_is_told_and_the_program_goes_on(qtbot, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr("molmo_desktop.app.qInstallMessageHandler", lambda handler: None)
    notifier, messages = Notifier(), []
    notifier.message_given.connect(messages.append)
    install_last_resorts(notifier)
    try:
        raise RuntimeError("a surprise")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "safe" in messages[0].text
    assert "a surprise" in messages[0].detail

    def fail():
        raise RuntimeError("another one")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(messages) == 2, timeout=2_000)


def test_files_of_a_command_line(samples):
    invoice = str(samples / "invoice.pdf")
    assert files_of(["molmo-desktop", invoice]) == [Path(invoice)]
    assert files_of([invoice]) == [Path(invoice)]
    assert files_of(["molmo-desktop"]) == []
    assert files_of([]) == []


def test_the_peak_of_another_model_is_not_shown_for_this_one(qtbot):
    panel = LivePanel()
    qtbot.addWidget(panel)
    first = ModelInfo("one", "/one.gguf", 1000, "Q4_1", 512, size_bytes=10)
    panel.show_model(first)
    panel.show_reading(reading(engine_rss_bytes=400), None)
    assert "peak 400 B" in panel.memory_words.full_text
    panel.show_model(replace(first, name="two"))
    panel.show_reading(reading(engine_rss_bytes=100), None)
    assert "peak 100 B" in panel.memory_words.full_text
    assert "from processor time" in panel.power_words.full_text
