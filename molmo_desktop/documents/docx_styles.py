# SPDX-License-Identifier: Apache-2.0
"""What the styles of a Word document say about a paragraph: heading level and list."""

from __future__ import annotations

import re
from dataclasses import dataclass

from molmo_desktop.documents.ooxml import Element, attribute, child, children

_MAX_CHAIN = 20
_MAX_HEADING = 6
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*(\d)", re.I)


@dataclass(frozen=True)
class _Style:
    name: str
    based_on: str
    outline: str
    list_id: str
    list_level: int


class Styles:
    """The paragraph styles of one document.

    Args:
        root: Root of the styles part, None when there is none.
    """

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, _Style] = {}
        self._default = ""
        for item in children(root, "style") if root is not None else ():
            if attribute(item, "type", "paragraph") != "paragraph":
                continue
            style_id = attribute(item, "styleId")
            self._styles[style_id] = _style(item)
            if attribute(item, "default") in ("1", "true"):
                self._default = style_id

    def heading_level(self, style_id: str, own_outline: str = "") -> int:
        """Return 1 to 6 for a heading, 0 for other paragraphs.

        Args:
            style_id: Of the paragraph; may be empty.
            own_outline: The outline level that the paragraph itself has, counted from 0.
        """
        if own_outline.isdigit() and int(own_outline) < _MAX_HEADING:
            return int(own_outline) + 1
        for style in self._chain(style_id):
            match = _HEADING_NAME.fullmatch(style.name.strip())
            if match and int(match[1]):
                return min(int(match[1]), _MAX_HEADING)
            if style.name.strip().lower() == "title":
                return 1
            if style.outline.isdigit() and int(style.outline) < _MAX_HEADING:
                return int(style.outline) + 1
        match = _HEADING_NAME.fullmatch(style_id)
        return min(int(match[1]), _MAX_HEADING) if match and int(match[1]) else 0

    def list_of(self, style_id: str) -> tuple[str, int]:
        """Return the list and its level that a style puts its paragraphs in; "" for none."""
        for style in self._chain(style_id):
            if style.list_id:
                return style.list_id, style.list_level
        return "", 0

    def _chain(self, style_id: str) -> list[_Style]:
        """Return a style and those it is based on, the nearest first."""
        found: list[_Style] = []
        current = self._styles.get(style_id or self._default)
        while current is not None and len(found) < _MAX_CHAIN:
            found.append(current)
            current = self._styles.get(current.based_on) if current.based_on else None
        return found


def _style(item: Element) -> _Style:
    properties = child(item, "pPr")
    level = attribute(child(properties, "numPr", "ilvl"), "val", "0")
    return _Style(
        name=attribute(child(item, "name"), "val"),
        based_on=attribute(child(item, "basedOn"), "val"),
        outline=attribute(child(properties, "outlineLvl"), "val"),
        list_id=attribute(child(properties, "numPr", "numId"), "val"),
        list_level=int(level) if level.isdigit() else 0,
    )
