# SPDX-License-Identifier: Apache-2.0
"""JSON as it is written, with letters instead of their codes."""

from __future__ import annotations

import re
from pathlib import Path

from molmo_desktop.documents import problems, text
from molmo_desktop.documents.sink import Sink

_CODE = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")


def read(path: Path, sink: Sink) -> None:
    """Put the whole text as one page.

    The text stays as it is written, so that what is quoted from it can be found in the file;
    only the codes of letters (a backslash, "u" and four digits) become those letters.

    Raises:
        DocumentUnreadableError: Nothing but blanks.
    """
    content = text.clean(text.decode(text.read_bytes(path)))
    if not content.strip():
        raise problems.empty(path)
    sink.expect(1)
    sink.page(_CODE.sub(_letters, content).strip("\n"))


def _letters(match: re.Match[str]) -> str:
    units = bytes.fromhex(match[2].replace("\\u", ""))
    letters = units.decode("utf-16-be", "replace")
    return match[1] + letters if letters.isprintable() else match[0]
