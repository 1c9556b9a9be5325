# SPDX-License-Identifier: Apache-2.0
"""OpenDocument files: texts as one page, presentations one page a slide, a sheet one page.

What stands where is like in the readers of Word, PowerPoint and Excel files, so that the same
document reads the same in both families.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from molmo_desktop.documents import problems
from molmo_desktop.documents.odf_text import OdfText
from molmo_desktop.documents.ooxml import (
    Element,
    Package,
    attribute,
    child,
    children,
    descendants,
    local_name,
    opened,
)
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import Row, join_blocks, one_line, sheet_lines

_TITLE = "OpenDocument file"
_CONTENT = "content.xml"
MAX_CELLS = 1_000_000
# Repeated cells and rows are written out up to here; more of the same says nothing new.
_MAX_REPEATED = 256
_BEAT_ROWS = 5_000


def read(path: Path, sink: Sink) -> None:
    """Put the pages of a text, a presentation, a drawing or a spreadsheet.

    Raises:
        DocumentUnreadableError: Damaged, or nothing in it.
        DocumentTooLargeError: It unpacks to too much.
        PasswordRequiredError: Encrypted.
    """
    with opened(path, _TITLE, allows_doctype=True) as package:
        manifest = package.xml("META-INF/manifest.xml")
        if manifest is not None and any(True for _ in descendants(manifest, "encryption-data")):
            raise problems.needs_password(path)
        root = package.xml(_CONTENT)
        body = child(root, "body")
        kind = next((item for item in body if local_name(item)), None) if body is not None else None
        if root is None or kind is None:
            raise problems.damaged(path, _TITLE, "no body")
        text = OdfText(package, root)
        if local_name(kind) == "spreadsheet":
            _Spreadsheet(text, sink).put(kind, root)
        elif local_name(kind) in ("presentation", "drawing"):
            _put_slides(text, kind, sink)
        else:
            sink.expect(1)
            sink.page(join_blocks(_with_margins(package, text, kind)))
        if text.has_hidden:
            sink.warn("The document holds hidden text, which was left out.")


def _with_margins(package: Package, text: OdfText, body: Element) -> Iterator[str]:
    """Yield headers, the blocks of a text document, footers, and notes."""
    styles = package.xml("styles.xml")
    yield from _margins(package, styles, "header")
    yield from text.blocks(body)
    yield from _margins(package, styles, "footer")
    yield from text.notes()


def _margins(package: Package, styles: Element | None, kind: str) -> Iterator[str]:
    """Yield the text of all headers or footers, each text once."""
    found: set[str] = set()
    names = (kind, f"{kind}-left", f"{kind}-first")
    for item in descendants(styles, *names) if styles is not None else ():
        margin = OdfText(package, item)
        content = "\n".join(margin.blocks(item))
        if any(map(str.isalpha, content)) and content not in found:
            found.add(content)
            yield content


def _put_slides(text: OdfText, body: Element, sink: Sink) -> None:
    """Put one page a slide or drawing."""
    slides = list(children(body, "page"))
    if not slides:
        raise problems.without_pages(sink.path, "slides")
    sink.expect(len(slides))
    for slide in slides:
        blocks: list[str] = []
        spoken: list[str] = []
        for item in slide:
            if local_name(item) == "notes":
                spoken.extend(text.blocks(item))
            else:
                found = list(text.blocks_of(item))
                is_title = attribute(item, "class") in ("title", "subtitle")
                if is_title and attribute(item, "class") == "title" and any(found):
                    blocks.insert(0, f"# {one_line(' '.join(found))}")
                else:
                    blocks.extend(found)
        blocks.extend(text.notes())
        if any(block.strip() for block in spoken):
            blocks.append("Notes: " + "\n".join(spoken))
        sink.page(join_blocks(blocks))


class _Spreadsheet:
    """Puts the sheets of one file."""

    def __init__(self, text: OdfText, sink: Sink) -> None:
        self._text = text
        self._sink = sink
        self._cells_left = MAX_CELLS

    def put(self, body: Element, root: Element) -> None:
        """Put one page a sheet, its name as label."""
        sheets = list(children(body, "table"))
        if not sheets:
            raise problems.without_pages(self._sink.path, "sheets")
        unseen = {
            attribute(style, "name")
            for style in descendants(root, "style")
            if attribute(child(style, "table-properties"), "display") == "false"
        }
        self._sink.expect(len(sheets))
        for sheet in sheets:
            name = attribute(sheet, "name")
            lines = list(sheet_lines(list(self._rows(sheet, name))))
            drawn = [block for shapes in children(sheet, "shapes") for block in
                     self._text.blocks(shapes)]  # fmt: skip
            comments = list(self._text.notes())
            extra = ["", *drawn, *comments] if drawn or comments else []
            self._sink.page("\n".join([*lines, *extra]), label=name)
            if attribute(sheet, "style-name") in unseen:
                self._sink.warn(f"The sheet “{name}” is hidden in the file; it was read.")

    def _rows(self, sheet: Element, name: str) -> Iterator[tuple[int, Row]]:
        """Yield number and cells of each row that has something in it."""
        number = 0
        for row in _table_rows(sheet):
            repeated = _count(row, "number-rows-repeated")
            cells = self._cells(row)
            if cells:
                for at in range(min(repeated, _MAX_REPEATED)):
                    yield number + at, cells
                    self._cells_left -= len(cells)
            number += repeated
            if self._cells_left < 0:
                self._sink.warn(f"Only the first {number} rows of “{name}” were read.")
                return
            if number % _BEAT_ROWS == 0:
                self._sink.beat()

    def _cells(self, row: Element) -> Row:
        found: Row = []
        column = 0
        for cell in children(row, "table-cell", "covered-table-cell"):
            repeated = _count(cell, "number-columns-repeated")
            is_seen = local_name(cell) == "table-cell" and len(cell)
            content = one_line(" ".join(self._text.blocks(cell))) if is_seen else ""
            if content:
                found.extend((column + at, content) for at in range(min(repeated, _MAX_REPEATED)))
            column += repeated
        return found


def _table_rows(table: Element) -> Iterator[Element]:
    """Yield a table's rows, also those of its head and of groups."""
    for item in table:
        name = local_name(item)
        if name == "table-row":
            yield item
        elif name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _table_rows(item)


def _count(element: Element, name: str) -> int:
    value = attribute(element, name, "1")
    return int(value) if value.isdigit() and len(value) < 8 else 1
