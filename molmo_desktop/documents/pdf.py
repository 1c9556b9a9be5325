# SPDX-License-Identifier: Apache-2.0
"""PDF files through PDFium: text layer with word boxes, page labels, and pages as pixels.

PDFium is not safe for threads; this module is used in the reader's process, one file at a
time. What the text of a page is and where its words stand, `pdf_text` says.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    with _opened(path) as document:
        page_count = min(len(document), MAX_PAGES)
        sink.expect(page_count)
        damaged: list[int] = []
        without_text: list[int] = []
        off_page: list[int] = []
        hidden: list[int] = []
        for index in range(page_count):
            label = _label(document, index)
            try:
                frame, text = _read_page(document, index)
            except pdfium.PdfiumError:
                damaged.append(index + 1)
                sink.page("", label=label)
                continue
            if not text.text.strip():
                without_text.append(index + 1)
            if text.has_off_page:
                off_page.append(index + 1)
            if text.has_hidden:
                hidden.append(index + 1)
            sink.page(
                text.text,
                width_pt=frame.width_pt,
                height_pt=frame.height_pt,
                words=text.words,
                label=label,
            )
    if len(damaged) == page_count:
        raise problems.damaged(path, _TITLE, "no page could be loaded")
    _warn(sink, damaged, "could not be read", "could not be read")
    _warn(sink, without_text, "has no text", "have no text")
    outside = "text outside the visible page, which was left out"
    _warn(sink, off_page, f"has {outside}", f"have {outside}")
    invisible = "hidden text, which was left out"
    _warn(sink, hidden, f"has {invisible}", f"have {invisible}")


def render(path: Path, page_number: int, *, max_px: int | None = None) -> PageImage:
    """Draw a page, its longest side ``max_px`` pixels.

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
            target_px = max_px or longest_pt * _DEFAULT_DPI / _POINTS_PER_INCH
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


def _read_page(document: pdfium.PdfDocument, index: int) -> tuple[PageFrame, PageText]:
    """Return a page's frame and text.

    Raises:
        PdfiumError: The page cannot be loaded.
    """
    page = pdfium_c.FPDF_LoadPage(document.raw, index)
    if not page:
        raise pdfium.PdfiumError("Failed to load page.")
    try:
        frame = page_frame(page)
        return frame, read_text(page, frame)
    finally:
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


def _warn(sink: Sink, pages: list[int], one: str, several: str) -> None:
    if pages:
        sink.warn(f"{page_list(pages)} {one if len(pages) == 1 else several}.")
