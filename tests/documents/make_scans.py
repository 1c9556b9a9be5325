# SPDX-License-Identifier: Apache-2.0
"""Makes the scanned pages in tests/data/documents, once: text as pixels, upright and turned.

Run from the repository: ``python tests/documents/make_scans.py``. Draws with DejaVu Sans.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parents[1] / "data" / "documents"
_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
_LINES = (
    "Minutes of the harbour meeting",
    "",
    "The north quay was closed from Monday to Thursday because",
    "of the storm. Repairs cost 12,450 EUR in all, of which the",
    "town pays two thirds. Ida Lund reported that 36 boats were",
    "moored at the south quay, nine more than last year.",
)


def make_scan() -> None:
    """Write a PDF of three pictures: upright, turned by a quarter, and empty."""
    page = Image.new("L", (1240, 877), 250)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(_FONT, 26)
    for row, line in enumerate(_LINES):
        draw.text((110, 140 + 50 * row), line, font=font, fill=25)
    turned = page.transpose(Image.Transpose.ROTATE_90)
    empty = Image.new("L", (1240, 877), 250)
    pages = [picture.convert("1", dither=Image.Dither.NONE) for picture in (page, turned, empty)]
    pages[0].save(FOLDER / "minutes.pdf", save_all=True, append_images=pages[1:], resolution=150)
    page.crop((80, 220, 1000, 460)).save(FOLDER / "minutes.png", optimize=True)


if __name__ == "__main__":
    make_scan()
