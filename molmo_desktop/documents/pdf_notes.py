# SPDX-License-Identifier: Apache-2.0
"""What people wrote onto a PDF: filled-in form fields, typed text, comments.

None of it is in the page's text layer, all of it is seen on the page. A field's value is put
into the line that it stands on ("Name: Ada Lovelace"); comments come after the page's text.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2.raw as pdfium_c

from molmo_desktop.documents.pdf_frame import Box, PageFrame
from molmo_desktop.documents.pdf_layout import Line, Word, make_line

_MAX_ANNOTATIONS = 2_000
_MAX_VALUE_BYTES = 200_000
_UNSEEN = (
    pdfium_c.FPDF_ANNOT_FLAG_HIDDEN
    | pdfium_c.FPDF_ANNOT_FLAG_NOVIEW
    | pdfium_c.FPDF_ANNOT_FLAG_INVISIBLE
)
_PASSWORD_FIELD = 1 << 13  # ISO 32000-1, table 228
_VALUE_FIELDS = (
    pdfium_c.FPDF_FORMFIELD_TEXTFIELD,
    pdfium_c.FPDF_FORMFIELD_COMBOBOX,
    pdfium_c.FPDF_FORMFIELD_LISTBOX,
)
_TICKED_FIELDS = (pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON)


def with_notes(lines: list[Line], page: Any, form: Any, frame: PageFrame) -> list[Line]:
    """Return a page's lines with what was written onto it.

    Args:
        lines: Of the text layer.
        page: A loaded page (raw ``FPDF_PAGE``).
        form: The document's form environment (raw), None when it has no form.
        frame: Of the page.
    """
    comments: list[Line] = []
    for text, box, is_comment in _notes(page, form, frame):
        written = _lines_in(text, box)
        if is_comment:
            comments.extend(written)
        elif len(written) != 1 or not _put_into(lines, written[0]):
            lines = [*lines, *written]
    return [*lines, *comments]


def _notes(page: Any, form: Any, frame: PageFrame) -> Iterator[tuple[str, Box, bool]]:
    """Yield text, upright box and whether it is a comment, for each visible annotation."""
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if pdfium_c.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
                continue
            subtype = pdfium_c.FPDFAnnot_GetSubtype(annotation)
            if subtype == pdfium_c.FPDF_ANNOT_WIDGET:
                text, is_comment = (_field_text(form, annotation) if form else ""), False
            elif subtype == pdfium_c.FPDF_ANNOT_FREETEXT:
                text, is_comment = _contents(annotation), False
            elif subtype in (pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP):
                continue
            else:
                text, is_comment = _contents(annotation), True
            box = _box(annotation, frame)
            if text.strip() and box is not None:
                yield f"Comment: {text}" if is_comment else text, box, is_comment
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _field_text(form: Any, annotation: Any) -> str:
    """Return what a form field shows."""
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _TICKED_FIELDS:
        return "[x]" if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else "[ ]"
    if kind not in _VALUE_FIELDS:
        return ""
    if pdfium_c.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD_FIELD:
        return ""
    return _text_of(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation)


def _contents(annotation: Any) -> str:
    return _text_of(pdfium_c.FPDFAnnot_GetStringValue, annotation, b"Contents")


def _text_of(function: Any, *arguments: Any) -> str:
    """Call a function that writes UTF-16 into a buffer and returns the bytes it needs."""
    size = function(*arguments, None, 0)
    if not 2 < size <= _MAX_VALUE_BYTES:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    function(*arguments, buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace").replace("\r", "\n")


def _box(annotation: Any, frame: PageFrame) -> Box | None:
    """Return an annotation's box on the upright page, None when it lies outside."""
    rectangle = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDFAnnot_GetRect(annotation, ctypes.byref(rectangle)):
        return None
    left, right = sorted((rectangle.left, rectangle.right))
    bottom, top = sorted((rectangle.bottom, rectangle.top))
    user_box = (left, bottom, right, top)
    return frame.upright(user_box) if frame.holds_middle(user_box) else None


def _lines_in(text: str, box: Box) -> list[Line]:
    """Return text as lines that share a box from top to bottom."""
    rows = [row.split() for row in text.splitlines() if row.strip()]
    x0, y0, x1, y1 = box
    step = (y1 - y0) / max(1, len(rows))
    return [
        make_line(
            [Word(word, (x0, y0 + at * step, x1, y0 + (at + 1) * step), False) for word in row]
        )
        for at, row in enumerate(rows)
    ]


def _put_into(lines: list[Line], written: Line) -> bool:
    """Put a value into the line that it stands on; False when there is none."""
    x0, y0, _, y1 = written.box
    middle = (y0 + y1) / 2
    for at, line in enumerate(lines):
        if line.box[1] <= middle <= line.box[3] and line.box[0] < x0 and not line.is_hyphenated:
            place = sum(word.box[0] < x0 for word in line.words)
            words = [*line.words[:place], *written.words, *line.words[place:]]
            lines[at] = make_line(words)
            return True
    return False
