# SPDX-License-Identifier: Apache-2.0
"""Text recognition: scanned pages get text with boxes, empty ones stay empty."""

from __future__ import annotations

import shutil
import threading
import time

import psutil
import pytest

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled
from molmo_desktop.documents.ocr_engines import engine_name, tesseract_path
from molmo_desktop.documents.ocr_lines import FoundWord, page_text
from molmo_desktop.documents.ocr_tesseract import _turned_back
from molmo_desktop.documents.recognised import pages_to_recognise

needs_tesseract = pytest.mark.skipif(
    tesseract_path() is None, reason="Tesseract is not on the PATH"
)


def found(text: str, x: float, y: float, line: int, confidence: float = 95) -> FoundWord:
    box = (x, y, x + 10 * len(text), y + 20)
    return FoundWord(text, box, box, confidence, line)


@needs_tesseract
def test_scanned_pages_are_read_upright_and_turned(warm_reader, files):
    document = warm_reader.read(files / "minutes.pdf")
    assert [page.origin for page in document.pages] == ["none"] * 3
    assert document.warnings == ("Pages 1 to 3 have no text.",)
    seen: list[int] = []
    numbers = pages_to_recognise(document)
    document = warm_reader.recognise(
        document, numbers, on_page=lambda page: seen.append(page.number)
    )
    assert seen == numbers == [1, 2, 3]
    assert [page.origin for page in document.pages] == ["ocr", "ocr", "none"]
    assert document.warnings == (
        "Pages 1 and 2 were read by text recognition.",
        "Page 3 has no text.",
    )
    for page in document.pages[:2]:
        assert "36 boats were\nmoored at the south quay" in page.text
        assert "Repairs cost 12,450 EUR" in page.text
        assert page.text.startswith("Minutes of the harbour meeting\n\nThe north quay")
    upright, turned = document.pages[:2]
    word = next(w for w in upright.words if upright.text[w.start : w.end] == "storm.")
    # Drawn at (110 + …, 140 + 3 * 50) pixels of 150 to the inch.
    assert (word.y0, word.y1) == pytest.approx((290 * 0.48, 320 * 0.48), abs=6)
    same = next(w for w in turned.words if turned.text[w.start : w.end] == "storm.")
    assert (same.x0, same.x1) == pytest.approx((word.y0, word.y1), abs=3)
    assert same.y1 == pytest.approx(turned.height_pt - word.x0, abs=3)


@needs_tesseract
def test_a_picture_of_text_is_read_when_asked_for(warm_reader, files):
    document = warm_reader.read(files / "minutes.png")
    assert not document.has_text
    document = warm_reader.recognise(document, [1])
    page = document.pages[0]
    assert document.is_picture
    assert page.origin == "ocr"
    assert "closed from Monday to Thursday" in page.text
    assert all(0 <= word.x0 < word.x1 <= page.width_pt for word in page.words)
    assert document.warnings == ()


@needs_tesseract
def test_a_picture_without_text_stays_without(warm_reader, files):
    document = warm_reader.recognise(warm_reader.read(files / "square.png"), [1])
    assert document.pages[0].origin == "none"


@needs_tesseract
def test_a_cancelled_recognition_leaves_no_program_behind(make_reader, files):
    reader = make_reader()
    document = reader.read(files / "minutes.pdf")
    child = psutil.Process(reader.pids[0])
    cancel = CancelToken()

    def cancel_when_it_runs() -> None:
        stop_at = time.monotonic() + 30
        while time.monotonic() < stop_at:
            started.extend(child.children())
            if started:
                break
            time.sleep(0.005)
        cancel.cancel()

    started: list[psutil.Process] = []
    watcher = threading.Thread(target=cancel_when_it_runs)
    watcher.start()
    with pytest.raises(Cancelled):
        reader.recognise(document, [1, 2, 3] * 10, cancel=cancel)
    watcher.join()
    assert started
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive


def test_without_a_program_the_document_stays_as_it_is(warm_reader, files, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_args, **_options: None)
    if engine_name() is not None:
        pytest.skip("rapidocr is installed")
    document = warm_reader.read(files / "minutes.pdf")
    assert pages_to_recognise(document) == []
    assert warm_reader.recognise(document, [1]) is document


def test_unsure_words_are_noise(files):
    assert page_text([found("x7%kq", 0, 0, 1, 40), found("zz", 80, 0, 1, 30)], 1) == ("", [])
    assert page_text([found("|", 0, 0, 1, 95)], 1) == ("", [])


def test_lines_are_joined_like_those_of_any_page():
    words = [found("The", 0, 0, 1), found("light-", 40, 0, 1), found("house", 0, 25, 2)]
    text, boxes = page_text([*words, found("shines", 60, 25, 2), found("雨", 0, 90, 3),
                             found("天", 10, 90, 3)], 2)  # fmt: skip
    assert text == "The lighthouse\nshines\n\n雨天"
    assert [text[box.start : box.end] for box in boxes][:2] == ["The", "light"]
    assert boxes[0].x1 == 15


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(90, (20, 100, 40, 200)), (180, (200, 60, 300, 80)), (270, (60, 0, 80, 100))],
)
def test_boxes_of_a_turned_page_are_turned_back(turn, expected):
    # A page of 400 x 300; "expected" is where the box stands on it.
    x0, y0, x1, y1 = expected
    width, height = 400, 300
    box = {
        90: (height - y1, x0, height - y0, x1),
        180: (width - x1, height - y1, width - x0, height - y0),
        270: (y0, width - x1, y1, width - x0),
    }[turn]
    assert _turned_back(box, turn, (width, height)) == expected
