# SPDX-License-Identifier: Apache-2.0
"""A PDF writer of a hundred lines for tests: text at known places, and every trap a page has."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass, field
from pathlib import Path

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


@dataclass
class MiniPage:
    """One page: its boxes, how it is turned, and its content."""

    media: tuple[float, float, float, float] = (0, 0, 595, 842)
    crop: tuple[float, float, float, float] | None = None
    rotate: int = 0
    operators: list[str] = field(default_factory=list)
    image: bytes | None = None  # grey pixels, 100 x 100
    annotations: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, size: float = 12, *, more: str = "") -> MiniPage:
        """Write text with its baseline at (x, y) in user space."""
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        self.operators.append(f"BT {more} /F1 {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET")
        return self

    def upwards(self, x: float, y: float, text: str, size: float = 12) -> MiniPage:
        """Write text that runs from the bottom to the top."""
        self.operators.append(f"BT /F1 {size} Tf 0 1 -1 0 {x} {y} Tm ({text}) Tj ET")
        return self

    def lines(self, x: float, y: float, lines: list[str], step: float = 16) -> MiniPage:
        """Write lines below one another."""
        for index, line in enumerate(lines):
            self.text(x, y - index * step, line)
        return self

    def note(self, box: tuple[float, ...], entries: str) -> MiniPage:
        """Add an annotation, as "/Subtype /Text /Contents (hello)"."""
        self.annotations.append(f"<< /Type /Annot /Rect [{_numbers(box)}] {entries} >>")
        return self

    def picture(self, grey: bytes, x: float, y: float, size: float) -> MiniPage:
        """Draw 100 x 100 grey pixels."""
        self.image = grey
        self.operators.append(f"q {size} 0 0 {size} {x} {y} cm /Im1 Do Q")
        return self


def write_pdf(
    path: Path, pages: list[MiniPage], *, labels: str = "", password: str | None = None
) -> Path:
    """Write pages as a PDF 1.4 file.

    Args:
        path: Where to.
        pages: What.
        labels: Number tree of page labels, as "0 << /S /r >> 2 << /S /D >>".
        password: Encrypts the file (RC4, 40 bits); "" opens without asking.
    """
    objects: list[bytes] = [b"", b""]
    font = _add(objects, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
                         b"/Encoding /WinAnsiEncoding >>")  # fmt: skip
    key = _key(password) if password is not None else None
    kids = []
    fields: list[int] = []
    for page in pages:
        kids.append(_add_page(objects, page, font, key, fields))
    names = f" /PageLabels << /Nums [{labels}] >>" if labels else ""
    if fields:
        names += f" /AcroForm << /Fields [{_references(fields)}] >>"
    objects[0] = f"<< /Type /Catalog /Pages 2 0 R{names} >>".encode()
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{_references(kids)}] >>".encode()
    path.write_bytes(_assembled(objects, password))
    return path


def _add(objects: list[bytes], body: bytes) -> int:
    objects.append(body)
    return len(objects)


def _references(numbers: list[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)


def _add_page(
    objects: list[bytes], page: MiniPage, font: int, key: bytes | None, fields: list[int]
) -> int:
    resources = f"/Font << /F1 {font} 0 R >>"
    if page.image is not None:
        head = (
            "/Type /XObject /Subtype /Image /Width 100 /Height 100 /BitsPerComponent 8 "
            "/ColorSpace /DeviceGray"
        )
        resources += f" /XObject << /Im1 {_add_stream(objects, page.image, key, head)} 0 R >>"
    content = _add_stream(objects, "\n".join(page.operators).encode("cp1252"), key)
    notes = [_add(objects, note.encode("cp1252")) for note in page.annotations]
    fields += [at for at, note in zip(notes, page.annotations, strict=True) if "/FT " in note]
    crop = f"/CropBox [{_numbers(page.crop)}]" if page.crop else ""
    return _add(
        objects,
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{_numbers(page.media)}] {crop} /Rotate "
        f"{page.rotate} /Resources << {resources} >> /Contents {content} 0 R "
        f"/Annots [{_references(notes)}] >>".encode(),
    )


def _add_stream(objects: list[bytes], content: bytes, key: bytes | None, head: str = "") -> int:
    data = zlib.compress(content)
    number = len(objects) + 1
    if key is not None:
        data = _rc4(_object_key(key, number), data)
    start = f"<< {head} /Filter /FlateDecode /Length {len(data)} >>\nstream\n".encode()
    return _add(objects, start + data + b"\nendstream")


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _assembled(objects: list[bytes], password: str | None) -> bytes:
    trailer = b"/Root 1 0 R"
    if password is not None:
        encrypt = (
            f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{_owner(password).hex()}> "
            f"/U <{_rc4(_key(password), _PADDING).hex()}> >>"
        )
        objects.append(encrypt.encode())
        trailer += f" /Encrypt {len(objects)} 0 R /ID [<{_ID.hex()}> <{_ID.hex()}>]".encode()
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    size = len(objects) + 1
    out += f"trailer\n<< /Size {size} ".encode() + trailer + b" >>\n"
    out += f"startxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


_ID = b"molmo-desktop-id"


def _padded(password: str) -> bytes:
    return (password.encode() + _PADDING)[:32]


def _owner(password: str) -> bytes:
    return _rc4(hashlib.md5(_padded("owner")).digest()[:5], _padded(password))


def _key(password: str) -> bytes:
    permissions = (-4).to_bytes(4, "little", signed=True)
    return hashlib.md5(_padded(password) + _owner(password) + permissions + _ID).digest()[:5]


def _object_key(key: bytes, number: int) -> bytes:
    return hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[: len(key) + 5]


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
