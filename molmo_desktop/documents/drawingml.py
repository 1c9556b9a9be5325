# SPDX-License-Identifier: Apache-2.0
"""Text in the drawings of office files: paragraphs of shapes, charts, and diagrams (SmartArt).

Word, PowerPoint and Excel keep them in the same kinds of parts.
"""

from __future__ import annotations

from collections.abc import Iterator

from molmo_desktop.documents.ooxml import (
    Element,
    Package,
    attribute,
    child,
    children,
    descendants,
    local_name,
)
from molmo_desktop.documents.tables import join_blocks, one_line, row_text


def paragraph_text(paragraph: Element) -> str:
    """Return the characters of a paragraph, fields and formulas included."""
    pieces: list[str] = []
    for item in descendants(paragraph, "t", "br", "tab"):
        name = local_name(item)
        pieces.append(item.text or "" if name == "t" else "\n" if name == "br" else "\t")
    return "".join(pieces)


def linked_texts(package: Package, part: str, drawing: Element) -> Iterator[str]:
    """Yield the texts of the charts and diagrams that a drawing in a part links to."""
    links = None
    for item in descendants(drawing, "chart", "relIds"):
        is_diagram = local_name(item) == "relIds"
        links = package.relationships(part) if links is None else links
        link = links.get(attribute(item, "dm" if is_diagram else "id"))
        root = package.xml(link.target) if link is not None else None
        if root is not None:
            text = diagram_text(root) if is_diagram else chart_text(root)
            if text:
                yield text


def drawing_texts(package: Package, part: str) -> Iterator[str]:
    """Yield the texts of a part that is a drawing: its shapes, charts and diagrams."""
    root = package.xml(part)
    if root is None:
        return
    for body in descendants(root, "txBody"):
        lines = [paragraph_text(item).strip() for item in children(body, "p")]
        if any(lines):
            yield "\n".join(line for line in lines if line)
    yield from linked_texts(package, part, root)


def diagram_text(root: Element) -> str:
    """Return the text of a SmartArt diagram, a line a shape."""
    lines = (one_line(paragraph_text(item)) for item in descendants(root, "p"))
    return "\n".join(f"- {line}" for line in lines if line)


def chart_text(root: Element) -> str:
    """Return a chart's title and its series as rows: name, then the values under categories."""
    titles = [one_line(paragraph_text(item)) for item in descendants(root, "title")]
    title = "\n".join(title for title in titles if title)
    rows: list[list[str]] = []
    for series in descendants(root, "ser"):
        categories = _stored(child(series, "cat")) or _stored(child(series, "xVal"))
        values = _stored(child(series, "val")) or _stored(child(series, "yVal"))
        name = " ".join(_stored(child(series, "tx")))
        if categories and (not rows or rows[0][1:] != categories):
            rows.append(["", *categories])
        rows.append([name, *values])
    rows = rows or list(_newer_rows(root))
    return join_blocks([title, "\n".join(row_text(row) for row in rows)])


def _newer_rows(root: Element) -> Iterator[list[str]]:
    """Yield the rows of the chart kinds that came with Office 2016 (waterfall, funnel, …)."""
    for level in descendants(root, "lvl"):
        yield [one_line(item.text or "") for item in children(level, "pt")]


def _stored(data: Element | None) -> list[str]:
    """Return the stored values of a chart's row of data."""
    if data is None:
        return []
    return [one_line("".join(map(str, item.itertext()))) for item in descendants(data, "v")]
