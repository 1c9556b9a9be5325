# SPDX-License-Identifier: Apache-2.0
"""Lets the headings of a document's text look like headings, without moving a character."""

from __future__ import annotations

import re

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor, QTextDocument

from molmo_desktop.ui.theme import current_theme

_HEADING = re.compile(r"(#{1,6} )\S")
# Elsewhere a line that begins with "#" is a comment, or what stands in the file.
_PLAIN_FORMATS = frozenset({"text", "csv", "json", "xml"})


def dress_headings(text: QTextDocument, document_format: str) -> None:
    """Make the headings bold and their marks faint; places in the text stay as they are."""
    if document_format in _PLAIN_FORMATS:
        return
    bold, faint = QTextCharFormat(), QTextCharFormat()
    bold.setFontWeight(QFont.Weight.DemiBold)
    faint.setForeground(QColor(current_theme().line))
    block = text.begin()
    while block.isValid():
        if found := _HEADING.match(block.text()):
            cursor = QTextCursor(block)
            cursor.movePosition(
                QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor
            )
            cursor.mergeCharFormat(bold)
            cursor.setPosition(block.position())
            cursor.setPosition(block.position() + found.end(1), QTextCursor.MoveMode.KeepAnchor)
            cursor.mergeCharFormat(faint)
        block = block.next()


def without_mark(line: str) -> str:
    """Return a line of text without the mark of a heading."""
    found = _HEADING.match(line)
    return line[found.end(1) :] if found else line
