# SPDX-License-Identifier: Apache-2.0
"""XML of any kind as its text: one block an element that holds text, as one page.

Scientific articles (JATS) are known by their names of elements: titles are headings, tables
rows, and what only programs need is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from molmo_desktop.documents import guard, html, problems, text
from molmo_desktop.documents.html_blocks import BlockWriter
from molmo_desktop.documents.mathml import math_text
from molmo_desktop.documents.ooxml import Element, children, descendants, local_name
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, one_line, row_text

_TITLE = "XML file"
_MAX_DEPTH = 200
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")
_ARTICLE = "article"
# Numbers and codes of an article for programs and publishers.
_ARTICLE_DROPPED = frozenset((
    "journal-id", "issn", "article-id", "contrib-id", "object-id", "processing-meta", "tex-math",
    "counts", "custom-meta-group", "self-uri", "related-article",
))  # fmt: skip
_INLINE = frozenset((
    "bold", "italic", "sub", "sup", "xref", "ext-link", "named-content", "styled-content", "sc",
    "underline", "monospace", "inline-formula", "uri", "email", "b", "i", "u", "a", "em", "strong",
    "span", "o", "inline-graphic", "roman", "sans-serif", "overline", "strike",
    "inline-supplementary-material", "math", "given-names", "surname", "prefix", "suffix",
    "string-name", "name", "year", "source", "person-group", "etal", "label", "article-title",
    "pub-id", "institution", "country", "city", "addr-line", "institution-wrap", "collab",
    "element-citation", "mixed-citation", "citation", "chapter-title", "publisher-name",
    "publisher-loc", "edition", "comment", "month", "day",
))  # fmt: skip


def read(path: Path, sink: Sink) -> None:
    """Put the whole text as one page.

    Raises:
        DocumentUnreadableError: It declares entities, or there is nothing to read in it.
    """
    content = html.decode(text.read_bytes(path))
    if "<!ENTITY" in content.upper():
        raise problems.unsafe_xml(path, path.name)
    plain = _DOCTYPE.sub("", _DECLARATION.sub("", text.clean(content), count=1), count=1)
    try:
        root = guard.parse_xml(_NAMED.sub(_character, plain).encode("utf-8", "replace"))
    except (etree.XMLSyntaxError, ValueError):
        # No well-formed XML: what stands between the tags is still what it says.
        result = html.without_tags(content)
    else:
        result = _html(root) if local_name(root) == "html" else _Writer(root).text()
    if not result.strip():
        raise problems.without_pages(path, "text")
    sink.expect(1)
    sink.page(result)


def _character(match: re.Match[str]) -> str:
    """Return the letter that a name of HTML stands for; XML knows only five of them."""
    from html.entities import html5

    name = match[1]
    if name in _XML_NAMES:
        return match[0]
    return html5.get(f"{name};", f"&amp;{name};")


def _html(root: Element) -> str:
    """Return the text of a web page that is written as XML."""
    tree = html.parse(etree.tostring(root, encoding="unicode"))
    writer = BlockWriter()
    if tree is not None:
        writer.write(tree)
    return writer.text()


class _Writer:
    """Walks one tree."""

    def __init__(self, root: Element) -> None:
        self._root = root
        is_article = local_name(root) == _ARTICLE
        self._dropped = _ARTICLE_DROPPED if is_article else frozenset()

    def text(self) -> str:
        """Return everything, blocks separated by empty lines."""
        return join_blocks(self._blocks(self._root, 0, 0))

    def _blocks(self, element: Element, depth: int, level: int) -> Iterator[str]:
        """Yield the blocks of an element."""
        name = local_name(element)
        if not name or name in self._dropped or depth > _MAX_DEPTH:
            return
        if name in ("title", "article-title") and self._is_title(element):
            yield f"{'#' * min(level + 1, 6)} {self._line(element)}"
        elif name == "alternatives" and len(element):
            best = next((i for i in element if local_name(i) in ("math", "table")), element[0])
            yield from self._blocks(best, depth + 1, level)
        elif name == "table" and next(descendants(element, "tr"), None) is not None:
            yield "\n".join(
                row_text(self._line(cell) for cell in children(row, "td", "th"))
                for row in descendants(element, "tr")
            )
        elif name == "list-item" and next(descendants(element, "list"), None) is None:
            yield f"- {self._line(element)}"
        elif name != "title-group" and self._is_leaf(element):
            yield self._line(element)
        else:
            inner = level + 1 if name in ("sec", "abstract", "ack", "ref-list", "app") else level
            yield _own(element.text)
            for item in element:
                yield from self._blocks(item, depth + 1, inner)
                yield _own(item.tail)

    def _is_title(self, element: Element) -> bool:
        parent = element.getparent()
        return parent is not None and local_name(parent) in (
            "title-group", "sec", "abstract", "ack", "ref-list", "app", "fn-group", "glossary",
        )  # fmt: skip

    def _is_leaf(self, element: Element) -> bool:
        """Whether an element is one run of text: all inside it is mere emphasis or the like."""
        if local_name(element) == "math":
            return True
        return all(
            not local_name(item) or (local_name(item) in _INLINE and self._is_leaf(item))
            for item in element
        ) and (self._dropped != frozenset() or not len(element) or bool(_own(element.text)))

    def _line(self, element: Element) -> str:
        """Return an element's text as one line."""
        pieces: list[str] = []
        self._collect(element, pieces, 0)
        return one_line("".join(pieces))

    def _collect(self, element: Element, pieces: list[str], depth: int) -> None:
        if local_name(element) == "math":
            pieces.append(math_text(element))
            return
        pieces.append(element.text or "")
        # Fields that follow one another without anything between them are words of their own.
        is_record = len(element) > 1 and not any(
            map(_own, (element.text, *(item.tail for item in element)))
        )
        for item in element:
            name = local_name(item)
            if name and name not in self._dropped and depth < _MAX_DEPTH:
                if name not in ("sub", "sup") and name not in _INLINE:
                    pieces.append(" ")
                self._collect(item, pieces, depth + 1)
                if is_record or name == "label":
                    pieces.append(" ")
            pieces.append(item.tail or "")


def _own(content: str | None) -> str:
    return one_line(content or "")
