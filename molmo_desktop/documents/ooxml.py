# SPDX-License-Identifier: Apache-2.0
"""Office files as packages of XML parts: opened behind the guard, read by local names.

The readers of Word, PowerPoint and Excel files walk the XML themselves instead of using a
library for each: then nothing is lost that a library does not model (text boxes, drawings,
tracked changes, content controls), and the Strict variant, which has other namespaces for the
same names, is read like any other.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from molmo_desktop.documents import guard, problems

Element = etree._Element


class Relationship(NamedTuple):
    """A link from one part to another.

    Attributes:
        kind: Last part of the relationship's type, as "footnotes" or "slide".
        target: Name of the other part.
    """

    kind: str
    target: str


class Package:
    """The parts of an open office file."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._names = {name.lower(): name for name in archive.namelist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._names

    def content(self, name: str) -> bytes | None:
        """Return a part's bytes, None when there is no such part."""
        real_name = self._names.get(name.lower())
        return None if real_name is None else self._archive.read(real_name)

    def xml(self, name: str) -> Element | None:
        """Return the root of a part, None when it is missing or no XML.

        A damaged part beside the main one must not make the whole file unreadable.
        """
        content = self.content(name)
        if content is None:
            return None
        try:
            return guard.parse_xml(content)
        except etree.XMLSyntaxError:
            return None

    def relationships(self, part: str) -> dict[str, Relationship]:
        """Return what a part links to inside the package, by relationship id."""
        folder, base = posixpath.split(part)
        root = self.xml(f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels")
        found: dict[str, Relationship] = {}
        for item in root if root is not None else ():
            if not isinstance(item.tag, str) or item.get("TargetMode") == "External":
                continue
            target = item.get("Target", "")
            name = target[1:] if target.startswith("/") else f"{folder}/{target}"
            kind = item.get("Type", "").rpartition("/")[2]
            found[item.get("Id", "")] = Relationship(kind, posixpath.normpath(name))
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """Return the names of the parts of one kind that a part links to."""
        return [item.target for item in self.relationships(part).values() if item.kind == kind]

    def main_part(self, fallback: str) -> str:
        """Return the name of the part that the package is about."""
        found = self.related("", "officeDocument")
        return found[0] if found and found[0] in self else fallback


@contextmanager
def opened(path: Path, title: str, *, allows_doctype: bool = False) -> Iterator[Package]:
    """Open an office file behind the guard.

    Args:
        path: The file.
        title: What people call its format.
        allows_doctype: As for `guard.check_archive`.

    Raises:
        DocumentError: As `guard.check_archive`, or while parts are read.
    """
    guard.check_archive(path, allows_doctype=allows_doctype)
    try:
        with zipfile.ZipFile(path) as archive:
            yield Package(path, archive)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, EOFError, KeyError, ValueError) as error:
        raise problems.damaged(path, title, f"{type(error).__name__}: {error}") from error


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; empty for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield the children of these local names."""
    for child in element:
        if local_name(child) in names:
            yield child


def child(element: Element | None, *path: str) -> Element | None:
    """Return the first descendant along a path of local names, None when a step is missing."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def descendants(element: Element, *names: str) -> Iterator[Element]:
    """Yield all descendants of these local names, in document order."""
    for item in element.iter():
        if local_name(item) in names:
            yield item


def attribute(element: Element | None, name: str, default: str = "") -> str:
    """Return an attribute by its local name, whatever its namespace."""
    if element is None:
        return default
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return default


def is_on(element: Element | None) -> bool:
    """Whether a switch such as ``w:vanish`` is there and not switched off."""
    return element is not None and attribute(element, "val", "1") not in ("0", "false", "off")


def chosen(element: Element) -> Element | None:
    """Return the branch of ``mc:AlternateContent`` to read; both say the same."""
    return (
        child(element, "Choice")
        if child(element, "Choice") is not None
        else (child(element, "Fallback"))
    )
