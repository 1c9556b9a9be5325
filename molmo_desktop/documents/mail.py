# SPDX-License-Identifier: Apache-2.0
"""E-mail messages (.eml, also saved web pages .mht): headers, text, and names of attachments."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage, Message
from pathlib import Path

from lxml import etree

from molmo_desktop.documents import html, problems, text
from molmo_desktop.documents.html_blocks import BlockWriter
from molmo_desktop.documents.sink import Sink
from molmo_desktop.documents.tables import join_blocks, one_line

_TITLE = "e-mail message"
_HEADERS = ("Subject", "From", "To", "Cc", "Bcc", "Reply-To", "Date")
_MAX_DEPTH = 20
_BAD_MESSAGE = (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError)


def read(path: Path, sink: Sink) -> None:
    """Put the whole message as one page, messages inside it included.

    Raises:
        DocumentUnreadableError: There is nothing to read in it.
    """
    message = email.message_from_bytes(text.read_bytes(path), policy=email.policy.default)
    content = join_blocks(_blocks(message, 0))
    if not content.strip():
        raise problems.without_pages(path, "text")
    sink.expect(1)
    sink.page(content)


def _blocks(message: Message, depth: int) -> Iterator[str]:
    """Yield headers, text and attachments of a message."""
    headers = [f"{name}: {value}" for name, value in _headers(message)]
    if headers:
        yield "\n".join(headers)
    attachments: list[str] = []
    yield from _body(message, attachments, depth)
    if attachments:
        yield "Attachments:\n" + "\n".join(f"- {name}" for name in attachments)


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    for name in _HEADERS:
        try:
            value = one_line(str(message.get(name, "")))
        except _BAD_MESSAGE:  # a header that cannot be parsed is left out, not the whole message
            continue
        if value:
            yield name, value


def _body(part: Message, attachments: list[str], depth: int) -> Iterator[str]:
    """Yield the texts of a part, and note the names of what is attached."""
    if depth > _MAX_DEPTH:
        return
    kind = part.get_content_type()
    if kind == "message/rfc822":
        for inner in _parts(part):
            yield "Forwarded message:"
            yield from _blocks(inner, depth + 1)
        return
    name = _file_name(part)
    if name:
        attachments.append(name)
    elif part.is_multipart():
        parts = _parts(part)
        if kind == "multipart/alternative":
            parts = _best(parts)
        for inner in parts:
            yield from _body(inner, attachments, depth + 1)
    elif kind == "text/html":
        yield _html_text(_decoded(part))
    elif part.get_content_maintype() == "text":
        yield text.clean(_decoded(part)).strip()


def _parts(part: Message) -> list[Message]:
    payload = part.get_payload()
    return (
        [item for item in payload if isinstance(item, Message)] if isinstance(payload, list) else []
    )


def _best(parts: list[Message]) -> list[Message]:
    """Return the alternative to read: all say the same, plain text with the least around it."""
    for wanted in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == wanted and _decoded(part).strip():
                return [part]
    return parts[-1:]


def _file_name(part: Message) -> str:
    """Return the name of an attachment, empty for text that is shown in the message."""
    try:
        name = one_line(part.get_filename() or "")
        is_attached = isinstance(part, EmailMessage) and part.is_attachment()
    except _BAD_MESSAGE:
        return ""
    if part.is_multipart() or (part.get_content_maintype() == "text" and not is_attached):
        return ""
    if is_attached:
        return name or f"without a name ({part.get_content_type()})"
    return name


def _decoded(part: Message) -> str:
    """Return the characters of a text part."""
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = str(part.get_content_charset() or "")
    try:
        return content.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return text.decode(content)


def _html_text(content: str) -> str:
    try:
        root = html.parse(content)
    except (etree.LxmlError, ValueError):
        return html.without_tags(content)
    if root is None:
        return ""
    writer = BlockWriter()
    body = root.find(".//body")
    writer.write(root if body is None else body)
    return writer.text()
