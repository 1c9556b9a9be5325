# SPDX-License-Identifier: Apache-2.0
"""From characters of a page's text to boxes on the page, one a line."""

from __future__ import annotations

import bisect

from molmo_desktop.core.pages import Box, Page, WordBox

_SAME_LINE_OVERLAP = 0.5
_MAX_GAP_LINE_HEIGHTS = 6.0  # a wider gap is another column


def line_boxes(page: Page, start: int, end: int) -> tuple[Box, ...]:
    """Return the boxes of the words between two characters, merged line by line.

    Args:
        page: Its words are in reading order; a page without words gives no boxes.
        start: First character in the page's text.
        end: One past the last.

    Returns:
        Boxes in points, in reading order.
    """
    first = bisect.bisect_right(page.words, start, key=lambda word: word.end)
    found: list[Box] = []
    for word in page.words[first:]:
        if word.start >= end:
            break
        if found and _same_line(found[-1], word):
            last = found[-1]
            found[-1] = (
                min(last[0], word.x0),
                min(last[1], word.y0),
                max(last[2], word.x1),
                max(last[3], word.y1),
            )
        else:
            found.append((word.x0, word.y0, word.x1, word.y1))
    return tuple(found)


def _same_line(box: Box, word: WordBox) -> bool:
    height = min(box[3] - box[1], word.y1 - word.y0)
    overlap = min(box[3], word.y1) - max(box[1], word.y0)
    gap = max(word.x0 - box[2], box[0] - word.x1)
    return overlap >= _SAME_LINE_OVERLAP * height and gap <= _MAX_GAP_LINE_HEIGHTS * max(
        height, 1.0
    )
