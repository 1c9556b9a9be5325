# SPDX-License-Identifier: Apache-2.0
"""Text recognition: from the pixels of a page to its text and where its words stand.

Used in the reader's process only; what can do it here, `ocr_engines` says.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from molmo_desktop.core.pages import Page, PageImage
from molmo_desktop.documents.ocr_engines import engine_name, tesseract_path
from molmo_desktop.documents.ocr_lines import FoundWord, confidence, page_text

Beat = Callable[[], None]

DPI = 200
_MAX_PX = 3_600
# A picture has no inches: words of less than this height in a small one are too small.
_SMALL_PX = 1_600
_SMALL_LETTER_PX = 18
# Less between the darkest and the lightest point is an empty page.
_MIN_CONTRAST = 24


def recognise(image: PageImage, number: int, *, is_picture: bool, beat: Beat) -> Page:
    """Return a page with the text of its image; with the origin "none" when it shows none.

    Args:
        image: The page; its scale says how many pixels a unit of the page's size has.
        number: Of the page.
        is_picture: The image may be made larger, because its size says nothing.
        beat: Called between the steps, to show that work goes on.
    """
    grey = Image.frombytes("RGB", (image.width_px, image.height_px), image.rgb).convert("L")
    width_pt, height_pt = image.width_px / image.scale, image.height_px / image.scale
    low, high = (float(value) for value in grey.getextrema())  # type: ignore[arg-type]
    if high - low < _MIN_CONTRAST:
        return Page(number, "", "none", width_pt, height_pt)
    found, factor = _best(grey, is_picture=is_picture, beat=beat)
    text, words = page_text(found, image.scale * factor)
    return Page(number, text, "ocr" if text else "none", width_pt, height_pt, tuple(words))


def _best(grey: Image.Image, *, is_picture: bool, beat: Beat) -> tuple[list[FoundWord], float]:
    """Return the words of an image, and by how much the image was made larger for them.

    Small letters of a picture are recognised better at twice their size, large ones worse.
    """
    factor = min(1.0, _MAX_PX / max(grey.size))
    found = _words(_scaled(grey, factor), beat)
    if is_picture and max(grey.size) < _SMALL_PX and _median_height_px(found) < _SMALL_LETTER_PX:
        doubled = _words(_scaled(grey, 2.0), beat)
        if _weight(doubled) > _weight(found):
            return doubled, 2.0
    return found, factor


def _scaled(grey: Image.Image, factor: float) -> Image.Image:
    if factor == 1.0:
        return grey
    size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
    return grey.resize(size, Image.Resampling.LANCZOS)


def _median_height_px(words: list[FoundWord]) -> float:
    return statistics.median([word.box[3] - word.box[1] for word in words] or [0.0])


def _weight(words: list[FoundWord]) -> float:
    """Return how much was recognised, the sure letters counting more."""
    return confidence(words) * sum(len(word.text) for word in words)


def _words(grey: Image.Image, beat: Beat) -> list[FoundWord]:
    """Return the words of an image, with boxes in its pixels."""
    program = tesseract_path()
    if program is not None:
        from molmo_desktop.documents.ocr_tesseract import Tesseract

        return Tesseract(Path(program)).words(grey, beat)
    if engine_name() == "rapidocr":
        from molmo_desktop.documents import ocr_rapid

        return ocr_rapid.words(grey, beat)
    return []
