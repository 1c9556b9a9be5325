# SPDX-License-Identifier: Apache-2.0
"""PowerPoint presentations (.pptx): one page a slide.

A slide's title begins with "#"; then its text, tables ("a | b | c"), the text of charts and
diagrams, and the speaker's notes, in the order in which the file holds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from molmo_desktop.documents import problems
from molmo_desktop.documents.drawingml import linked_texts, paragraph_text
from molmo_desktop.documents.ooxml import (
    Element,
    Package,
    attribute,
    child,
    children,
    chosen,
    descendants,
    local_name,
    opened,
)
from molmo_desktop.documents.pages_in_words import page_list
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, one_line, table_text

_TITLE = "PowerPoint presentation"
_MAIN = "ppt/presentation.xml"
_EMU_PER_POINT = 12_700
_MAX_DEPTH = 40
_TITLES = ("title", "ctrTitle")
# What a template repeats on every slide.
_REPEATED = ("dt", "ftr", "sldNum", "hdr")


def read(path: Path, sink: Sink) -> None:
    """Put one page a slide, in the order of the presentation.

    Raises:
        DocumentUnreadableError: Damaged, or without slides.
        DocumentTooLargeError: It unpacks to too much.
        PasswordRequiredError: Encrypted.
    """
    with opened(path, _TITLE) as package:
        main = package.main_part(_MAIN)
        root = package.xml(main)
        if root is None:
            raise problems.damaged(path, _TITLE, "no presentation")
        slides = _slides(package, main, root)
        if not slides:
            raise problems.without_pages(path, "slides")
        size = child(root, "sldSz")
        width_pt, height_pt = _points(attribute(size, "cx")), _points(attribute(size, "cy"))
        sink.expect(len(slides))
        damaged = []
        hidden = []
        for number, slide in enumerate(slides, start=1):
            slide_root = package.xml(slide)
            if slide_root is None:
                damaged.append(number)
            elif attribute(slide_root, "show") in ("0", "false"):
                hidden.append(number)
            text = "" if slide_root is None else _slide_text(package, slide, slide_root)
            sink.page(text, width_pt=width_pt, height_pt=height_pt)
        for number in damaged:
            sink.warn(f"Slide {number} could not be read.")
        if hidden:
            is_one = len(hidden) == 1
            verbs = (
                "is hidden in the file; it was" if is_one else "are hidden in the file; they were"
            )
            sink.warn(f"{page_list(hidden, 'Slide')} {verbs} read.")


def _slides(package: Package, main: str, root: Element) -> list[str]:
    """Return the names of the slides' parts in their order."""
    links = package.relationships(main)
    ids = [_relation_id(item) for item in descendants(root, "sldId")]
    return [links[item].target for item in ids if item in links]


def _relation_id(element: Element) -> str:
    """Return the relationship id of an element that also has an id of its own."""
    for key, value in element.attrib.items():
        if str(key).endswith("}id"):
            return str(value)
    return ""


def _points(emu: str) -> float:
    return int(emu) / _EMU_PER_POINT if emu.isdigit() else 0.0


def _slide_text(package: Package, slide: str, root: Element) -> str:
    blocks: list[str] = []
    tree = child(root, "cSld", "spTree")
    if tree is not None:
        titled = list(_shapes(package, slide, tree, 0))
        blocks.extend(text for is_title, text in titled if is_title)
        blocks.extend(text for is_title, text in titled if not is_title)
    for notes in package.related(slide, "notesSlide"):
        text = _notes_text(package, notes)
        if text:
            blocks.append(f"Notes: {text}")
    for comments in package.related(slide, "comments"):
        blocks.extend(f"Comment: {text}" for text in _comments(package, comments))
    return join_blocks(blocks)


def _comments(package: Package, part: str) -> Iterator[str]:
    """Yield the comments on a slide; those of newer versions have paragraphs and replies."""
    root = package.xml(part)
    for item in descendants(root, "text", "txBody") if root is not None else ():
        paragraphs = " ".join(_paragraphs(item)) if local_name(item) == "txBody" else item.text
        text = one_line(paragraphs or "")
        if text:
            yield text


def _shapes(package: Package, slide: str, tree: Element, depth: int) -> Iterator[tuple[bool, str]]:
    """Yield each shape's text and whether it is the slide's title; groups are opened."""
    if depth > _MAX_DEPTH:
        return
    for item in tree:
        name = local_name(item)
        if name == "sp":
            kind = _placeholder(item)
            body = child(item, "txBody")
            if body is None or kind in _REPEATED:
                continue
            is_title = kind in _TITLES
            text = _title_text(body) if is_title else _body_text(body, kind)
            if text:
                yield is_title, text
        elif name in ("grpSp", "Choice", "Fallback"):
            yield from _shapes(package, slide, item, depth + 1)
        elif name == "AlternateContent":
            branch = chosen(item)
            if branch is not None:
                yield from _shapes(package, slide, branch, depth + 1)
        elif name == "graphicFrame":
            yield False, _frame_text(package, slide, item)


def _placeholder(shape: Element) -> str:
    """Return what a shape stands for: "title", "body", …; empty for a free one."""
    for properties in shape:
        if local_name(properties).startswith("nv"):
            mark = child(properties, "nvPr", "ph")
            return attribute(mark, "type", "body") if mark is not None else ""
    return ""


def _title_text(body: Element) -> str:
    text = one_line(" ".join(_paragraphs(body)))
    return f"# {text}" if text else ""


def _body_text(body: Element, kind: str) -> str:
    """Return the paragraphs; those of the slide's own list as items."""
    lines = []
    for paragraph in children(body, "p"):
        text = paragraph_text(paragraph).strip()
        if not text:
            continue
        properties = child(paragraph, "pPr")
        has_bullet = (
            any(True for _ in children(properties, "buChar", "buAutoNum"))
            if (properties is not None)
            else False
        )
        is_plain = child(properties, "buNone") is not None
        level = attribute(properties, "lvl", "0")
        if has_bullet or (kind in ("body", "obj") and not is_plain):
            indent = "  " * min(int(level), 8) if level.isdigit() else ""
            lines.append(f"{indent}- {one_line(text)}")
        else:
            lines.append(text)
    return "\n".join(lines)


def _paragraphs(body: Element) -> Iterator[str]:
    for paragraph in children(body, "p"):
        yield paragraph_text(paragraph)


def _frame_text(package: Package, slide: str, frame: Element) -> str:
    """Return the text of a table, a chart or a diagram."""
    for table in descendants(frame, "tbl"):
        return table_text(
            [[_cell_text(cell) for cell in children(row, "tc")] for row in children(table, "tr")]
        )
    return join_blocks(linked_texts(package, slide, frame))


def _cell_text(cell: Element) -> str:
    body = child(cell, "txBody")
    is_covered = attribute(cell, "hMerge") == "1" or attribute(cell, "vMerge") == "1"
    return "" if body is None or is_covered else " ".join(_paragraphs(body))


def _notes_text(package: Package, notes: str) -> str:
    root = package.xml(notes)
    lines: list[str] = []
    for shape in descendants(root, "sp") if root is not None else ():
        body = child(shape, "txBody")
        if body is not None and _placeholder(shape) == "body":
            lines.extend(one_line(text) for text in _paragraphs(body))
    return "\n".join(line for line in lines if line)
