# SPDX-License-Identifier: Apache-2.0
"""PDF files through PDFium: text layer with word boxes, page labels, and pages as pixels.

PDFium is not safe for threads; this module is used in the reader's process, one file at a
time. What the text of a page is and where its words stand, `pdf_text` says.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.pages import PageImage
from molmo_desktop.documents import problems
from molmo_desktop.documents.pages_in_words import page_list
from molmo_desktop.documents.pdf_frame import PageFrame, page_frame
from molmo_desktop.documents.pdf_text import PageText, read_text
from molmo_desktop.documents.sink import MAX_PAGES, Sink

_TITLE = "PDF"
_MAX_RENDER_PX = 10_000
# Without a limit a page is drawn at this many pixels an inch.
_DEFAULT_DPI = 150
_POINTS_PER_INCH = 72
_LABEL_CHARS = 64


def read(path: Path, sink: Sink) -> None:
    """Put every page with its text and word boxes.

    A page that cannot be read or has no text is named in a warning; the others stay usable.

    Raises:
        PasswordRequiredError: The file is encrypted.
        DocumentUnreadableError: Damaged, or without pages.
    """
    findings = _Findings()
    with _opened(path) as document:
        page_count = min(len(document), MAX_PAGES)
        sink.expect(page_count)
        form = _form_of(document)
        for index in range(page_count):
            label = _label(document, index)
            try:
                frame, text = _read_page(document, index, form)
            except pdfium.PdfiumError:
                findings.damaged.append(index + 1)
                sink.page("", label=label)
                continue
            findings.note(index + 1, text)
            sink.page(
                text.text,
                width_pt=frame.width_pt,
                height_pt=frame.height_pt,
                words=text.words,
                label=label,
            )
        if page_count < len(document):
            sink.warn(f"Only the first {page_count} of {len(document)} pages were read.")
    if len(findings.damaged) == page_count:
        raise problems.damaged(path, _TITLE, "no page could be loaded")
    findings.warn(sink)


@dataclass
class _Findings:
    """Numbers of the pages with which something is wrong."""

    damaged: list[int] = field(default_factory=list)
    without_text: list[int] = field(default_factory=list)
    garbled: list[int] = field(default_factory=list)
    off_page: list[int] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)

    def note(self, page_number: int, text: PageText) -> None:
        """Take down what a page's text shows."""
        if text.is_garbled:
            self.garbled.append(page_number)
        elif not text.text.strip():
            self.without_text.append(page_number)
        if text.has_off_page:
            self.off_page.append(page_number)
        if text.has_hidden:
            self.hidden.append(page_number)

    def warn(self, sink: Sink) -> None:
        """Tell the user, a sentence for each kind."""
        outside = "text outside the visible page, which was left out"
        invisible = "hidden text, which was left out"
        unusable = "text that cannot be understood, which was left out"
        for pages, one, several in (
            (self.damaged, "could not be read", "could not be read"),
            (self.without_text, "has no text", "have no text"),
            (self.garbled, f"has {unusable}", f"have {unusable}"),
            (self.off_page, f"has {outside}", f"have {outside}"),
            (self.hidden, f"has {invisible}", f"have {invisible}"),
        ):
            if pages:
                sink.warn(f"{page_list(pages)} {one if len(pages) == 1 else several}.")


def render(
    path: Path, page_number: int, *, max_px: int | None = None, dpi: float = _DEFAULT_DPI
) -> PageImage:
    """Draw a page, its longest side ``max_px`` pixels.

    Args:
        path: The file.
        page_number: Counts from 1.
        max_px: Longest side; None = as ``dpi`` says.
        dpi: Pixels an inch where ``max_px`` does not say otherwise.

    Raises:
        UsageError: There is no such page.
        PasswordRequiredError: The file is encrypted.
        DocumentUnreadableError: The file or this page is damaged.
    """
    with _opened(path) as document:
        if not 1 <= page_number <= len(document):
            raise problems.no_such_page(path, page_number, len(document))
        # Filled-in fields of a form are drawn only when its form environment is there.
        document.init_forms()
        page = document[page_number - 1]
        try:
            frame = page_frame(page.raw)
            longest_pt = max(frame.width_pt, frame.height_pt)
            target_px = max_px or longest_pt * dpi / _POINTS_PER_INCH
            scale = max(1.0, min(target_px, _MAX_RENDER_PX)) / longest_pt
            bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
            try:
                return _as_image(bitmap, scale)
            finally:
                bitmap.close()
        finally:
            page.close()


@contextmanager
def _opened(path: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a PDF and translate PDFium's error codes."""
    stream = None
    try:
        try:
            # PDFium takes names in UTF-8 only; any other name is opened by us.
            str(path).encode("utf-8")
            document = pdfium.PdfDocument(path)
        except UnicodeEncodeError:
            stream = path.open("rb")
            document = pdfium.PdfDocument(stream)
    except pdfium.PdfiumError as error:
        if stream is not None:
            stream.close()
        raise _open_problem(path, error) from error
    try:
        if len(document) < 1:
            raise problems.damaged(path, _TITLE, "no pages")
        yield document
    except pdfium.PdfiumError as error:
        raise problems.damaged(path, _TITLE, str(error)) from error
    finally:
        document.close()
        if stream is not None:
            stream.close()


def _open_problem(path: Path, error: pdfium.PdfiumError) -> MolmoDesktopError:
    code = getattr(error, "err_code", None)
    if code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY):
        return problems.needs_password(path)
    return problems.damaged(path, _TITLE, str(error))


def _form_of(document: pdfium.PdfDocument) -> Any:
    """Return the raw form environment of a document with a form, None for others."""
    if pdfium_c.FPDF_GetFormType(document.raw) == pdfium_c.FORMTYPE_NONE:
        return None
    document.init_forms()
    return document.formenv.raw if document.formenv is not None else None


def _read_page(document: pdfium.PdfDocument, index: int, form: Any) -> tuple[PageFrame, PageText]:
    """Return a page's frame and text.

    Raises:
        PdfiumError: The page cannot be loaded.
    """
    page = pdfium_c.FPDF_LoadPage(document.raw, index)
    if not page:
        raise pdfium.PdfiumError("Failed to load page.")
    if form is not None:
        pdfium_c.FORM_OnAfterLoadPage(page, form)
    try:
        frame = page_frame(page)
        return frame, read_text(page, frame, form)
    finally:
        if form is not None:
            pdfium_c.FORM_OnBeforeClosePage(page, form)
        pdfium_c.FPDF_ClosePage(page)


def _label(document: pdfium.PdfDocument, index: int) -> str:
    """Return the page's own name where it differs from its number."""
    size = pdfium_c.FPDF_GetPageLabel(document.raw, index, None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium_c.FPDF_GetPageLabel(document.raw, index, buffer, size)
    label = buffer.raw[: size - 2].decode("utf-16-le", "replace").strip()
    return "" if label == str(index + 1) else label[:_LABEL_CHARS]


def _as_image(bitmap: pdfium.PdfBitmap, scale: float) -> PageImage:
    """Return a bitmap's rows without the padding at their ends."""
    row_bytes = bitmap.width * 3
    content = bytes(bitmap.buffer)
    if bitmap.stride != row_bytes:
        content = b"".join(
            content[start : start + row_bytes]
            for start in range(0, bitmap.height * bitmap.stride, bitmap.stride)
        )
    return PageImage(bitmap.width, bitmap.height, content[: row_bytes * bitmap.height], scale)
