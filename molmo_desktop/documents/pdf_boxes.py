# SPDX-License-Identifier: Apache-2.0
"""Where runs of characters stand on a PDF page, and whether they can be seen.

A word is boxed by the *loose* boxes (the font's full height, the glyph's full advance) of its
first and last character: two calls a word instead of one for each character. Some fonts give
an absurd height; their words are boxed by what is really drawn.
"""

from __future__ import annotations

import ctypes
import math
import struct
from typing import Any

import pypdfium2.raw as pdfium_c

# A loose box more than this many times the font's size is the font's mistake.
_TALL = 2.2
_MIN_SIDE_PT = 0.05
# Nobody reads letters smaller than this; they are there for machines.
_MIN_HEIGHT_PT = 1.0
_COVERS_PAGE = 0.5
_MAX_OBJECTS = 5_000


# Left, bottom, right, top in PDF user space: points, origin bottom left.
Rect = tuple[float, float, float, float]


def short_side(rect: Rect) -> float:
    """Return a box's height, or its width where that is less (letters that run upwards)."""
    return min(rect[3] - rect[1], rect[2] - rect[0])


# The same function with plain addresses for pointers: half the time of a call, and there are two
# calls a word. It keeps the interpreter's lock, which is as well for something so short.
_LOOSE_BOX = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(pdfium_c.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)
_RECT = struct.Struct("=4f")  # FS_RECTF: left, top, right, bottom


class CharacterBoxes:
    """Boxes of the characters of one loaded text page (a raw ``FPDF_TEXTPAGE``)."""

    def __init__(self, text_page: Any) -> None:
        self._text_page = text_page
        self._address = ctypes.cast(text_page, ctypes.c_void_p).value
        self._buffer = (ctypes.c_float * 4)()
        self._buffer_address = ctypes.addressof(self._buffer)
        self._doubles = [ctypes.c_double() for _ in range(4)]

    def around(self, first: int, last: int) -> Rect:
        """Return the box around characters ``first`` to ``last``, both included."""
        _LOOSE_BOX(self._address, first, self._buffer_address)
        left, top, right, bottom = _RECT.unpack_from(self._buffer)
        if last != first:
            _LOOSE_BOX(self._address, last, self._buffer_address)
            left_2, top_2, right_2, bottom_2 = _RECT.unpack_from(self._buffer)
            # Written out: min() and max() of two would cost more than the call above.
            if left_2 < left:
                left = left_2
            if bottom_2 < bottom:
                bottom = bottom_2
            if right_2 > right:
                right = right_2
            if top_2 > top:
                top = top_2
        if right - left < _MIN_SIDE_PT or top - bottom < _MIN_SIDE_PT:
            return self.drawn(first, last)
        return left, bottom, right, top

    def is_too_tall(self, rect: Rect, index: int) -> bool:
        """Whether a box is far higher (and wider, for turned text) than its letters' size."""
        size = self._size_pt(index)
        return size > 0 and short_side(rect) > _TALL * size

    def drawn(self, first: int, last: int) -> Rect:
        """Return the union of what is drawn for each character."""
        left = bottom = math.inf
        right = top = -math.inf
        x0, x1, y0, y1 = self._doubles
        for index in range(first, last + 1):
            if pdfium_c.FPDFText_GetCharBox(self._text_page, index, x0, x1, y0, y1):
                left, right = min(left, x0.value), max(right, x1.value)
                bottom, top = min(bottom, y0.value), max(top, y1.value)
        return (left, bottom, right, top) if left <= right else (0.0, 0.0, 0.0, 0.0)

    def is_invisible(self, index: int) -> bool:
        """Whether a character is drawn without ink (render mode 3)."""
        text_object = pdfium_c.FPDFText_GetTextObject(self._text_page, index)
        if not text_object:
            return False
        mode = pdfium_c.FPDFTextObj_GetTextRenderMode(text_object)
        return bool(mode == pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE)

    def is_tiny(self, rect: Rect, index: int) -> bool:
        """Whether letters are too small for anybody to read."""
        return short_side(rect) < _MIN_HEIGHT_PT and 0 < self._size_pt(index) < _MIN_HEIGHT_PT

    def _size_pt(self, index: int) -> float:
        """Return the size of a letter as it is drawn: the font's size times its matrix."""
        matrix = pdfium_c.FS_MATRIX()
        scale = 1.0
        if pdfium_c.FPDFText_GetMatrix(self._text_page, index, ctypes.byref(matrix)):
            scale = math.hypot(matrix.c, matrix.d)
        return float(pdfium_c.FPDFText_GetFontSize(self._text_page, index)) * scale


def has_covering_picture(page: Any, width_pt: float, height_pt: float) -> bool:
    """Whether pictures cover at least half of a loaded page, as on a scan."""
    covered = 0.0
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for index in range(min(pdfium_c.FPDFPage_CountObjects(page), _MAX_OBJECTS)):
        item = pdfium_c.FPDFPage_GetObject(page, index)
        if pdfium_c.FPDFPageObj_GetType(item) not in (
            pdfium_c.FPDF_PAGEOBJ_IMAGE,
            pdfium_c.FPDF_PAGEOBJ_FORM,
        ):
            continue
        if pdfium_c.FPDFPageObj_GetBounds(item, left, bottom, right, top):
            covered += (right.value - left.value) * (top.value - bottom.value)
    return covered >= _COVERS_PAGE * width_pt * height_pt
