# SPDX-License-Identifier: Apache-2.0
"""Excel workbooks (.xlsx, .xlsm): one page a sheet, its name as label, values as shown.

Rows are "a | b | c"; columns that are empty in the whole sheet are left out, and an empty line
stands where rows are empty. Sheets are read as a stream, so that a single cell in the last
corner of a sheet costs nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from molmo_desktop.documents import problems
from molmo_desktop.documents.drawingml import drawing_texts
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
from molmo_desktop.documents.tables import Row, one_line, sheet_lines
from molmo_desktop.documents.xlsx_formats import BUILT_IN, plain, shown

_TITLE = "Excel workbook"
_MAIN = "xl/workbook.xml"
MAX_CELLS = 1_000_000
_BEAT_ROWS = 5_000
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def read(path: Path, sink: Sink) -> None:
    """Put one page a sheet.

    Raises:
        DocumentUnreadableError: Damaged, or without sheets.
        DocumentTooLargeError: It unpacks to too much.
        PasswordRequiredError: Encrypted.
    """
    with opened(path, _TITLE) as package:
        main = package.main_part(_MAIN)
        root = package.xml(main)
        if root is None:
            raise problems.damaged(path, _TITLE, "no workbook")
        sheets = list(_sheets(package, main, root))
        if not sheets:
            raise problems.without_pages(path, "sheets")
        sink.expect(len(sheets))
        workbook = _Workbook(package, main, root, sink)
        for name, part, is_hidden in sheets:
            sink.page(workbook.sheet_text(name, part), label=name)
            if is_hidden:
                sink.warn(f"The sheet “{name}” is hidden in the file; it was read.")
        if workbook.uncalculated:
            sink.warn(
                "Some formulas have no stored result; open the workbook in a spreadsheet "
                "program and save it to have them calculated."
            )


def _sheets(package: Package, main: str, root: Element) -> Iterator[tuple[str, str, bool]]:
    """Yield name and part of each sheet, and whether it is hidden."""
    links = package.relationships(main)
    for sheet in descendants(root, "sheet"):
        for key, value in sheet.attrib.items():
            if str(key).endswith("}id") and str(value) in links:
                link = links[str(value)]
                if link.kind in ("worksheet", "chartsheet"):
                    is_hidden = attribute(sheet, "state") in ("hidden", "veryHidden")
                    yield attribute(sheet, "name"), link.target, is_hidden


class _Workbook:
    """What the sheets of one workbook share."""

    def __init__(self, package: Package, main: str, root: Element, sink: Sink) -> None:
        self.uncalculated = False
        self._package = package
        self._sink = sink
        self._cells_left = MAX_CELLS
        self._is_1904 = attribute(child(root, "workbookPr"), "date1904") in ("1", "true")
        self._strings = _shared_strings(package, main)
        self._formats = _cell_formats(package, main)

    def sheet_text(self, name: str, part: str) -> str:
        """Return the rows of a sheet, and the comments on its cells after them."""
        content = self._package.content(part)
        rows: list[tuple[int, Row]] = []
        if content is not None:
            try:
                for number, row in self._rows(content):
                    rows.append((number, row))
                    self._cells_left -= len(row)
                    if self._cells_left < 0:
                        self._sink.warn(f"Only the first {number} rows of “{name}” were read.")
                        break
            except etree.XMLSyntaxError:
                self._sink.warn(f"The sheet “{name}” is damaged; it was read in part.")
        drawn = [
            text
            for drawing in self._package.related(part, "drawing")
            for text in drawing_texts(self._package, drawing)
        ]
        blocks = ["\n".join(sheet_lines(rows)), *drawn, "\n".join(self._comments(part))]
        return "\n\n".join(block for block in blocks if block)

    def _rows(self, content: bytes) -> Iterator[tuple[int, Row]]:
        """Yield number and cells of each row that has something in it."""
        number = 0
        events = etree.iterparse(
            io.BytesIO(content),
            events=("end",),
            tag="{*}row",
            resolve_entities=False,
            no_network=True,
            huge_tree=False,
        )
        for _, element in events:
            reference = attribute(element, "r")
            number = int(reference) if reference.isdigit() else number + 1
            row = [cell for cell in self._cells(element) if cell[1]]
            if row:
                yield number, row
            if number % _BEAT_ROWS == 0:
                self._sink.beat()
            # What was read is given back at once; the elements before it go as well.
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]

    def _cells(self, row: Element) -> Iterator[tuple[int, str]]:
        column = -1
        for cell in children(row, "c"):
            match = _REFERENCE.fullmatch(cell.get("r", ""))
            column = _column(match[1]) if match else column + 1
            yield column, self._cell_text(cell)

    def _cell_text(self, cell: Element) -> str:
        """Return a cell's value as it is shown."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return one_line(_rich_text(child(cell, "is")))
        value_element = child(cell, "v")
        value = (value_element.text or "") if value_element is not None else ""
        if not value:
            self.uncalculated = self.uncalculated or child(cell, "f") is not None
            return ""
        if kind == "s":
            index = int(value) if value.isdigit() else -1
            return self._strings[index] if 0 <= index < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind in ("str", "e", "d"):
            return one_line(value)
        return self._number_text(value, cell.get("s", "0"))

    def _number_text(self, value: str, style: str) -> str:
        try:
            number = float(value)
        except ValueError:
            return one_line(value)
        code = self._formats.get(style, "")
        try:
            return shown(number, code, is_1904=self._is_1904)
        except (ValueError, OverflowError):
            return plain(number) if abs(number) < 1e300 else value

    def _comments(self, part: str) -> Iterator[str]:
        """Yield the comments on a sheet's cells.

        Where comments are conversations, the older kind only says that they are.
        """
        for kind, item_name in (("threadedComment", "threadedComment"), ("comments", "comment")):
            found = False
            for name in self._package.related(part, kind):
                root = self._package.xml(name)
                for comment in descendants(root, item_name) if root is not None else ():
                    found = True
                    body = child(comment, "text")
                    own = body.text if body is not None else ""
                    text = one_line(_rich_text(body) or own or "")
                    yield f"Comment at {attribute(comment, 'ref')}: {text}"
            if found:
                return


def _shared_strings(package: Package, main: str) -> list[str]:
    for name in package.related(main, "sharedStrings"):
        root = package.xml(name)
        if root is not None:
            return [one_line(_rich_text(item)) for item in children(root, "si")]
    return []


def _rich_text(item: Element | None) -> str:
    """Return a text's characters; the small letters that say how to pronounce it are left out."""
    if item is None:
        return ""
    pieces = []
    for element in item.iter():
        parent = element.getparent()
        if local_name(element) == "t" and (parent is None or local_name(parent) != "rPh"):
            pieces.append(element.text or "")
    return "".join(pieces)


def _cell_formats(package: Package, main: str) -> dict[str, str]:
    """Return the number format of each cell style that has one, by the style's index."""
    for name in package.related(main, "styles"):
        root = package.xml(name)
        if root is None:
            continue
        codes = {str(number): code for number, code in BUILT_IN.items()}
        for item in _number_formats(root):
            codes[attribute(item, "numFmtId")] = attribute(item, "formatCode")
        styles = child(root, "cellXfs")
        items = children(styles, "xf") if styles is not None else iter(())
        return {
            str(index): codes[attribute(item, "numFmtId")]
            for index, item in enumerate(items)
            if attribute(item, "numFmtId") in codes
        }
    return {}


def _number_formats(root: Element) -> Iterator[Element]:
    formats = child(root, "numFmts")
    return children(formats, "numFmt") if formats is not None else iter(())


def _column(letters: str) -> int:
    """Return the place of a column, counted from 0: "A" is 0."""
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1
