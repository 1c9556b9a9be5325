# SPDX-License-Identifier: Apache-2.0
"""Formulas of web pages, articles and OpenDocument files as one line of symbols."""

from __future__ import annotations

from molmo_desktop.documents.ooxml import Element, local_name
from molmo_desktop.documents.tables import one_line


def math_text(root: Element) -> str:
    """Return the symbols of a MathML formula, without the source that it was typed in."""
    pieces: list[str] = []
    for item in root.iter():
        if local_name(item) in ("mi", "mn", "mo", "mtext", "ms"):
            pieces.append(one_line("".join(map(str, item.itertext()))))
    return " ".join(piece for piece in pieces if piece)
