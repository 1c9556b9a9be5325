# SPDX-License-Identifier: Apache-2.0
"""Three hundred damaged copies of the samples: read or refused in words, none ends the reader."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from molmo_desktop.core.errors import DocumentError
from molmo_desktop.documents.reader import DocumentReader

NAMES = (
    "fonts.pdf", "columns.pdf", "harbour.docx", "bicycles.pptx", "shop.xlsx", "bakery.html",
    "cities.csv", "german-utf-16.txt", "square.png", "square.jpeg", "square.webp", "square.gif",
    "fax.tiff", "square.bmp", "square.avif",
    "lighthouse.odt", "choir.odp", "tools.ods", "voyage.epub", "meadow.rtf", "ferry.eml",
    "station.json", "article.nxml",
)  # fmt: skip
COUNT = 300


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return a copy with a few bytes changed, a piece cut out, doubled or moved."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data))
        kind = chance.choice(("flip", "flip", "flip", "number", "cut", "double"))
        length = chance.randint(1, max(1, len(data) // 20))
        if kind == "flip":
            data[place] ^= 1 << chance.randrange(8)
        elif kind == "number":
            data[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x00" * 4, b"\x7f" * 4))
        elif kind == "cut" and len(data) > 40:
            del data[place : place + length]
        elif kind == "double":
            data[place:place] = data[place : place + length]
    return bytes(data)


def failure(reader: DocumentReader, path: Path) -> DocumentError | None:
    """Return the error that a file is refused with, None when it is read."""
    try:
        document = reader.read(path)
    except DocumentError as error:
        return error
    assert document.pages, path.name
    for page in document.pages:
        assert all(page.text[word.start : word.end] for word in page.words)
    return None


@pytest.mark.parametrize("part", range(5))
def test_damaged_copies_are_read_or_refused_in_words(warm_reader, files, tmp_path, part):
    pid = warm_reader.pids
    for number in range(part, COUNT, 5):
        chance = random.Random(number)
        source = files / NAMES[number % len(NAMES)]
        path = Path(tmp_path / f"{number}{source.suffix}")
        path.write_bytes(mutated(source.read_bytes(), chance))
        error = failure(warm_reader, path)
        if error is not None:
            assert path.name in error.message
            assert not error.data.get("quarantined"), f"{path.name} of {source.name} crashed"
    assert warm_reader.pids == pid
