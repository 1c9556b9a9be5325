# SPDX-License-Identifier: Apache-2.0
"""Points in an answer: the tags that models write, and the text without them.

Understood: ``<point x="61.5" y="40.6" alt="a">label</point>`` and
``<points x1="…" y1="…" x2="…" y2="…" alt="a">label</points>``, percent of width and height.
The tag must be opened completely; the closing tag may be missing, as in an answer cut short.
Values outside 0 to 100 are dropped: such a point lies in no picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"<points?\s(?P<attributes>[^<>]*)>(?P<label>[^<]*)(?:</points?>)?")
_PAIR = re.compile(r'x(\d*)="\s*([0-9]+(?:\.[0-9]+)?)"\s+y\d*="\s*([0-9]+(?:\.[0-9]+)?)"')
_ALT = re.compile(r'alt="([^"]*)"')
_OPENERS = ("<point ", "<points ")


@dataclass(frozen=True)
class ParsedPoint:
    """One point as the model wrote it, percent of the picture's width and height."""

    x_percent: float
    y_percent: float
    label: str


def parse_points(text: str) -> list[ParsedPoint]:
    """Return the points of an answer in the order they stand in."""
    points = []
    for tag in _TAG.finditer(text):
        alt = _ALT.search(tag["attributes"])
        label = tag["label"].strip() or (alt[1] if alt else "")
        for _, x_text, y_text in _PAIR.findall(tag["attributes"]):
            x_percent, y_percent = float(x_text), float(y_text)
            if x_percent <= 100 and y_percent <= 100:
                points.append(ParsedPoint(x_percent, y_percent, label))
    return points


def display_text(text: str) -> str:
    """Return the answer as people read it: each tag becomes its label."""
    return _TAG.sub(lambda tag: tag["label"], text)


class PointTagFilter:
    """Hides point tags while text streams: a partial tag is held back until it is whole."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece and return what may be shown now."""
        self._held += text
        shown = ""
        while self._held:
            start = self._held.find("<")
            if start < 0:
                shown, self._held = shown + self._held, ""
                break
            shown, self._held = shown + self._held[:start], self._held[start:]
            if not _may_be_point_tag(self._held):
                shown, self._held = shown + self._held[0], self._held[1:]
                continue
            closed = re.match(r"<points?\s[^<>]*>[^<]*</points?>", self._held)
            if not closed:
                break
            shown, self._held = shown + display_text(closed[0]), self._held[closed.end() :]
        return shown

    def flush(self) -> str:
        """Return what is left at the end of the answer."""
        rest, self._held = display_text(self._held), ""
        return rest


def _may_be_point_tag(text: str) -> bool:
    return any(text.startswith(opener[: len(text)]) for opener in _OPENERS)
