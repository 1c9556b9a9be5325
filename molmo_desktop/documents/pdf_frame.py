# SPDX-License-Identifier: Apache-2.0
"""From PDF user space to the upright page: origin top left, points, as it is shown.

User space has its origin at the bottom left of the media box, ignores the crop box and is not
turned by ``/Rotate``; the page that people see is cropped and turned.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import pypdfium2.raw as pdfium_c

Box = tuple[float, float, float, float]
_SLACK_PT = 1.0


@dataclass(frozen=True)
class PageFrame:
    """The visible part of a page.

    Attributes:
        left: Of the visible part, in user space, points.
        bottom: Likewise.
        right: Likewise.
        top: Likewise.
        quarter_turns: Clockwise, 0 to 3.
    """

    left: float
    bottom: float
    right: float
    top: float
    quarter_turns: int

    @property
    def width_pt(self) -> float:
        """Width of the upright page."""
        across = self.right - self.left
        return self.top - self.bottom if self.quarter_turns % 2 else across

    @property
    def height_pt(self) -> float:
        """Height of the upright page."""
        up = self.top - self.bottom
        return self.right - self.left if self.quarter_turns % 2 else up

    def upright(self, rect: Box) -> Box:
        """Return a user-space box (left, bottom, right, top) as (x0, y0, x1, y1) upright."""
        left, bottom, right, top = rect
        if self.quarter_turns == 0:
            return left - self.left, self.top - top, right - self.left, self.top - bottom
        if self.quarter_turns == 1:
            return bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
        if self.quarter_turns == 2:
            return self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
        return self.top - top, self.right - right, self.top - bottom, self.right - left

    def holds_middle(self, rect: Box) -> bool:
        """Whether the middle of a user-space box lies in the visible part."""
        x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
        return (
            self.left - _SLACK_PT <= x <= self.right + _SLACK_PT
            and self.bottom - _SLACK_PT <= y <= self.top + _SLACK_PT
        )


def page_frame(page: object) -> PageFrame:
    """Return the frame of a loaded page (a raw ``FPDF_PAGE``)."""
    rectangle = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDF_GetPageBoundingBox(page, ctypes.byref(rectangle)):
        return PageFrame(0, 0, 612, 792, 0)
    left, right = sorted((rectangle.left, rectangle.right))
    bottom, top = sorted((rectangle.bottom, rectangle.top))
    if right - left < 1 or top - bottom < 1:
        return PageFrame(0, 0, 612, 792, 0)
    return PageFrame(left, bottom, right, top, pdfium_c.FPDFPage_GetRotation(page) % 4)
