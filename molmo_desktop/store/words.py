# SPDX-License-Identifier: Apache-2.0
"""How texts and paths are kept in columns, and how a search finds them again."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

_TITLE_LENGTH = 60


def folded(text: str) -> str:
    """Return the text as it is searched: without capitals and accents.

    A plain substring of this finds half-typed words and languages without spaces, which a
    word index does not, and a personal history is small enough to be scanned.
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def storable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold (lone surrogates) replaced by "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def path_to_column(path: Path) -> str | bytes:
    """Return a path as text, or as bytes where its name is not valid text."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def path_from_column(value: str | bytes) -> Path:
    """Undo `path_to_column`."""
    return Path(os.fsdecode(value))


def title_from(question: str, attachments: tuple[Path, ...] = ()) -> str:
    """Return the first words of a question, or the first file's name if there are none."""
    words = " ".join(storable(question).split())
    if not words:
        return storable(attachments[0].name) if attachments else ""
    if len(words) <= _TITLE_LENGTH:
        return words
    head = words[:_TITLE_LENGTH]
    shortened = head.rsplit(" ", 1)[0] if " " in head else head
    return f"{shortened}…"


def to_json(value: dict[str, Any] | None) -> str | None:
    """Return plain data as JSON text; a path or the like in it becomes its name."""
    return None if value is None else json.dumps(value, default=str)


def from_json(text: str | None) -> dict[str, Any] | None:
    """Read JSON forgivingly: one bad field must not hide a whole conversation."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def paths_to_json(paths: tuple[Path, ...]) -> str:
    """Return paths as a JSON list; JSON's escapes keep even names that are not valid text."""
    return json.dumps([str(path) for path in paths])


def paths_from_json(text: str) -> tuple[Path, ...]:
    """Undo `paths_to_json`, forgivingly."""
    try:
        values = json.loads(text)
    except ValueError:
        return ()
    return tuple(Path(value) for value in values if isinstance(value, str))
