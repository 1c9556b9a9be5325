# SPDX-License-Identifier: Apache-2.0
"""The sentences with which a file is refused: one function an error, so that all sound alike."""

from __future__ import annotations

from pathlib import Path

from molmo_desktop.core.errors import (
    DocumentError,
    DocumentNotFoundError,
    DocumentTooLargeError,
    DocumentUnreadableError,
    PasswordRequiredError,
    UnsupportedFormatError,
    UsageError,
)

_MIB = 1 << 20


def _name(path: Path) -> str:
    """Return the file's name as it can be printed."""
    return _printable(path.name or str(path))


def _printable(text: str) -> str:
    """Return text with a mark for bytes of a file name that are in no known encoding."""
    return text.encode("utf-8", "replace").decode("utf-8")


def missing(path: Path) -> DocumentNotFoundError:
    """There is nothing at that path."""
    return DocumentNotFoundError(
        f"There is no file “{_printable(str(path))}”.",
        hint="Check the name and whether it was moved.",
    )


def is_folder(path: Path) -> DocumentNotFoundError:
    """The path is a folder."""
    return DocumentNotFoundError(
        f"“{_name(path)}” is a folder.", hint="Choose the files inside it instead."
    )


def not_a_file(path: Path) -> DocumentNotFoundError:
    """A device, a socket or a named pipe."""
    return DocumentNotFoundError(
        f"“{_name(path)}” is not an ordinary file.", hint="Save its content as a file first."
    )


def no_permission(path: Path, detail: str = "") -> DocumentUnreadableError:
    """The system does not let us open it."""
    return DocumentUnreadableError(
        f"“{_name(path)}” cannot be opened.",
        hint="Check that you may read it and that its drive is connected.",
        detail=detail,
    )


def empty(path: Path) -> DocumentUnreadableError:
    """No bytes at all."""
    return DocumentUnreadableError(
        f"“{_name(path)}” is empty.", hint="Get the file again; it may not have been saved fully."
    )


def damaged(path: Path, what: str = "file", detail: str = "") -> DocumentUnreadableError:
    """The content makes no sense to its reader; ``what`` names the format."""
    return DocumentUnreadableError(
        f"“{_name(path)}” could not be read: the {what} seems to be damaged or incomplete.",
        hint="Get the file again, or open it in its own program and save a new copy.",
        detail=detail,
    )


def without_pages(path: Path, what: str) -> DocumentUnreadableError:
    """A healthy file with nothing in it; ``what`` names what is missing ("slides")."""
    return DocumentUnreadableError(
        f"“{_name(path)}” has no {what} in it.", hint="Check that it is the file you meant."
    )


_AGAIN = (
    "save a new copy in its own program, or run “molmo-desktop read --again FILE” to try once more."
)


def crashed(path: Path, detail: str = "") -> DocumentUnreadableError:
    """The reader's process ended by itself."""
    return DocumentUnreadableError(
        f"“{_name(path)}” could not be read: it made the reader stop.",
        hint=f"It will not be tried again by itself; {_AGAIN}",
        detail=detail,
        quarantined=True,
    )


def quarantined(path: Path) -> DocumentUnreadableError:
    """The same content made the reader crash before."""
    return DocumentUnreadableError(
        f"“{_name(path)}” was not opened, because it made the reader stop before.",
        hint=_AGAIN[0].upper() + _AGAIN[1:],
        quarantined=True,
    )


def ended_outside(path: Path, detail: str = "") -> DocumentUnreadableError:
    """Something else ended the reader's process: the system, or a signal from outside."""
    return DocumentUnreadableError(
        f"“{_name(path)}” was not read, because the reader was ended from outside.",
        hint="Try again; close other programs first if memory is short.",
        detail=detail,
    )


def not_started(path: Path, detail: str = "") -> DocumentUnreadableError:
    """The reader's process did not come up."""
    return DocumentUnreadableError(
        f"“{_name(path)}” was not read, because the reader could not be started.",
        hint="Try again; close other programs first if memory is short.",
        detail=detail,
    )


def too_slow(path: Path, limit_s: float) -> DocumentUnreadableError:
    """No progress within the time limit."""
    return DocumentUnreadableError(
        f"“{_name(path)}” could not be read within {limit_s:.0f} seconds.",
        hint="Try a smaller file, or split it into parts.",
    )


def needs_memory(path: Path, limit_bytes: int, detail: str = "") -> DocumentTooLargeError:
    """The reader met its memory limit."""
    return DocumentTooLargeError(
        f"“{_name(path)}” needs more memory than the {limit_bytes / _MIB:,.0f} MiB that "
        "reading a file may use.",
        hint="Try a smaller file, or split it into parts.",
        detail=detail,
    )


def unpacks_too_large(path: Path, detail: str = "") -> DocumentTooLargeError:
    """An archive that unpacks to more than a reader may use."""
    return DocumentTooLargeError(
        f"“{_name(path)}” was not opened, because it unpacks to far more than its size.",
        hint="Open it only if you trust where it comes from, and save a smaller copy.",
        detail=detail,
    )


def too_much_text(path: Path) -> DocumentTooLargeError:
    """More pages or characters than one document may have."""
    return DocumentTooLargeError(
        f"“{_name(path)}” holds more text than can be read at once.",
        hint="Split it into parts and attach the part that you want to ask about.",
    )


def unsafe_xml(path: Path, member: str) -> DocumentUnreadableError:
    """XML with declarations that could multiply it or reach for other files."""
    return DocumentUnreadableError(
        f"“{_name(path)}” was not opened, because no office program builds files like this.",
        hint="Open it only if you trust where it comes from, and save a new copy.",
        detail=f"{member} holds a document type or entity declaration",
    )


def unsafe_names(path: Path, member: str) -> DocumentUnreadableError:
    """An archive whose members would be unpacked outside its folder."""
    return DocumentUnreadableError(
        f"“{_name(path)}” was not opened, because it tries to reach files outside itself.",
        hint="Do not unpack it; ask whoever sent it for a PDF.",
        detail=member,
    )


def picture_too_large(
    path: Path, width_px: int, height_px: int, limit_px: int
) -> DocumentTooLargeError:
    """More pixels than we are ready to decode."""
    return DocumentTooLargeError(
        f"The picture “{_name(path)}” has {width_px:,} × {height_px:,} pixels "
        f"({width_px * height_px / 1e6:,.0f} megapixels); "
        f"at most {limit_px / 1e6:,.0f} megapixels can be read.",
        hint="Make it smaller, or cut out the part that you want to ask about.",
    )


def needs_password(path: Path) -> PasswordRequiredError:
    """The content is encrypted."""
    return PasswordRequiredError(
        f"“{_name(path)}” is protected by a password.",
        hint="Open it in its own program, save a copy without a password, and use that.",
    )


def unsupported(path: Path, what: str, hint: str) -> UnsupportedFormatError:
    """A type that no reader knows; ``what`` names it with its article ("a sound file")."""
    return UnsupportedFormatError(f"“{_name(path)}” is {what}, which cannot be read.", hint=hint)


def unsupported_rendering(path: Path, title: str) -> UnsupportedFormatError:
    """A format without pages that could be drawn."""
    return UnsupportedFormatError(
        f"“{_name(path)}” ({title}) has no pages that can be shown as a picture.",
        hint="Its text can be read; save it as PDF to see its pages.",
    )


def no_such_page(path: Path, page_number: int, page_count: int) -> UsageError:
    """A page beyond the last one, or before the first."""
    pages = "1 page" if page_count == 1 else f"{page_count} pages"
    return UsageError(f"“{_name(path)}” has {pages}; there is no page {page_number}.")


def closing(path: Path) -> DocumentError:
    """The program ends while the file is read."""
    return DocumentError(f"“{_name(path)}” was not read, because the program is closing.")
