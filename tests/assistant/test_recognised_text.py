# SPDX-License-Identifier: Apache-2.0
"""Scanned pages and pictures of text, for models that cannot look at them."""

from __future__ import annotations

from pathlib import Path

import pytest

from molmo_desktop.assistant.attachments import AttachmentReader
from molmo_desktop.assistant.requests import AskOptions, AskRequest
from molmo_desktop.documents.ocr_engines import tesseract_path
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.retrieval.index import PassageIndex

FILES = Path(__file__).parents[1] / "data" / "documents"

pytestmark = pytest.mark.skipif(tesseract_path() is None, reason="Tesseract is not on the PATH")


def test_a_scanned_page_is_recognised_once_and_then_known():
    reader, index = DocumentReader(), PassageIndex(None)
    try:
        attachments = AttachmentReader(reader, index)
        seen: list[tuple[int, int | None]] = []
        document = attachments.read(
            FILES / "minutes.pdf", on_progress=lambda done, total: seen.append((done, total))
        )
        assert [page.origin for page in document.pages] == ["ocr", "ocr", "none"]
        assert seen[-4:] == [(0, 3), (1, 3), (2, 3), (3, 3)]
        found = index.search("How much did the repairs cost?", [document.content_hash])
        assert "12,450 EUR" in found[0].passage.text
        reader.close()  # what comes now is not read again
        assert attachments.read(FILES / "minutes.pdf").pages == document.pages
    finally:
        reader.close()
        index.close()


def test_a_model_that_cannot_see_reads_the_text_of_a_picture(assistant):
    answer = assistant.ask(
        AskRequest(
            "How much did the repairs cost?",
            (FILES / "minutes.png",),
            options=AskOptions(max_new_tokens=24, temperature=0.0),
        )
    )
    assert answer.coverage.mode in ("whole", "retrieve")
    assert "12,450" in answer.answer
    assert "minutes.png: The text in the picture was read by text recognition." in answer.notices
    assert answer.evidence
    assert answer.evidence[0].page == 1
