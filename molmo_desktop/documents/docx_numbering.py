# SPDX-License-Identifier: Apache-2.0
"""The numbers that Word puts before paragraphs: "3.2", "(a)", "iv.", or a bullet.

They stand nowhere in the text; a contract is cited by them, so they are counted as Word does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from molmo_desktop.documents.ooxml import Element, attribute, child, children

BULLET = "-"
_MAX_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


@dataclass
class _Level:
    start: int = 1
    number_format: str = "decimal"
    text: str = ""


@dataclass
class _List:
    levels: dict[int, _Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the numbered paragraphs of one document, from its first to its last.

    Args:
        root: Root of the numbering part, None when there is none.
    """

    def __init__(self, root: Element | None) -> None:
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        abstract = {
            attribute(item, "abstractNumId"): _levels(item)
            for item in children(root, "abstractNum")
        }
        shared: dict[str, _List] = {}
        for item in children(root, "num"):
            abstract_id = attribute(child(item, "abstractNumId"), "val")
            levels = dict(abstract.get(abstract_id, {}))
            overrides = list(children(item, "lvlOverride"))
            for override in overrides:
                _override(levels, override)
            # Lists of one design go on counting together unless one of them starts anew.
            if overrides:
                self._lists[attribute(item, "numId")] = _List(levels)
            else:
                self._lists[attribute(item, "numId")] = shared.setdefault(
                    abstract_id, _List(levels)
                )

    def next_mark(self, list_id: str, level: int) -> str:
        """Count one paragraph and return what stands before it; empty when nothing does."""
        numbered = self._lists.get(list_id)
        if numbered is None or not 0 <= level < _MAX_LEVELS:
            return BULLET if numbered is None and list_id not in ("", "0") else ""
        design = numbered.levels.get(level, _Level(number_format="bullet"))
        numbered.counts[level] = numbered.counts.get(level, design.start - 1) + 1
        for deeper in [known for known in numbered.counts if known > level]:
            del numbered.counts[deeper]
        if design.number_format == "bullet":
            return BULLET
        if design.number_format == "none":
            return ""
        return _PLACE.sub(lambda match: _shown(numbered, int(match[1]) - 1), design.text).strip()


def _levels(item: Element) -> dict[int, _Level]:
    return {_number(attribute(level, "ilvl")): _level(level) for level in children(item, "lvl")}


def _level(element: Element) -> _Level:
    return _Level(
        _number(attribute(child(element, "start"), "val", "1"), 1),
        attribute(child(element, "numFmt"), "val", "decimal"),
        attribute(child(element, "lvlText"), "val"),
    )


def _override(levels: dict[int, _Level], element: Element) -> None:
    """Change one level as a list asks for."""
    index = _number(attribute(element, "ilvl"))
    replacement = child(element, "lvl")
    level = _level(replacement) if replacement is not None else levels.get(index, _Level())
    start = child(element, "startOverride")
    if start is not None:
        level = _Level(_number(attribute(start, "val"), 1), level.number_format, level.text)
    levels[index] = level


def _shown(numbered: _List, level: int) -> str:
    """Return the count of a level as it is shown."""
    design = numbered.levels.get(level, _Level())
    count = numbered.counts.get(level, design.start)
    return counted(count, design.number_format)


def counted(count: int, style: str) -> str:
    """Return a count in a style of Word's ("decimal", "lowerLetter", "upperRoman", …)."""
    if style in ("lowerLetter", "upperLetter"):
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 50 + 1)
        return letter.upper() if style == "upperLetter" else letter
    if style in ("lowerRoman", "upperRoman"):
        return _roman(count).upper() if style == "upperRoman" else _roman(count)
    return f"{count:02d}" if style == "decimalZero" else str(count)


def _roman(count: int) -> str:
    if not 0 < count < 4000:
        return str(count)
    parts = []
    for value, letters in _ROMAN:
        while count >= value:
            parts.append(letters)
            count -= value
    return "".join(parts)


def _number(value: str, default: int = 0) -> int:
    try:
        return int(value)
    except ValueError:
        return default
