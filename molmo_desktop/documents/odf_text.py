# SPDX-License-Identifier: Apache-2.0
"""The text of OpenDocument XML: paragraphs, lists, tables, notes, boxes and embedded objects."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from molmo_desktop.documents.docx_numbering import counted
from molmo_desktop.documents.mathml import math_text
from molmo_desktop.documents.ooxml import (
    Element,
    Package,
    attribute,
    child,
    children,
    descendants,
    local_name,
)
from molmo_desktop.documents.tables import one_line, row_text, table_text

_SPACE = re.compile(r"[ \t\r\n]+")
_MAX_DEPTH = 60
_MAX_REPEATED = 64
# Nothing of these is seen: what was deleted, declarations, data of forms and events.
_DROPPED = frozenset((
    "tracked-changes", "sequence-decls", "variable-decls", "user-field-decls", "forms",
    "event-listeners", "dde-connection-decls", "bookmark-ref-decls", "title", "desc",
    "table-column", "table-columns", "named-expressions", "database-ranges", "binary-data",
    "page-number", "page-count", "annotation-end", "ruby-text", "hidden-text", "script",
    "soft-page-break", "settings", "calculation-settings", "content-validations", "image-map",
))  # fmt: skip
_NUMBER_STYLES = {
    "1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman",
}  # fmt: skip


class OdfText:
    """Walks the content of one package.

    Args:
        package: For the objects that are embedded.
        root: Of the part whose styles apply.
    """

    def __init__(self, package: Package, root: Element) -> None:
        self.has_hidden = False
        self._package = package
        self._notes: list[str] = []
        self._note_count = 0
        self._hidden_styles = {
            attribute(style, "name")
            for style in descendants(root, "style")
            if attribute(child(style, "text-properties"), "display") == "none"
        }
        self._lists = {attribute(item, "name"): item for item in descendants(root, "list-style")}
        styles = package.xml("styles.xml")
        for item in descendants(styles, "list-style") if styles is not None else ():
            self._lists.setdefault(attribute(item, "name"), item)

    def blocks(self, container: Element, depth: int = 0) -> Iterator[str]:
        """Yield the paragraphs, lists and tables of a container, in order."""
        for item in container:
            yield from self.blocks_of(item, depth)

    def blocks_of(self, item: Element, depth: int = 0) -> Iterator[str]:
        """Yield the blocks of one element."""
        name = local_name(item)
        if depth > _MAX_DEPTH or not name or name in _DROPPED:
            return
        if name in ("p", "h"):
            yield from self._paragraph(item, depth)
        elif name == "list":
            yield from self._list(item, depth, 0, "")
        elif name == "table":
            yield self._table(item, depth)
        elif name == "object":
            yield from self._object(item, depth)
        elif name == "annotation":
            self._annotation(item, depth)
        elif name == "frame":
            yield from self._frame(item, depth)
        else:
            yield from self.blocks(item, depth + 1)

    def notes(self) -> Iterator[str]:
        """Yield the notes and comments met so far, once."""
        found, self._notes = self._notes, []
        yield from found

    def _paragraph(self, paragraph: Element, depth: int) -> Iterator[str]:
        """Yield a paragraph and then the boxes that are anchored in it."""
        pieces: list[str] = []
        boxes: list[Element] = []
        self._inline(paragraph, pieces, boxes, depth)
        text = "".join(pieces).strip()
        if text and local_name(paragraph) == "h":
            level = attribute(paragraph, "outline-level", "1")
            marks = "#" * min(int(level) if level.isdigit() else 1, 6)
            yield f"{marks or '#'} {one_line(text)}"
        elif text:
            yield text
        for box in boxes:
            yield from self.blocks_of(box, depth + 1)

    def _inline(
        self, element: Element, pieces: list[str], boxes: list[Element], depth: int
    ) -> None:
        """Collect the characters of a paragraph or span, and the boxes anchored there."""
        if depth > _MAX_DEPTH:
            return
        if attribute(element, "style-name") in self._hidden_styles:
            self.has_hidden = True
            return
        pieces.append(_plain(element.text))
        for item in element:
            name = local_name(item)
            if name == "s":
                count = attribute(item, "c", "1")
                pieces.append(" " * min(int(count) if count.isdigit() else 1, 8))
            elif name == "tab":
                pieces.append("\t")
            elif name == "line-break":
                pieces.append("\n")
            elif name == "note":
                pieces.append(self._note(item, depth))
            elif name == "annotation":
                self._annotation(item, depth)
            elif name in ("frame", "custom-shape", "rect", "g", "text-box", "ellipse", "line"):
                boxes.append(item)
            elif name and name not in _DROPPED:
                self._inline(item, pieces, boxes, depth + 1)
            pieces.append(_plain(item.tail))

    def _note(self, note: Element, depth: int) -> str:
        """Keep a foot- or endnote for the end; return its mark."""
        self._note_count += 1
        mark = f"[{self._note_count}]"
        body = child(note, "note-body")
        text = row_text(self.blocks(body, depth + 1)) if body is not None else ""
        if text:
            self._notes.append(f"{mark} {text}")
        return f" {mark}"

    def _annotation(self, item: Element, depth: int) -> None:
        author = one_line(next((a.text or "" for a in children(item, "creator")), ""))
        lines = [
            block
            for part in item
            if local_name(part) in ("p", "list")
            for block in self.blocks_of(part, depth + 1)
        ]
        text = one_line(" ".join(lines))
        if text:
            self._notes.append(f"Comment by {author}: {text}" if author else f"Comment: {text}")

    def _list(self, item: Element, depth: int, level: int, style: str) -> Iterator[str]:
        """Yield the items of a list with their marks."""
        if depth > _MAX_DEPTH:
            return
        style = attribute(item, "style-name") or style
        kind, before, after, count = self._level(style, level)
        for entry in children(item, "list-item", "list-header"):
            mark = "-"
            if local_name(entry) == "list-header":
                mark = ""
            elif kind:
                start = attribute(entry, "start-value")
                count = int(start) if start.isdigit() else count
                mark = f"{before}{counted(count, kind)}{after}"
                count += 1
            for part in entry:
                if local_name(part) == "list":
                    yield from self._list(part, depth + 1, level + 1, style)
                    continue
                for block in self.blocks_of(part, depth + 1):
                    is_heading = block.startswith("#")
                    yield (
                        f"{'  ' * min(level, 8)}{mark} {block}"
                        if mark and not is_heading
                        else (block)
                    )
                    mark = "" if not is_heading else mark

    def _level(self, style: str, level: int) -> tuple[str, str, str, int]:
        """Return number style ("" for bullets), what stands around the number, and the first."""
        for item in self._lists.get(style, ()):
            if attribute(item, "level") != str(level + 1):
                continue
            kind = _NUMBER_STYLES.get(attribute(item, "num-format"), "")
            start = attribute(item, "start-value", "1")
            if local_name(item) == "list-level-style-number" and kind:
                first = int(start) if start.isdigit() else 1
                suffix = attribute(item, "num-suffix", ".")
                return kind, attribute(item, "num-prefix"), suffix, first
        return "", "", "", 1

    def _table(self, table: Element, depth: int) -> str:
        """Return a table, one line a row; what a merged cell covers is empty."""
        rows = []
        for row in descendants(table, "table-row"):
            if _table_of(row) is not table:
                continue
            cells: list[str] = []
            for cell in children(row, "table-cell", "covered-table-cell"):
                is_seen = local_name(cell) == "table-cell"
                text = "\n".join(self.blocks(cell, depth + 1)) if is_seen else ""
                repeated = attribute(cell, "number-columns-repeated", "1")
                count = int(repeated) if repeated.isdigit() and len(repeated) < 6 else 1
                cells.extend([text] * min(count, _MAX_REPEATED))
            rows.append(cells)
        return table_text(rows)

    def _frame(self, frame: Element, depth: int) -> Iterator[str]:
        """Yield what a frame shows: its first part that says something, the rest are copies."""
        for item in frame:
            found = list(self.blocks_of(item, depth + 1))
            if any(block.strip() for block in found):
                yield from found
                return

    def _object(self, item: Element, depth: int) -> Iterator[str]:
        """Yield the text of an embedded formula, chart or document."""
        if len(item):
            yield from self._embedded(item[0], depth)
            return
        folder = posixpath.normpath(attribute(item, "href"))
        root = self._package.xml(f"{folder}/content.xml") if folder not in ("", ".") else None
        if root is not None:
            yield from self._embedded(root, depth)

    def _embedded(self, root: Element, depth: int) -> Iterator[str]:
        if local_name(root) == "math":
            yield math_text(root)
            return
        body = child(root, "body")
        if body is not None:
            yield from self.blocks(body, depth + 1)


def _table_of(row: Element) -> Element | None:
    """Return the table that a row belongs to."""
    parent = row.getparent()
    while parent is not None and local_name(parent) not in ("table", "sub-table"):
        parent = parent.getparent()
    return parent


def _plain(text: str | None) -> str:
    """Return text with every run of white space as one blank; further ones are elements."""
    return _SPACE.sub(" ", text) if text else ""
