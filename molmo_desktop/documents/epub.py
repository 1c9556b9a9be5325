# SPDX-License-Identifier: Apache-2.0
"""EPUB books: one page a chapter, in the order in which the book is read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from molmo_desktop.documents import html, problems
from molmo_desktop.documents.html_blocks import BlockWriter
from molmo_desktop.documents.ooxml import Element, Package, attribute, child, descendants, opened
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, one_line

_TITLE = "EPUB book"
_CHAPTER_TYPES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
# Fonts may be scrambled in a book that is free to read; chapters only in a protected one.
_FONT_SUFFIXES = (".otf", ".ttf", ".woff", ".woff2", ".ttc")
_LABEL_CHARS = 64


def read(path: Path, sink: Sink) -> None:
    """Put one page a chapter; its first heading is the label.

    Raises:
        DocumentUnreadableError: Damaged, or without text.
        DocumentTooLargeError: It unpacks to too much.
        PasswordRequiredError: The chapters are encrypted.
    """
    with opened(path, _TITLE, allows_doctype=True) as package:
        if _is_protected(package):
            raise problems.needs_password(path)
        book_name = _book_name(package)
        book = package.xml(book_name)
        if book is None:
            raise problems.damaged(path, _TITLE, "no package document")
        chapters = list(_chapters(package, book_name, book))
        sink.expect(len(chapters))
        has_text = False
        for number, name in enumerate(chapters, start=1):
            text, label = _chapter(package, name)
            if number == 1:
                text = _with_title(book, text)
            has_text = has_text or bool(text.strip())
            sink.page(text, label=label)
        if not has_text:
            raise problems.without_pages(path, "text")


def _is_protected(package: Package) -> bool:
    root = package.xml("META-INF/encryption.xml")
    return root is not None and any(
        not attribute(item, "URI").lower().endswith(_FONT_SUFFIXES)
        for item in descendants(root, "CipherReference")
    )


def _book_name(package: Package) -> str:
    """Return the name of the part that lists the book's parts."""
    container = package.xml("META-INF/container.xml")
    for item in descendants(container, "rootfile") if container is not None else ():
        return attribute(item, "full-path")
    return "content.opf"


def _chapters(package: Package, book_name: str, book: Element) -> Iterator[str]:
    """Yield the names of the chapters' parts in reading order."""
    folder = posixpath.dirname(book_name)
    parts: dict[str, tuple[str, str]] = {}
    for item in descendants(book, "item"):
        name = posixpath.normpath(posixpath.join(folder, unquote(attribute(item, "href"))))
        parts[attribute(item, "id")] = name, attribute(item, "media-type")
    order = [attribute(item, "idref") for item in descendants(book, "itemref")]
    known = [parts[key] for key in order if key in parts] or list(parts.values())
    for name, media_type in known:
        if media_type in _CHAPTER_TYPES and name in package:
            yield name


def _chapter(package: Package, name: str) -> tuple[str, str]:
    """Return the text and the label of a chapter."""
    content = html.decode(package.content(name) or b"")
    try:
        root = html.parse(content)
    except (etree.LxmlError, ValueError):
        return html.without_tags(content), ""
    if root is None:
        return "", ""
    writer = BlockWriter()
    body = root.find(".//body")
    writer.write(root if body is None else body)
    heading = next((item for item in root.iter("h1", "h2", "h3")), None)
    label = "" if heading is None else one_line("".join(map(str, heading.itertext())))
    return writer.text(), label[:_LABEL_CHARS]


def _with_title(book: Element, text: str) -> str:
    """Return the first chapter with the book's title and authors before it, unless it has them."""
    metadata = child(book, "metadata")
    named = [
        one_line("".join(map(str, item.itertext())))
        for item in (descendants(metadata, "title", "creator") if metadata is not None else ())
    ]
    missing = [name for name in named if name and name.lower() not in text.lower()]
    return join_blocks([*missing, text])
