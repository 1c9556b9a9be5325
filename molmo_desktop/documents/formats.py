# SPDX-License-Identifier: Apache-2.0
"""The file formats that can be read: names, extensions and kinds. Pure data, no heavy import.

File dialogs and drop targets ask here what to offer. What a file really is, `detect` finds
out from its content; an extension is only a hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FormatKind = Literal["document", "picture"]

# Raise it when a reader reads something differently: texts that were kept are then read anew.
READER_VERSION = 1


@dataclass(frozen=True)
class FormatInfo:
    """One readable format.

    Attributes:
        name: Short lower-case name, as in `Document.format`.
        title: What people call it.
        extensions: Lower case, each with its dot; the usual one first.
        kind: Whether it holds text or is a picture that a model must look at.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    kind: FormatKind = "document"


FORMATS: tuple[FormatInfo, ...] = (
    FormatInfo("pdf", "PDF", (".pdf",)),
    FormatInfo("docx", "Word document", (".docx", ".docm", ".dotx")),
    FormatInfo("pptx", "PowerPoint presentation", (".pptx", ".pptm", ".ppsx", ".potx")),
    FormatInfo("xlsx", "Excel workbook", (".xlsx", ".xlsm", ".xltx")),
    FormatInfo("odt", "OpenDocument text", (".odt", ".ott")),
    FormatInfo("odp", "OpenDocument presentation", (".odp", ".otp", ".odg")),
    FormatInfo("ods", "OpenDocument spreadsheet", (".ods", ".ots")),
    FormatInfo("epub", "EPUB book", (".epub",)),
    FormatInfo("rtf", "Rich Text document", (".rtf",)),
    FormatInfo("eml", "E-mail message", (".eml", ".mht", ".mhtml")),
    FormatInfo("html", "Web page", (".html", ".htm", ".xhtml")),
    FormatInfo("markdown", "Markdown", (".md", ".markdown")),
    FormatInfo("text", "Text", (".txt", ".text", ".log", ".rst", ".adoc", ".tex", ".vtt", ".srt")),
    FormatInfo("json", "JSON", (".json", ".jsonl", ".ndjson")),
    FormatInfo("xml", "XML", (".xml", ".nxml")),
    FormatInfo("csv", "Table of values", (".csv", ".tsv", ".tab")),
    FormatInfo("png", "PNG picture", (".png",), "picture"),
    FormatInfo("jpeg", "JPEG picture", (".jpg", ".jpeg", ".jpe", ".jfif"), "picture"),
    FormatInfo("webp", "WebP picture", (".webp",), "picture"),
    FormatInfo("gif", "GIF picture", (".gif",), "picture"),
    FormatInfo("tiff", "TIFF picture", (".tif", ".tiff"), "picture"),
    FormatInfo("bmp", "BMP picture", (".bmp", ".dib"), "picture"),
    FormatInfo("avif", "AVIF picture", (".avif",), "picture"),
    FormatInfo("heic", "HEIC picture", (".heic", ".heif"), "picture"),
    FormatInfo("jpeg2000", "JPEG 2000 picture", (".jp2", ".j2k", ".jpx"), "picture"),
    FormatInfo("ppm", "Portable pixmap", (".ppm", ".pgm", ".pbm", ".pnm"), "picture"),
    FormatInfo("psd", "Photoshop picture", (".psd",), "picture"),
    FormatInfo("ico", "Icon", (".ico",), "picture"),
    FormatInfo("icns", "Macintosh icon", (".icns",), "picture"),
    FormatInfo("tga", "TGA picture", (".tga",), "picture"),
    FormatInfo("pcx", "PCX picture", (".pcx",), "picture"),
    FormatInfo("sgi", "SGI picture", (".sgi",), "picture"),
    FormatInfo("dds", "DDS texture", (".dds",), "picture"),
    FormatInfo("qoi", "QOI picture", (".qoi",), "picture"),
)

_BY_NAME = {item.name: item for item in FORMATS}
_BY_EXTENSION = {extension: item for item in FORMATS for extension in item.extensions}


def format_info(name: str) -> FormatInfo:
    """Return the format of that name.

    Raises:
        KeyError: There is none.
    """
    return _BY_NAME[name]


def format_of_extension(extension: str) -> FormatInfo | None:
    """Return the format that an extension (with its dot, any case) usually means."""
    return _BY_EXTENSION.get(extension.lower())


def extensions(kind: FormatKind | None = None) -> tuple[str, ...]:
    """Return the extensions of all formats, or of one kind, each with its dot."""
    return tuple(
        extension
        for item in FORMATS
        if kind is None or item.kind == kind
        for extension in item.extensions
    )


def is_picture_format(name: str) -> bool:
    """Whether files of that format are pictures."""
    info = _BY_NAME.get(name)
    return info is not None and info.kind == "picture"
