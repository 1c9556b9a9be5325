# SPDX-License-Identifier: Apache-2.0
"""What a file is: by its content first, by its extension only where content cannot tell.

A wrong extension is common (a PDF saved as .txt, a web page saved as .xls), so the file is
read for what it is. Whatever is not readable gets a sentence that names it and says what
would help.
"""

from __future__ import annotations

import importlib.util
import os
import re
import stat
import zipfile
import zlib
from pathlib import Path

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.documents import problems
from molmo_desktop.documents.formats import format_info, format_of_extension

_HEAD_BYTES = 65_536
_CONTENT_TYPES = "[Content_Types].xml"
_CONTENT_TYPES_MAX_BYTES = 1 << 20

# Types that are recognised only to be refused in words: beginning → (what it is, what helps).
_UNPACK = "Unpack it and attach the files inside."
_CONVERT_PICTURE = "Open it in a picture viewer and save it as JPEG or PNG."
_REFUSED_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a packed archive", _UNPACK),
    (b"BZh", "a packed archive", _UNPACK),
    (b"\xfd7zXZ\x00", "a packed archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a packed archive", _UNPACK),
    (b"Rar!\x1a\x07", "a packed archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a packed archive", _UNPACK),
    (b"GGUF", "a language model", "Choose it in the model picker instead of attaching it."),
    (b"\x7fELF", "a program", "Attach a document or a picture."),
    (b"MZ", "a program", "Attach a document or a picture."),
    (b"\xcf\xfa\xed\xfe", "a program", "Attach a document or a picture."),
    (b"SQLite format 3\x00", "a database", "Export the table as .csv and attach that."),
    (b"\xff\x0a", "a JPEG XL picture", _CONVERT_PICTURE),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture", _CONVERT_PICTURE),
    (b"ID3", "a sound file", "Attach a written transcript of it."),
    (b"OggS", "a sound file", "Attach a written transcript of it."),
    (b"fLaC", "a sound file", "Attach a written transcript of it."),
    (b"\x1aE\xdf\xa3", "a film", "Attach single pictures or a transcript of it."),
)
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS: tuple[tuple[str, str, str], ...] = (
    (
        "WordDocument",
        "an old Word document (.doc)",
        "Open it in Word or LibreOffice and save it as .docx or PDF.",
    ),
    (
        "PowerPoint Document",
        "an old PowerPoint presentation (.ppt)",
        "Open it in PowerPoint or LibreOffice and save it as .pptx or PDF.",
    ),
    (
        "Workbook",
        "an old Excel workbook (.xls)",
        "Open it in Excel or LibreOffice and save it as .xlsx or .csv.",
    ),
    (
        "Book",
        "an old Excel workbook (.xls)",
        "Open it in Excel or LibreOffice and save it as .xlsx or .csv.",
    ),
    (
        "__properties_version1.0",
        "an Outlook message (.msg)",
        "Open it in Outlook and save it as text or PDF.",
    ),
)
_FTYP_AVIF = (b"avif", b"avis")
_FTYP_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ZIP_MAIN_TYPES: tuple[tuple[str, str], ...] = (
    ("wordprocessingml.", "docx"),
    ("ms-word.document.macroEnabled", "docx"),
    ("presentationml.presentation", "pptx"),
    ("presentationml.slideshow", "pptx"),
    ("presentationml.template", "pptx"),
    ("ms-powerpoint.", "pptx"),
    ("spreadsheetml.sheet.main", "xlsx"),
    ("spreadsheetml.template.main", "xlsx"),
    ("ms-excel.sheet.macroEnabled.main", "xlsx"),
    ("ms-excel.template.macroEnabled.main", "xlsx"),
)
_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>)?\s*(?:<!--.{0,4000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
# Control characters that text never holds (tab, line ends, form feed and escape it may).
_BINARY_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BINARY_SHARE = 0.02
_XML_START = re.compile(rb"\s*<\?xml\s")
_HEADER = re.compile(rb"^([A-Za-z][A-Za-z-]{1,40}):", re.MULTILINE)
# A letter quotes "From:" and "Date:" as well; these two only programs write.
_MAIL_HEADERS = frozenset((
    b"from", b"to", b"date", b"subject", b"received", b"return-path", b"message-id",
    b"mime-version", b"content-type", b"delivered-to", b"x-mailer", b"reply-to",
))  # fmt: skip
_MAIL_MARKS = frozenset((b"message-id", b"mime-version", b"received", b"return-path"))
_MIN_MAIL_HEADERS = 3
_ODF_TYPE = "application/vnd.oasis.opendocument."
_ODF_KINDS = (
    ("text", "odt"),
    ("presentation", "odp"),
    ("graphics", "odp"),
    ("spreadsheet", "ods"),
)


_PICTURE_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"8BPS\x00\x01", "psd"),
    (b"icns", "icns"),
    (b"\x01\xda", "sgi"),
    (b"DDS ", "dds"),
    (b"qoif", "qoi"),
)
# What begins like other files as well: the extension has to say the same.
_PICTURE_STARTS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"P[1-6][ \t\r\n#]"), "ppm"),
    (re.compile(rb"\x00\x00\x01\x00[^\x00]\x00"), "ico"),
    (re.compile(rb"\x0a[\x00\x02\x03\x05]\x01"), "pcx"),
    (re.compile(rb".[\x00\x01][\x01\x02\x03\x09\x0a\x0b]", re.DOTALL), "tga"),
)
_ZIP_FORMATS = ("docx", "pptx", "xlsx", "odt", "odp", "ods", "epub")
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def check_file(path: Path) -> int:
    """Return the file's size in bytes once it is known to be a file with something in it.

    Raises:
        DocumentNotFoundError: Nothing there, a folder, or not an ordinary file.
        DocumentUnreadableError: Not allowed to look, or empty.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise problems.missing(path) from error
    except ValueError as error:  # a path with a zero byte in it
        raise problems.missing(path) from error
    except OSError as error:
        raise problems.no_permission(path, str(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise problems.is_folder(path)
    if not stat.S_ISREG(status.st_mode):
        raise problems.not_a_file(path)
    if status.st_size == 0:
        raise problems.empty(path)
    return status.st_size


def detect_format(path: Path) -> str:
    """Return the short name of the file's format.

    Raises:
        DocumentNotFoundError: Nothing there, or a folder.
        DocumentUnreadableError: Empty, not to be opened, or damaged.
        PasswordRequiredError: An encrypted office file.
        UnsupportedFormatError: A type that no reader knows; the hint says what would help.
    """
    check_file(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise problems.no_permission(path, str(error)) from error
    found = _by_magic(head) or _by_start(path, head)
    if found:
        return found
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _in_zip(path)
    if head.startswith(_OLE_MAGIC):
        raise _ole_problem(path)
    for magic, what, hint in _REFUSED_MAGIC:
        # Two letters may begin a text as well; three or more bytes hardly do.
        if head.startswith(magic) and (len(magic) > 2 or _looks_binary(head)):
            raise problems.unsupported(path, what, hint)
    if head[4:8] == b"ftyp":
        raise _ftyp_problem(path, head)
    if _looks_binary(head):
        raise _binary_problem(path)
    return _text_format(path, head)


def _by_magic(head: bytes) -> str | None:
    """Return the format of a file whose first bytes are its own mark."""
    if b"%PDF-" in head[:1024]:
        return "pdf"
    for magic, name in _PICTURE_MAGIC:
        # Two bytes may begin other files as well.
        if head.startswith(magic) and (len(magic) > 2 or _looks_binary(head)):
            return name
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        return "bmp"
    if head[4:8] == b"ftyp" and any(brand in _brands(head) for brand in _FTYP_AVIF):
        return "avif"
    is_heic = head[4:8] == b"ftyp" and any(brand in _brands(head) for brand in _FTYP_HEIC)
    return "heic" if is_heic and importlib.util.find_spec("pi_heif") else None


def _by_start(path: Path, head: bytes) -> str | None:
    """Return the format of a file whose first bytes and extension say the same."""
    info = format_of_extension(path.suffix)
    for pattern, name in _PICTURE_STARTS:
        if info is not None and info.name == name and pattern.match(head):
            return name
    return None


def _brands(head: bytes) -> list[bytes]:
    """Return the brands that the first box of a film or HEIF file names."""
    size = min(int.from_bytes(head[:4], "big"), 256)
    return [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]


def _in_zip(path: Path) -> str:
    """Return which format an archive holds, by its list of members and what they say it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            types = _member_text(archive, names, _CONTENT_TYPES)
            kind = _member_text(archive, names, "mimetype").strip()
            manifest = _member_text(archive, names, "META-INF/manifest.xml")
    except _ZIP_ERRORS as error:
        raise _broken_zip(path, str(error)) from error
    for part, name in _ZIP_MAIN_TYPES:
        if part in types:
            return name
    for member, name in (
        ("word/document.xml", "docx"),
        ("ppt/presentation.xml", "pptx"),
        ("xl/workbook.xml", "xlsx"),
        ("META-INF/container.xml", "epub"),
    ):
        if member in names:
            return name
    if "content.xml" in names:
        for word, name in _ODF_KINDS:
            if (kind or manifest).startswith(_ODF_TYPE + word) or (
                not kind and f'"{_ODF_TYPE}{word}' in manifest
            ):
                return name
    raise _zip_problem(path, names)


def _member_text(archive: zipfile.ZipFile, names: set[str], name: str) -> str:
    """Return the beginning of a member, empty when there is none."""
    if name not in names:
        return ""
    with archive.open(name) as stream:
        return stream.read(_CONTENT_TYPES_MAX_BYTES).decode("utf-8", "replace")


def _broken_zip(path: Path, detail: str) -> MolmoDesktopError:
    info = format_of_extension(path.suffix)
    return problems.damaged(path, info.title if info else "archive", detail)


def _zip_problem(path: Path, names: set[str]) -> MolmoDesktopError:
    """Return the refusal of an archive that is no office document of the usual kind."""
    if "xl/workbook.bin" in names:
        return problems.unsupported(
            path, "a binary Excel workbook (.xlsb)", "Save it as .xlsx or .csv."
        )
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        return problems.unsupported(
            path,
            "an OpenDocument file of a kind that holds no text",
            "Open it in LibreOffice and save it as PDF.",
        )
    info = format_of_extension(path.suffix)
    if info is not None and info.name in _ZIP_FORMATS:
        return problems.damaged(path, info.title)
    return problems.unsupported(path, "a packed archive", _UNPACK)


def _ole_problem(path: Path) -> MolmoDesktopError:
    """Return the refusal of a file of the years before 2007, or of an encrypted one."""
    with path.open("rb") as stream:
        content = stream.read(8 << 20)
    # Stream names stand in the directory as UTF-16.
    if "EncryptedPackage".encode("utf-16-le") in content:
        return problems.needs_password(path)
    for stream_name, what, hint in _OLE_STREAMS:
        if stream_name.encode("utf-16-le") in content:
            return problems.unsupported(path, what, hint)
    return problems.unsupported(
        path, "a file of an old Office version", "Save it as .docx, .pptx, .xlsx or PDF."
    )


def _ftyp_problem(path: Path, head: bytes) -> MolmoDesktopError:
    if any(brand in _brands(head) for brand in _FTYP_HEIC):
        return problems.unsupported(path, "a HEIC picture", _CONVERT_PICTURE)
    return problems.unsupported(path, "a film", "Attach single pictures or a transcript of it.")


def _looks_binary(head: bytes) -> bool:
    """Whether the bytes cannot be text in any encoding that we read."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return False
    if b"\x00" in head:
        return not _looks_like_utf16(head)
    return len(_BINARY_BYTES.findall(head)) > _BINARY_SHARE * len(head)


def _looks_like_utf16(head: bytes) -> bool:
    """Whether the zero bytes stand where UTF-16 without its mark puts them."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    return max(even, odd) > 0.4 * half and min(even, odd) < 0.02 * half


def _binary_problem(path: Path) -> MolmoDesktopError:
    info = format_of_extension(path.suffix)
    if info is not None:
        return problems.damaged(path, info.title)
    return problems.unsupported(
        path,
        "of a type that this program does not know",
        "Save it as PDF, text or a picture in the program that made it.",
    )


def _text_format(path: Path, head: bytes) -> str:
    """Return the format of a file that holds text."""
    start = head.lstrip(b"\xef\xbb\xbf")
    if _HTML_START.match(start):
        return "html"
    if _XML_START.match(start):
        return "xml"
    info = format_of_extension(path.suffix)
    name = info.name if info is not None else ""
    if name == "eml" or _is_mail(start):
        return "eml"
    if name in ("html", "markdown", "csv", "json", "xml"):
        return name
    return format_info("text").name


def _is_mail(head: bytes) -> bool:
    """Whether a text begins with the headers that a mail program writes."""
    headers = head.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
    if not _HEADER.match(headers):
        return False
    names = {name.lower() for name in _HEADER.findall(headers)}
    return len(names & _MAIL_HEADERS) >= _MIN_MAIL_HEADERS and bool(names & _MAIL_MARKS)
