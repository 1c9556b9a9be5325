# SPDX-License-Identifier: Apache-2.0
"""PDF: text in reading order, boxes on the ink, pages as they are shown."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from mini_pdf import MiniPage, write_pdf

from molmo_desktop.core.errors import (
    DocumentUnreadableError,
    PasswordRequiredError,
    UsageError,
)
from molmo_desktop.core.pages import Page, PageImage
from molmo_desktop.documents import pdf

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"


def ink(image: PageImage) -> np.ndarray:
    """Return which pixels are dark, shape (height, width)."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height_px, image.width_px, 3)
    return pixels.max(axis=2) < 128


def words_of(page: Page) -> list[str]:
    return [page.text[word.start : word.end] for word in page.words]


def test_text_labels_and_sizes_are_read(read_here, files):
    document = read_here(files / "orchard.pdf")
    assert [page.label for page in document.pages] == ["i", "ii", "1"]
    assert document.pages[0].text == (
        "Orchard report\n\nThe orchard holds 412 apple trees.\nHalf of them were planted in 1987."
        "\n\nHarvest\n\nThe harvest was 9.5 tonnes."
    )
    assert document.pages[1].text == "Second page: the barn was painted green."
    assert {page.origin for page in document.pages} == {"text layer"}
    assert (document.pages[0].width_pt, document.pages[0].height_pt) == (595, 842)
    assert document.warnings == ()


@pytest.mark.parametrize(
    "name", ["orchard", "turned", "cropped", "sideways", "fonts", "columns", "invoice", "lease"]
)
def test_every_word_lies_on_ink_and_all_ink_lies_in_words(read_here, files, name):
    folder = files if (files / f"{name}.pdf").exists() else SAMPLES
    document = read_here(folder / f"{name}.pdf")
    for page in document.pages:
        image = pdf.render(folder / f"{name}.pdf", page.number, max_px=1684)
        dark = ink(image)
        for word in page.words:
            assert page.text[word.start : word.end].strip() == page.text[word.start : word.end]
            x0, y0, x1, y1 = (round(value * image.scale) for value in word[2:])
            assert 0 <= x0 < x1 <= image.width_px + 2
            assert 0 <= y0 < y1 <= image.height_px + 2
            assert dark[y0:y1, x0:x1].any(), f"nothing at {page.text[word.start : word.end]}"
            dark[max(0, y0 - 2) : y1 + 2, max(0, x0 - 2) : x1 + 2] = False
        drawn_lines = 0.02 if name in ("invoice", "lease") else 0.0005
        assert dark.mean() < drawn_lines, f"page {page.number} has ink outside its words"


def test_a_word_s_box_is_about_as_high_as_its_letters(read_here, files):
    page = read_here(files / "orchard.pdf").pages[0]
    for word in page.words:
        size = 24 if word.y0 < 100 else 16 if 230 < word.y0 < 250 else 12
        assert size * 0.8 <= word.y1 - word.y0 <= size * 1.6


@pytest.mark.parametrize("page_number", [1, 2])
def test_columns_are_read_one_after_the_other(read_here, files, page_number):
    text = read_here(files / "columns.pdf").pages[page_number - 1].text
    lines = [line for line in text.splitlines() if line]
    assert lines[0] == "Two columns"
    assert lines[1:13] == [f"Left column line {n}, where the river" for n in range(1, 13)]
    assert lines[13:] == [f"Right column line {n}, where the hill" for n in range(1, 13)]


def test_rows_of_a_table_stay_together_with_tabs_between_columns(read_here):
    text = read_here(SAMPLES / "invoice.pdf").pages[0].text
    assert "Oak shelf, 120 cm\t2\t85.00 EUR\t170.00 EUR\n" in text
    assert "Total due: 300.90 EUR" in text


def test_content_drawn_from_the_bottom_to_the_top_is_put_in_order(read_here, tmp_path):
    page = MiniPage()
    for row in reversed(range(12)):
        page.text(72, 760 - row * 40, f"Sentence number {row} of the page.")
    text = read_here(write_pdf(tmp_path / "up.pdf", [page])).pages[0].text
    numbers = [int(word) for word in text.split() if word.isdigit()]
    assert numbers == list(range(12))


def test_a_word_broken_at_the_end_of_a_line_is_joined(read_here, tmp_path):
    page = MiniPage().lines(72, 700, ["The new edition was pub-", "lished in spring by a self-",
                                      "Taught printer."])  # fmt: skip
    document = read_here(write_pdf(tmp_path / "hyphen.pdf", [page]))
    page_read = document.pages[0]
    assert "was published\nin spring" in page_read.text
    assert "self-Taught\nprinter" in page_read.text
    parts = [word for word in page_read.words if page_read.text[word.start : word.end] in
             ("pub", "lished")]  # fmt: skip
    assert parts[0].end == parts[1].start
    assert parts[0].y1 < parts[1].y1


def test_ligatures_scripts_and_accents_are_letters(read_here, files):
    text = read_here(files / "fonts.pdf").pages[0].text
    for line in ("Efficient office waffles", "Größe über Maß: 3 €", "Москва стоит на реке",
                 "Η Αθήνα είναι μεγάλη", "القاهرة مدينة كبيرة", "naïve café façade"):  # fmt: skip
        assert line in text


def test_turned_pages_are_read_upright(read_here, files):
    for page in read_here(files / "turned.pdf").pages:
        turn = (page.number - 1) % 4
        assert (page.width_pt, page.height_pt) == ((595, 842), (842, 595))[turn % 2]
        assert words_of(page) == ["Turned", "page", "corner"]


def test_text_outside_the_crop_box_is_left_out_and_told(read_here, files):
    document = read_here(files / "cropped.pdf")
    assert document.pages[0].text == "Inside the crop box"
    assert document.warnings == ("Page 1 has text outside the visible page, which was left out.",)


def test_pages_without_text_are_named_and_invisible_text_is_not_fed(read_here, files):
    document = read_here(files / "scan.pdf")
    assert [page.origin for page in document.pages] == [
        "text layer", "none", "text layer", "text layer",
    ]  # fmt: skip
    assert document.pages[2].text == "Read by a machine"  # OCR under a scan is what one sees
    assert document.pages[3].text == "Seen by all."
    assert document.warnings == (
        "Page 2 has no text.",
        "Page 4 has hidden text, which was left out.",
    )


def test_letters_too_small_to_read_are_hidden_text(read_here, tmp_path):
    page = MiniPage().text(72, 700, "For people.").text(72, 600, "For machines only.", size=0.4)
    document = read_here(write_pdf(tmp_path / "tiny.pdf", [page]))
    assert document.pages[0].text == "For people."
    assert document.warnings == ("Page 1 has hidden text, which was left out.",)


def test_filled_in_fields_and_comments_are_read_where_they_stand(read_here, tmp_path):
    page = MiniPage().text(72, 700, "Name:").text(72, 650, "Married:").text(72, 600, "The end.")
    page.note((120, 695, 300, 715), "/Subtype /Widget /FT /Tx /T (name) /V (Ada Lovelace)")
    states = "/AS /Yes /AP << /N << /Yes << >> /Off << >> >> >>"
    page.note((130, 645, 145, 660), f"/Subtype /Widget /FT /Btn /T (married) /V /Yes {states}")
    page.note((400, 695, 500, 715), "/Subtype /Widget /FT /Tx /T (pin) /V (1234) /Ff 8192")
    page.note((72, 400, 300, 450), "/Subtype /FreeText /Contents (Typed onto the page)")
    page.note((500, 700, 520, 720), "/Subtype /Text /Contents (Ask her again)")
    page.note((500, 600, 520, 620), "/Subtype /Text /Contents (Not to be seen) /F 2")
    document = read_here(write_pdf(tmp_path / "form.pdf", [page]))
    lines = [line for line in document.pages[0].text.split("\n") if line]
    assert lines == [
        "Name: Ada Lovelace", "Married: [x]", "The end.", "Typed onto the page",
        "Comment: Ask her again",
    ]  # fmt: skip
    ada = document.pages[0].words[1]
    assert ada[2:] == pytest.approx((120, 127, 300, 147))
    assert document.warnings == ()


def test_a_text_layer_without_meaning_is_told_and_left_out(read_here, tmp_path):
    page = MiniPage().text(72, 700, "\x01\x02\x03\x04\x05\x06 \x0e\x0f\x10\x11 a")
    document = read_here(write_pdf(tmp_path / "garbled.pdf", [page]))
    assert document.pages[0].origin == "none"
    assert document.warnings == ("Page 1 has text that cannot be understood, which was left out.",)


def test_a_password_is_asked_for_only_when_one_is_set(read_here, files):
    with pytest.raises(PasswordRequiredError, match="protected by a password"):
        read_here(files / "password.pdf")
    assert "412 apple trees" in read_here(files / "opens-without-asking.pdf").pages[0].text


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_a_truncated_file_is_refused_or_repaired_never_a_crash(read_here, files, tmp_path, share):
    whole = (files / "fonts.pdf").read_bytes()
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DocumentUnreadableError, match="damaged or incomplete"):
        read_here(path)


def test_pages_are_drawn_at_the_size_asked_for(files):
    image = pdf.render(files / "orchard.pdf", 1, max_px=400)
    assert max(image.width_px, image.height_px) in (400, 401)
    assert len(image.rgb) == image.width_px * image.height_px * 3
    assert image.scale == pytest.approx(400 / 842, rel=0.01)
    with pytest.raises(UsageError, match="has 3 pages; there is no page 4"):
        pdf.render(files / "orchard.pdf", 4)


def test_colours_are_red_green_blue_in_that_order(tmp_path):
    page = MiniPage(operators=["1 0 0 rg 0 0 595 842 re f"])
    image = pdf.render(write_pdf(tmp_path / "red.pdf", [page]), 1, max_px=50)
    assert image.rgb[:3] == b"\xff\x00\x00"


def test_a_long_text_is_read_fast(read_here, tmp_path):
    lines = [
        f"Line {n} of a page with about as many words as a book has on one." for n in range(20)
    ]
    path = write_pdf(tmp_path / "long.pdf", [MiniPage().lines(50, 800, lines)] * 200)
    started = time.process_time()
    document = read_here(path)
    pages_per_s = 200 / (time.process_time() - started)
    assert len(document.pages) == 200
    assert len(document.pages[0].words) == 320
    assert pages_per_s > 100, f"{pages_per_s:.0f} pages/s; hundreds are usual"
