# SPDX-License-Identifier: Apache-2.0
"""Word documents (.docx, also Strict): the text in document order, as one page.

Headings begin with "#", list items with "-" or the number that Word shows, table rows are
"a | b | c", and an empty line stands between blocks. Headers, footnotes, comments and the
text of boxes and drawings are read too; deleted and hidden text is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from molmo_desktop.documents import problems
from molmo_desktop.documents.docx_math import formula_text
from molmo_desktop.documents.docx_numbering import BULLET, Numbering
from molmo_desktop.documents.docx_styles import Styles
from molmo_desktop.documents.drawingml import linked_texts
from molmo_desktop.documents.ooxml import (
    Element,
    Package,
    attribute,
    child,
    chosen,
    descendants,
    is_on,
    local_name,
    opened,
)
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, row_text, spanning, table_text

_TITLE = "Word document"
_MAIN = "word/document.xml"
_MAX_DEPTH = 60
_CONTAINERS = (
    "sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml", "hyperlink", "fldSimple",
    "dir", "bdo", "rubyBase", "ruby", "oMathPara",
)  # fmt: skip
_DROPPED = ("del", "moveFrom", "pPr", "rPr", "sectPr", "instrText", "delText", "sdtPr", "rt")
_SYMBOLS = {"f0b7": "•", "f0a7": "▪", "f0fc": "✓", "f0e0": "→", "f0d8": "➢"}
_ONLY_A_NUMBER = re.compile(r"[\s\d./|–-]*")


def read(path: Path, sink: Sink) -> None:
    """Put the whole document as one page.

    Raises:
        DocumentUnreadableError: Damaged.
        DocumentTooLargeError: It unpacks to too much.
        PasswordRequiredError: Encrypted.
    """
    with opened(path, _TITLE) as package:
        main = package.main_part(_MAIN)
        root = package.xml(main)
        body = child(root, "body") if root is not None else None
        if body is None:
            raise problems.damaged(path, _TITLE, "no body")
        sink.expect(1)
        document = _Document(package, main)
        sink.page(document.text(body))
        if document.has_hidden:
            sink.warn("The document holds hidden text, which was left out.")


class _Document:
    """Walks one document."""

    def __init__(self, package: Package, main: str) -> None:
        self.has_hidden = False
        self._package = package
        self._reading = main  # the part whose links count
        self._parts: dict[str, list[str]] = {}
        for item in package.relationships(main).values():
            self._parts.setdefault(item.kind, []).append(item.target)
        self._numbering = Numbering(self._part("numbering"))
        self._styles = Styles(self._part("styles"))
        self._notes: list[str] = []
        self._drawn: list[str] = []

    def text(self, body: Element) -> str:
        """Return everything, blocks separated by empty lines."""
        blocks = [*self._margin("header"), *self._blocks(body), *self._margin("footer")]
        footnotes = self._footnotes()
        blocks.extend(footnotes[note] for note in self._notes if footnotes.get(note))
        blocks.extend(self._comments())
        return join_blocks(blocks)

    def _part(self, kind: str) -> Element | None:
        names = self._parts.get(kind, [])
        return self._package.xml(names[0]) if names else None

    def _blocks(self, container: Element, depth: int = 0) -> Iterator[str]:
        """Yield the paragraphs and tables of a container, in order."""
        if depth > _MAX_DEPTH:
            return
        for item in container:
            name = local_name(item)
            if name == "p":
                yield from self._paragraph(item, depth)
            elif name == "tbl":
                yield self._table(item, depth)
            elif name == "AlternateContent":
                branch = chosen(item)
                if branch is not None:
                    yield from self._blocks(branch, depth + 1)
            elif name and name not in _DROPPED:
                yield from self._blocks(item, depth + 1)

    def _paragraph(self, paragraph: Element, depth: int) -> Iterator[str]:
        """Yield a paragraph and then the text boxes that are anchored in it."""
        boxes: list[Element] = []
        pieces: list[str] = []
        self._inline(paragraph, pieces, boxes, depth)
        text = "".join(pieces).strip()
        properties = child(paragraph, "pPr")
        style_id = attribute(child(properties, "pStyle"), "val")
        if text:
            yield self._marked(text, properties, style_id)
        drawn, self._drawn = self._drawn, []
        for box in boxes:
            yield from self._blocks(box, depth + 1)
        yield from drawn

    def _marked(self, text: str, properties: Element | None, style_id: str) -> str:
        """Return the text with the mark of a heading or a list."""
        own = child(properties, "numPr")
        list_id, list_level = self._styles.list_of(style_id)
        if own is not None:
            list_id = attribute(child(own, "numId"), "val", list_id)
            level_text = attribute(child(own, "ilvl"), "val", str(list_level))
            list_level = int(level_text) if level_text.isdigit() else 0
        mark = self._numbering.next_mark(list_id, list_level) if list_id else ""
        outline = attribute(child(properties, "outlineLvl"), "val")
        heading = self._styles.heading_level(style_id, outline)
        if heading:
            mark = "" if mark == BULLET else mark
            return f"{'#' * heading} {mark} {text}".replace("  ", " ").replace("\n", " ")
        indent = "  " * min(list_level, 8) if mark else ""
        return f"{indent}{mark} {text}" if mark else text

    def _inline(
        self, element: Element, pieces: list[str], boxes: list[Element], depth: int
    ) -> None:
        """Collect the characters of a paragraph or run, and the boxes anchored there."""
        if depth > _MAX_DEPTH:
            return
        for item in element:
            name = local_name(item)
            if name == "t":
                pieces.append(item.text or "")
            elif name == "r":
                if is_on(child(item, "rPr", "vanish")):
                    self.has_hidden = self.has_hidden or bool(_plain(item).strip())
                    continue
                self._inline(item, pieces, boxes, depth + 1)
            elif name in ("drawing", "pict", "object"):
                boxes.extend(_text_boxes(item))
                self._drawn.extend(linked_texts(self._package, self._reading, item))
            elif name == "oMath":
                pieces.append(formula_text(item))
            elif name == "AlternateContent":
                branch = chosen(item)
                if branch is not None:
                    self._inline(branch, pieces, boxes, depth + 1)
            elif name in ("footnoteReference", "endnoteReference"):
                note = f"{name[0]}{attribute(item, 'id')}"
                self._notes.append(note)
                pieces.append(f" [{len(self._notes)}]")
            elif name in _CONTAINERS or (name and name not in _DROPPED and len(item)):
                if name not in _DROPPED:
                    self._inline(item, pieces, boxes, depth + 1)
            else:
                pieces.append(_special(name, item))

    def _table(self, table: Element, depth: int) -> str:
        """Return a table, one line a row."""
        rows = []
        for row in _rows(table):
            cells: list[str] = []
            for cell in _cells(row):
                merge = child(cell, "tcPr", "vMerge")
                goes_on = merge is not None and attribute(merge, "val", "continue") == "continue"
                blocks = [] if goes_on else list(self._blocks(cell, depth + 1))
                span = attribute(child(cell, "tcPr", "gridSpan"), "val", "1")
                cells.extend(spanning("\n".join(blocks), int(span) if span.isdigit() else 1))
            rows.append(cells)
        return table_text(rows)

    def _margin(self, kind: str) -> list[str]:
        """Return the text of all headers or footers, each text once, without page numbers."""
        found: list[str] = []
        for name in self._parts.get(kind, []):
            root = self._package.xml(name)
            main, self._reading = self._reading, name
            text = "\n".join(self._blocks(root)) if root is not None else ""
            self._reading = main
            if text not in found and not _ONLY_A_NUMBER.fullmatch(text):
                found.append(text)
        return found

    def _footnotes(self) -> dict[str, str]:
        """Return foot- and endnotes by the key under which they were met, with their number."""
        numbers = {note: index for index, note in enumerate(self._notes, start=1)}
        found: dict[str, str] = {}
        for kind in ("footnotes", "endnotes"):
            root = self._part(kind)
            for note in root if root is not None else ():
                key = f"{kind[0]}{attribute(note, 'id')}"
                if key in numbers:
                    text = row_text(self._blocks(note))
                    found[key] = f"[{numbers[key]}] {text}" if text else ""
        return found

    def _comments(self) -> list[str]:
        root = self._part("comments")
        found = []
        for comment in root if root is not None else ():
            text = " ".join(self._blocks(comment)).strip()
            author = attribute(comment, "author")
            if text:
                found.append(f"Comment by {author}: {text}" if author else f"Comment: {text}")
        return found


def _rows(table: Element) -> Iterator[Element]:
    """Yield a table's rows, also those inside content controls and insertions."""
    for item in table:
        name = local_name(item)
        if name == "tr":
            yield item
        elif name in _CONTAINERS:
            yield from _rows(item)


def _cells(row: Element) -> Iterator[Element]:
    for item in row:
        name = local_name(item)
        if name == "tc":
            yield item
        elif name in _CONTAINERS:
            yield from _cells(item)


def _text_boxes(drawing: Element) -> list[Element]:
    """Return what holds paragraphs inside a drawing: text boxes, not those nested in others."""
    found: list[Element] = []
    stack = [drawing]
    while stack:
        item = stack.pop()
        name = local_name(item)
        if name in ("txbxContent", "txBody"):
            found.append(item)
        elif name == "AlternateContent":
            branch = chosen(item)
            if branch is not None:
                stack.append(branch)
        else:
            stack.extend(reversed(item))
    return found


def _special(name: str, item: Element) -> str:
    """Return the character that an element without content stands for."""
    if name in ("tab", "ptab"):
        return "\t"
    if name in ("br", "cr"):
        return "\n"
    if name == "noBreakHyphen":
        return "-"
    if name == "sym":
        code = attribute(item, "char").lower()
        if code in _SYMBOLS:
            return _SYMBOLS[code]
        try:
            number = int(code, 16)
        except ValueError:
            return ""
        # Symbol fonts sit in the private area; what lies there below 0xF020 is no letter.
        return chr(number & 0xFF) if 0xF020 <= number <= 0xF0FF else chr(number)
    return ""


def _plain(element: Element) -> str:
    return "".join(item.text or "" for item in descendants(element, "t"))
