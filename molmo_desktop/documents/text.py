# SPDX-License-Identifier: Apache-2.0
"""Plain text and Markdown in any common encoding, as one page."""

from __future__ import annotations

import codecs
import logging
import re
from pathlib import Path

from molmo_desktop.documents import problems
from molmo_desktop.documents.sink import MAX_TEXT_CHARS, Sink

_SAMPLE_BYTES = 200_000
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Whatever is no letter, space or line end and would only confuse a model or a search.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")


def read(path: Path, sink: Sink) -> None:
    """Put the whole text as one page; a form feed starts a new one.

    Raises:
        DocumentUnreadableError: Nothing but blanks.
    """
    content = clean(decode(read_bytes(path)))
    if not content.strip():
        raise problems.empty(path)
    pages = [part for part in content.split("\f") if part.strip()]
    sink.expect(len(pages))
    for part in pages:
        sink.page(part.strip("\n"))


def read_bytes(path: Path) -> bytes:
    """Return the file's bytes.

    Raises:
        DocumentTooLargeError: More than a document's text may be.
    """
    if path.stat().st_size > 4 * MAX_TEXT_CHARS:
        raise problems.too_much_text(path)
    return path.read_bytes()


def decode(content: bytes) -> str:
    """Return the text of bytes in an unknown encoding.

    A byte order mark decides, then UTF-8, then a guess from the bytes, at last Windows-1252:
    there is always a text.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(guess_encoding(content), "replace")


def guess_encoding(content: bytes) -> str:
    """Return the likeliest encoding of bytes that are no UTF-8."""
    even, odd = content[0:4096:2].count(0), content[1:4096:2].count(0)
    if max(even, odd) > 0.2 * min(len(content), 4096):
        return "utf-16-le" if odd > even else "utf-16-be"
    from charset_normalizer import from_bytes

    logging.getLogger("charset_normalizer").setLevel(logging.ERROR)
    best = from_bytes(content[:_SAMPLE_BYTES]).best()
    return best.encoding if best is not None else "cp1252"


def clean(content: str) -> str:
    """Return the text with plain newlines and without control characters; tabs stay."""
    return _CONTROLS.sub("", content.replace("\r\n", "\n").replace("\r", "\n"))
