# SPDX-License-Identifier: Apache-2.0
"""From an HTML tree to blocks of text, without recursion: pages may be nested very deep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from molmo_desktop.documents.tables import join_blocks, spanning, table_text

Element = etree._Element

_SPACE = re.compile(r"[ \t\n\r\f]+")
_DROPPED = frozenset((
    "script", "style", "noscript", "template", "head", "iframe", "object", "embed", "svg",
    "math", "audio", "video", "canvas", "select", "datalist", "map", "meta", "link",
))  # fmt: skip
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "button",
    "output", "nobr", "img", "input", "blink",
))  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?:px|pt|em)?\s*(?:;|$)", re.I
)
_MAX_INDENT = 8


class _Step(NamedTuple):
    """Something left to do: enter or leave an element, or write the text after it."""

    kind: str
    element: Element


class BlockWriter:
    """Walks a tree once and keeps what is visible."""

    def __init__(self) -> None:
        self.has_hidden = False
        self._blocks: list[str] = []
        self._line: list[str] = []
        self._prefix = ""
        self._lists: list[list[int | None]] = []
        self._preformatted = 0

    def text(self) -> str:
        """Return everything written so far."""
        self._end_block()
        return join_blocks(self._blocks)

    def write(self, root: Element) -> None:
        """Write the content of an element."""
        stack = [_Step("enter", root)]
        while stack:
            kind, element = stack.pop()
            if kind == "leave":
                self._leave(element)
            elif kind == "tail":
                self._add(element.tail or "")
            else:
                stack.extend(self._enter(element))

    def _enter(self, element: Element) -> list[_Step]:
        """Begin an element; return what is left to do, the last step first."""
        tag = element.tag.lower() if isinstance(element.tag, str) else ""
        if not tag or tag in _DROPPED:
            return []
        if _is_hidden(element):
            self.has_hidden = self.has_hidden or bool(_characters(element).strip())
            return []
        if tag == "table" and not _is_layout(element):
            self._end_block()
            self._blocks.append(_table(element, self))
            return []
        if tag == "br":
            self._line.append("\n")
            return []
        self._begin(tag, element)
        self._add(element.text or "")
        steps = [_Step("leave", element)]
        for child in reversed(element):
            steps.append(_Step("tail", child))
            steps.append(_Step("enter", child))
        return steps

    def _begin(self, tag: str, element: Element) -> None:
        if tag in _INLINE:
            return
        self._end_block()
        if tag in _HEADINGS:
            self._prefix = "#" * _HEADINGS[tag] + " "
        elif tag in ("ul", "ol", "menu", "dl"):
            start = element.get("start", "1")
            first = int(start) if start.isdigit() and len(start) < 9 else 1
            self._lists.append([first if tag == "ol" else None])
        elif tag == "li":
            self._prefix = self._item_prefix()
        elif tag == "pre":
            self._preformatted += 1

    def _leave(self, element: Element) -> None:
        tag = str(element.tag).lower()
        if tag in _INLINE:
            return
        self._end_block()
        if tag in ("ul", "ol", "menu", "dl") and self._lists:
            self._lists.pop()
        elif tag == "pre":
            self._preformatted -= 1

    def _item_prefix(self) -> str:
        indent = "  " * min(max(len(self._lists) - 1, 0), _MAX_INDENT)
        number = self._lists[-1][0] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1][0] = number + 1
        return f"{indent}{number}. "

    def _add(self, content: str) -> None:
        if content:
            self._line.append(content if self._preformatted else _SPACE.sub(" ", content))

    def _end_block(self) -> None:
        content = "".join(self._line)
        self._line.clear()
        if self._preformatted:
            lines = [line.rstrip() for line in content.strip("\n").splitlines()]
        else:
            lines = [_SPACE.sub(" ", line).strip() for line in content.splitlines()]
        body = "\n".join(line for line in lines if line.strip())
        if body:
            self._blocks.append(self._prefix + body)
            self._prefix = ""
        elif self._prefix.lstrip().startswith("#"):
            self._prefix = ""


def _characters(element: Element) -> str:
    return "".join(str(piece) for piece in element.itertext())


def _is_hidden(element: Element) -> bool:
    return element.get("hidden") is not None or bool(_HIDDEN_STYLE.search(element.get("style", "")))


def _is_layout(table: Element) -> bool:
    """Whether a table only arranges the page: it holds other tables, or nothing but one cell."""
    if (
        table.get("role") == "presentation"
        or next(table.iterdescendants("table"), None) is not None
    ):
        return True
    cells = table.iterdescendants("td", "th")
    return next(cells, None) is not None and next(cells, None) is None


def _table(table: Element, outer: BlockWriter) -> str:
    """Return a table's caption and rows; a cell that spans columns stands once."""
    rows = []
    for row in table.iterdescendants("tr"):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            span = cell.get("colspan", "1")
            width = int(span) if span.isdigit() and len(span) < 4 else 1
            cells.extend(spanning(_cell(cell, outer), width))
        rows.append(cells)
    captions = [" ".join(_characters(item).split()) for item in _captions(table)]
    return "\n".join([*captions, table_text(rows)])


def _captions(table: Element) -> Iterator[Element]:
    return table.iterchildren("caption")


def _cell(cell: Element, outer: BlockWriter) -> str:
    writer = BlockWriter()
    writer.write(cell)
    outer.has_hidden = outer.has_hidden or writer.has_hidden
    return writer.text()
