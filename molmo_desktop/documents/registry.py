# SPDX-License-Identifier: Apache-2.0
"""Which reader takes which format. Each is imported only when a file needs it.

A reader is a function ``read(path, sink)``; it runs in the reader's process, knows nothing of
processes or messages, and raises `DocumentError` with a sentence for the user.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from molmo_desktop.core.pages import Page, PageImage
from molmo_desktop.documents import problems
from molmo_desktop.documents.formats import format_info, is_picture_format
from molmo_desktop.documents.sink import Sink

Read = Callable[[Path, Sink], None]

# Written out rather than looked up by name, so that the packaging tool sees the imports.


def _read_pdf(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import pdf

    pdf.read(path, sink)


def _read_text(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import text

    text.read(path, sink)


def _read_docx(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import docx

    docx.read(path, sink)


def _read_pptx(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import pptx

    pptx.read(path, sink)


def _read_xlsx(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import xlsx

    xlsx.read(path, sink)


def _read_html(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import html

    html.read(path, sink)


def _read_csv(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import csv_table

    csv_table.read(path, sink)


def _read_odf(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import odf

    odf.read(path, sink)


def _read_epub(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import epub

    epub.read(path, sink)


def _read_rtf(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import rtf

    rtf.read(path, sink)


def _read_mail(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import mail

    mail.read(path, sink)


def _read_xml(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import xml_text

    xml_text.read(path, sink)


def _read_json(path: Path, sink: Sink) -> None:
    from molmo_desktop.documents import json_text

    json_text.read(path, sink)


READERS: dict[str, Read] = {
    "pdf": _read_pdf,
    "docx": _read_docx,
    "pptx": _read_pptx,
    "xlsx": _read_xlsx,
    "odt": _read_odf,
    "odp": _read_odf,
    "ods": _read_odf,
    "epub": _read_epub,
    "rtf": _read_rtf,
    "eml": _read_mail,
    "html": _read_html,
    "xml": _read_xml,
    "json": _read_json,
    "csv": _read_csv,
    "markdown": _read_text,
    "text": _read_text,
}


def read_file(path: Path, format_name: str, sink: Sink) -> None:
    """Read a file of a known format into the sink."""
    if is_picture_format(format_name):
        from molmo_desktop.documents import pictures

        pictures.read(path, sink, format_name=format_name)
        return
    READERS[format_name](path, sink)


def render_page(path: Path, format_name: str, page_number: int, max_px: int | None) -> PageImage:
    """Return a page as pixels.

    Args:
        path: The file.
        format_name: Its format.
        page_number: Counts from 1.
        max_px: Longest side in pixels; None = a picture's own size.

    Raises:
        UnsupportedFormatError: The format has no pages that could be drawn.
    """
    if is_picture_format(format_name):
        from molmo_desktop.documents import pictures

        return pictures.decode(path, page_number, format_name=format_name, max_px=max_px)
    if format_name == "pdf":
        from molmo_desktop.documents import pdf

        return pdf.render(path, page_number, max_px=max_px)
    raise problems.unsupported_rendering(path, format_info(format_name).title)


def recognise_page(
    path: Path, format_name: str, page_number: int, beat: Callable[[], None]
) -> Page:
    """Return a page of a PDF, or a frame of a picture, read by text recognition.

    Raises:
        UnsupportedFormatError: The format has no pages that could be drawn.
    """
    from molmo_desktop.documents import ocr

    is_picture = is_picture_format(format_name)
    if format_name == "pdf":
        from molmo_desktop.documents import pdf

        image = pdf.render(path, page_number, dpi=ocr.DPI)
    else:
        image = render_page(path, format_name, page_number, None)
    beat()
    return ocr.recognise(image, page_number, is_picture=is_picture, beat=beat)
