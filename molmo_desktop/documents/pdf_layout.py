# SPDX-License-Identifier: Apache-2.0
"""The order in which people read the lines of a page, and where its paragraphs end.

The order of a page's content is its author's and nearly always right, columns and tables
included. It is changed in two cases only: two columns of prose that are drawn line by line
across the page, and content that jumps up and down without any order.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from molmo_desktop.documents.pdf_frame import Box

# Two columns drawn across: so many lines with the same empty strip between full halves.
_MIN_COLUMN_LINES = 6
_FULL_HALF = 0.7
_MIN_HALF_WORDS = 3
_MIN_HALF_SHARE = 0.22
# Content without order: this share of the steps goes up over what was written before.
_MAX_STEPS_UP = 0.2
_MIN_STEPS_UP = 3
_PARAGRAPH_GAP = 0.35


class Word(NamedTuple):
    """A word as it stands on the page.

    Attributes:
        text: Its letters.
        box: Points of the upright page.
        is_glued: No blank before it.
    """

    text: str
    box: Box
    is_glued: bool


class Line(NamedTuple):
    """Words that stand on one line.

    Attributes:
        words: From its start to its end.
        box: Around all of them.
        is_hyphenated: Its last word goes on in the next line.
    """

    words: list[Word]
    box: Box
    is_hyphenated: bool = False


def make_line(words: list[Word], is_hyphenated: bool = False) -> Line:
    """Return words as a line."""
    x0s, y0s, x1s, y1s = zip(*(word.box for word in words), strict=True)
    return Line(words, (min(x0s), min(y0s), max(x1s), max(y1s)), is_hyphenated)


def in_reading_order(lines: list[Line], width_pt: float) -> list[Line]:
    """Return the lines in the order in which they are read."""
    if len(lines) < _MIN_COLUMN_LINES:
        return lines
    gutter = _gutter(lines, width_pt)
    if gutter is not None:
        return list(_by_columns(lines, gutter))
    if _is_disordered(lines):
        return _cut(lines, 0)
    return lines


def paragraph_starts(lines: list[Line]) -> list[bool]:
    """Return for each line whether more space than usual stands above it."""
    gaps = [
        after.box[1] - before.box[3] if _overlap(before, after) > 0 else None
        for before, after in pairwise(lines)
    ]
    below = sorted(gap for gap in gaps if gap is not None and gap > -_height(lines[0]))
    # The smaller gaps are those within paragraphs; on a page of short ones they are not many.
    usual = max(0.0, below[len(below) // 5]) if below else 0.0
    starts = [False]
    for line, gap in zip(lines[1:], gaps, strict=True):
        starts.append(gap is not None and gap > usual + _PARAGRAPH_GAP * _height(line))
    return starts[: len(lines)]


def _height(line: Line) -> float:
    return line.box[3] - line.box[1]


def _overlap(a: Line, b: Line) -> float:
    """Return how much of the narrower line lies over the other, 0 to 1."""
    shared = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    narrower = min(a.box[2] - a.box[0], b.box[2] - b.box[0])
    return max(0.0, shared / narrower) if narrower > 0 else 0.0


class _Half(NamedTuple):
    """A line cut at its widest gap."""

    left: list[Word]
    right: list[Word]
    gap_start: float
    gap_end: float


def _halves(line: Line) -> _Half | None:
    """Cut a line at its widest gap; None when it has no gap wider than its height."""
    best_at, best = 0, 0.0
    for at in range(1, len(line.words)):
        gap = line.words[at].box[0] - line.words[at - 1].box[2]
        if gap > best:
            best_at, best = at, gap
    if best < _height(line):
        return None
    left, right = line.words[:best_at], line.words[best_at:]
    return _Half(left, right, left[-1].box[2], right[0].box[0])


def _gutter(lines: list[Line], width_pt: float) -> float | None:
    """Return the middle of the strip between two columns that are drawn across, if any.

    Prose fills its column, so that its halves are nearly all as wide as the widest; the cells
    of a table are not.
    """
    halves = [half for half in map(_halves, lines) if half is not None]
    if len(halves) < max(_MIN_COLUMN_LINES, len(lines) // 2):
        return None
    start = max(half.gap_start for half in halves)
    end = min(half.gap_end for half in halves)
    if start >= end:
        return None
    for side in ([half.left for half in halves], [half.right for half in halves]):
        widths = [words[-1].box[2] - words[0].box[0] for words in side]
        word_count = statistics.median(len(words) for words in side)
        is_full = statistics.median(widths) >= _FULL_HALF * max(widths)
        if not is_full or word_count < _MIN_HALF_WORDS or max(widths) < _MIN_HALF_SHARE * width_pt:
            return None
    return (start + end) / 2


def _by_columns(lines: list[Line], gutter: float) -> Iterator[Line]:
    """Yield the left column and then the right one, between lines that cross the gutter."""
    left: list[Line] = []
    right: list[Line] = []
    for line in lines:
        left_words = [word for word in line.words if word.box[2] <= gutter]
        right_words = [word for word in line.words if word.box[0] >= gutter]
        crosses = len(left_words) + len(right_words) < len(line.words) or (
            bool(left_words) and bool(right_words) and _halves(line) is None
        )
        if crosses:
            yield from (*left, *right, line)
            left, right = [], []
            continue
        if left_words:
            left.append(make_line(left_words, line.is_hyphenated and not right_words))
        if right_words:
            right.append(make_line(right_words, line.is_hyphenated))
    yield from (*left, *right)


def _is_disordered(lines: list[Line]) -> bool:
    """Whether the content often goes back up over what stands below."""
    steps_up = sum(
        after.box[3] <= before.box[1] + 0.2 * _height(before) and _overlap(before, after) > 0.3
        for before, after in pairwise(lines)
    )
    return steps_up >= max(_MIN_STEPS_UP, _MAX_STEPS_UP * len(lines))


def _cut(lines: list[Line], depth: int) -> list[Line]:
    """Order lines by cutting the page along its empty strips: down first, then across."""
    if len(lines) < 2 or depth > 30:
        return _by_rows(lines)
    for axis in (0, 1):
        groups = _groups(lines, axis)
        if axis == 0 and (len(groups) < 2 or min(map(len, groups)) < 3):
            continue
        if len(groups) > 1:
            return [line for group in groups for line in _cut(group, depth + 1)]
    return _by_rows(lines)


def _groups(lines: list[Line], axis: int) -> list[list[Line]]:
    """Return the lines in groups between which a strip of the page is empty."""
    ordered = sorted(lines, key=lambda line: line.box[axis])
    groups = [[ordered[0]]]
    reach = ordered[0].box[axis + 2]
    for line in ordered[1:]:
        if line.box[axis] >= reach - 0.5:
            groups.append([])
        groups[-1].append(line)
        reach = max(reach, line.box[axis + 2])
    return groups


def _by_rows(lines: list[Line]) -> list[Line]:
    """Return lines from top to bottom, those at one height from left to right."""
    ordered = sorted(lines, key=lambda line: (line.box[1] + line.box[3]) / 2)
    rows: list[list[Line]] = []
    for line in ordered:
        middle = (line.box[1] + line.box[3]) / 2
        if rows and middle <= rows[-1][0].box[3] - 0.25 * _height(line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda item: item.box[0])]
