# SPDX-License-Identifier: Apache-2.0
"""From an HTML tree to blocks of text, without recursion: pages may be nested very deep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lxml import etree

from molmo_desktop.documents.mathml import math_text
from molmo_desktop.documents.tables import join_blocks, spanning, table_text

Element = etree._Element

_SPACE = re.compile(r"[ \t\n\r\f]+")
_DROPPED = frozenset((
    "script", "style", "noscript", "template", "head", "iframe", "object", "embed", "svg",
    "audio", "video", "canvas", "datalist", "map", "meta", "link",
))  # fmt: skip
_INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "button",
    "output", "nobr", "img", "input", "blink", "select", "option", "optgroup",
))  # fmt: skip
# Fields whose value nobody sees as text.
_WITHOUT_TEXT = ("hidden", "password", "checkbox", "radio", "image", "file", "range", "color")
_MAX_ROW_SPAN = 1_000
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
        if tag in _REPLACED:
            self._add(f" {_REPLACED[tag](element)} ")
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


def _picture_text(element: Element) -> str:
    """Return what a picture shows in the words of the page's author."""
    return str(element.get("alt", ""))


def _field_text(element: Element) -> str:
    """Return what stands in a field, or on a button."""
    if element.get("type", "text").lower() in _WITHOUT_TEXT:
        return ""
    return str(element.get("value") or element.get("placeholder", ""))


def _choices_text(element: Element) -> str:
    """Return the choices of a list."""
    choices = (" ".join(_characters(item).split()) for item in element.iter("option"))
    return ", ".join(choice for choice in choices if choice)


# Elements that stand for a text instead of holding it.
_REPLACED: dict[str, Callable[[Element], str]] = {
    "img": _picture_text,
    "input": _field_text,
    "select": _choices_text,
    "math": math_text,
}


def _is_layout(table: Element) -> bool:
    """Whether a table only arranges the page: it holds other tables, or nothing but one cell."""
    if table.get("role") == "presentation":
        return True
    if next(table.iterdescendants("table"), None) is not None:
        return table.get("border", "0") == "0" and next(_own_heads(table), None) is None
    cells = table.iterdescendants("td", "th")
    return next(cells, None) is not None and next(cells, None) is None


def _own_rows(table: Element) -> Iterator[Element]:
    """Yield a table's rows, not those of tables in its cells."""
    for item in table.iterchildren("tr", "thead", "tbody", "tfoot"):
        if item.tag == "tr":
            yield item
        else:
            yield from item.iterchildren("tr")


def _own_heads(table: Element) -> Iterator[Element]:
    for row in _own_rows(table):
        yield from row.iterchildren("th")


def _table(table: Element, outer: BlockWriter) -> str:
    """Return a table's caption and rows; a cell that spans columns or rows stands once."""
    rows = []
    covered: dict[int, int] = {}
    for row in _own_rows(table):
        cells: list[str] = []
        for cell in row.iterchildren("td", "th"):
            _skip_covered(cells, covered)
            width = _span(cell, "colspan")
            height = _span(cell, "rowspan")
            if height > 1:
                covered.update((len(cells) + at, height) for at in range(min(width, _MAX_ROW_SPAN)))
            cells.extend(spanning(_cell(cell, outer), width))
        covered = {column: left - 1 for column, left in covered.items() if left > 1}
        rows.append(cells)
    captions = [" ".join(_characters(item).split()) for item in table.iterchildren("caption")]
    return "\n".join([*captions, table_text(rows)])


def _skip_covered(cells: list[str], covered: dict[int, int]) -> None:
    """Put empty cells where a cell of a row above reaches down."""
    while len(cells) in covered:
        cells.append("")


def _span(cell: Element, name: str) -> int:
    value = cell.get(name, "1")
    return max(1, min(int(value), _MAX_ROW_SPAN)) if value.isdigit() and len(value) < 6 else 1


def _cell(cell: Element, outer: BlockWriter) -> str:
    writer = BlockWriter()
    writer.write(cell)
    outer.has_hidden = outer.has_hidden or writer.has_hidden
    return writer.text()
