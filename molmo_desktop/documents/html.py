# SPDX-License-Identifier: Apache-2.0
"""Web pages (.html): the text that a reader of the page sees, block by block, as one page.

Headings begin with "#", list items with "-" or their number, table rows are "a | b | c".
Scripts, styles and hidden elements are dropped; nothing is fetched.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from lxml import etree, html

from molmo_desktop.documents import problems, text
from molmo_desktop.documents.html_blocks import BlockWriter
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import one_line

_TITLE = "web page"
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""")
_UNSEEN = re.compile(r"<(script|style|head|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?-->", re.I | re.S)
_TAG = re.compile(r"<[^>]*>")
_HEAD_BYTES = 4096
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


def read(path: Path, sink: Sink) -> None:
    """Put the whole page as one page.

    Raises:
        DocumentUnreadableError: There is nothing to read in it.
    """
    content = decode(text.read_bytes(path))
    try:
        root = parse(content)
    except (etree.LxmlError, ValueError) as error:
        raise problems.damaged(path, _TITLE, str(error)) from error
    if root is None:
        raise problems.empty(path)
    writer = BlockWriter()
    body = root.find(".//body")
    writer.write(root if body is None else body)
    result = writer.text()
    title = one_line(root.findtext(".//title") or "")
    if title and title not in result:
        result = f"# {title}\n\n{result}"
    if not result.strip():
        result = without_tags(content)
    if not result.strip():
        raise problems.without_pages(path, "text")
    sink.expect(1)
    sink.page(result)
    if writer.has_hidden:
        sink.warn("The page holds hidden text, which was left out.")


def decode(content: bytes) -> str:
    """Return the text of a page: its mark, its own word about its encoding, else a guess."""
    declared = _CHARSET.search(content[:_HEAD_BYTES])
    if declared and not content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        name = declared[1].decode("ascii").lower()
        # What calls itself Latin 1 is Windows-1252 everywhere on the web.
        name = "cp1252" if name in ("iso-8859-1", "latin1", "latin-1", "us-ascii") else name
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            pass
    return text.decode(content)


def without_tags(content: str) -> str:
    """Return what stands between the tags of a page that no tree could be made of.

    The parser gives up on pages that are nested deeper than any page needs to be.
    """
    plain = _TAG.sub(" ", _UNSEEN.sub(" ", text.clean(content)))
    return "\n".join(one_line(line) for line in unescape(plain).splitlines() if line.strip())


def parse(content: str) -> html.HtmlElement | None:
    """Return the root of a page, None when there is no element at all."""
    parser = html.HTMLParser(
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    plain = _XML_DECLARATION.sub("", text.clean(content))
    if not plain.strip():
        return None
    return html.document_fromstring(plain, parser=parser)
