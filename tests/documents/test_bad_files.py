# SPDX-License-Identifier: Apache-2.0
"""Hostile and broken files: one clear sentence each, and the next file is read all the same."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image

from molmo_desktop.core.errors import (
    DocumentError,
    DocumentNotFoundError,
    DocumentTooLargeError,
    DocumentUnreadableError,
    PasswordRequiredError,
    UnsupportedFormatError,
)
from molmo_desktop.documents.reader import DocumentReader

MAIN_PARTS = {"docx": "word/document.xml", "xlsx": "xl/worksheets/sheet1.xml"}
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)


def refuse(reader: DocumentReader, path: Path, kind: type[DocumentError]) -> DocumentError:
    """Read a bad file, then a good one; return the error of the first."""
    with pytest.raises(DocumentError) as caught:
        reader.read(path)
    error = caught.value
    assert type(error) is kind, f"{error.kind}: {error} ({error.detail})"
    for sentence in (error.message, error.hint):
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0] in "“"
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert "Error" not in sentence
    assert path.name in error.message
    good = Path(__file__).parents[1] / "data" / "documents" / "notes.md"
    assert "pond" in reader.read(good).pages[0].text
    return error


def replaced(source: Path, target: Path, member: str, content: bytes) -> Path:
    """Copy an archive with one member's content replaced."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    return target


def bomb(kind: str, size_bytes: int) -> bytes:
    """Return XML of one kind that is nothing but filler."""
    head, tail = {
        "docx": ("<document><body><p><r><t>", "</t></r></p></body></document>"),
        "xlsx": (
            "<worksheet><sheetData><row><c t='str'><v>",
            "</v></c></row></sheetData></worksheet>",
        ),
    }[kind]
    return head.encode() + b"A" * size_bytes + tail.encode()


def sample(kind: str) -> Path:
    name = {"docx": "harbour.docx", "xlsx": "shop.xlsx"}[kind]
    return Path(__file__).parents[1] / "data" / "documents" / name


def test_missing_empty_and_folder(warm_reader, tmp_path):
    (tmp_path / "empty.pdf").touch()
    refuse(warm_reader, tmp_path / "missing.pdf", DocumentNotFoundError)
    refuse(warm_reader, tmp_path / "empty.pdf", DocumentUnreadableError)
    refuse(warm_reader, tmp_path, DocumentNotFoundError)


def test_truncated_files(warm_reader, files, tmp_path):
    for name in ("fonts.pdf", "square.png", "harbour.docx", "shop.xlsx", "bicycles.pptx"):
        whole = (files / name).read_bytes()
        path = tmp_path / name
        path.write_bytes(whole[: len(whole) // 2])
        refuse(warm_reader, path, DocumentUnreadableError)


def test_a_wrong_extension_is_read_for_what_it_is(warm_reader, files, tmp_path):
    shutil.copy(files / "orchard.pdf", tmp_path / "orchard.docx")
    shutil.copy(files / "square.png", tmp_path / "square.txt")
    assert warm_reader.read(tmp_path / "orchard.docx").format == "pdf"
    assert warm_reader.read(tmp_path / "square.txt").format == "png"


def test_a_password_and_an_old_format(warm_reader, files, tmp_path):
    refuse(warm_reader, files / "password.pdf", PasswordRequiredError)
    (tmp_path / "letter.doc").write_bytes(
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "WordDocument".encode("utf-16-le")
    )
    refuse(warm_reader, tmp_path / "letter.doc", UnsupportedFormatError)


def test_a_picture_of_two_hundred_megapixels(warm_reader, tmp_path):
    Image.new("1", (20_000, 10_000)).save(tmp_path / "huge.png")
    error = refuse(warm_reader, tmp_path / "huge.png", DocumentTooLargeError)
    assert "20,000 × 10,000 pixels (200 megapixels)" in error.message


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_a_zip_bomb(warm_reader, tmp_path, kind):
    path = replaced(sample(kind), tmp_path / f"bomb.{kind}", MAIN_PARTS[kind], bomb(kind, 80 << 20))
    assert path.stat().st_size < 1 << 20
    error = refuse(warm_reader, path, DocumentTooLargeError)
    assert "unpacks to far more than its size" in error.message


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_a_zip_bomb_that_lies_about_its_size(warm_reader, tmp_path, kind):
    member = MAIN_PARTS[kind]
    path = replaced(sample(kind), tmp_path / f"liar.{kind}", member, bomb(kind, 80 << 20))
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(member).file_size
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", size), struct.pack("<I", 5000)))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo(member).file_size == 5000
    refuse(warm_reader, path, DocumentTooLargeError)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_a_billion_laughs(warm_reader, tmp_path, kind, encoding):
    body = bomb(kind, 0).decode().replace("<v></v>", "<v>&j;</v>").replace("<t></t>", "<t>&j;</t>")
    content = (LAUGHS + body).encode(encoding)
    path = replaced(sample(kind), tmp_path / f"laughs.{kind}", MAIN_PARTS[kind], content)
    refuse(warm_reader, path, DocumentUnreadableError)


def test_an_entity_that_reaches_for_a_file(warm_reader, tmp_path):
    (tmp_path / "secret.txt").write_text("the secret word")
    content = (
        f'<!DOCTYPE x [<!ENTITY s SYSTEM "file://{tmp_path}/secret.txt">]>'
        "<document><body><p><r><t>&s;</t></r></p></body></document>"
    )
    path = replaced(sample("docx"), tmp_path / "curious.docx", MAIN_PARTS["docx"], content.encode())
    refuse(warm_reader, path, DocumentUnreadableError)


@pytest.mark.parametrize("name", ["../../outside.xml", "/etc/outside.xml", "C:\\outside.xml"])
def test_members_with_paths_out_of_the_archive(warm_reader, files, tmp_path, name):
    path = tmp_path / "climber.docx"
    shutil.copy(files / "harbour.docx", path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
    error = refuse(warm_reader, path, DocumentUnreadableError)
    assert "reach files outside itself" in error.message


def test_too_many_members_and_unusual_packing(warm_reader, tmp_path, files):
    path = tmp_path / "many.docx"
    shutil.copy(files / "harbour.docx", path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(20_001):
            archive.writestr(f"x{number}", "")
    refuse(warm_reader, path, DocumentTooLargeError)
    path = tmp_path / "packed.docx"
    shutil.copy(files / "harbour.docx", path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x", "y" * 1000)
    refuse(warm_reader, path, DocumentUnreadableError)


def test_a_member_that_goes_on_after_its_end(warm_reader, files, tmp_path):
    path = tmp_path / "tail.docx"
    shutil.copy(files / "harbour.docx", path)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(range(256)) * 1000) + packer.flush() + b"and more" * 500
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/tail.bin", packed)
    content = bytearray(path.read_bytes())
    for magic, method_at, size_at in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        start = content.rindex(magic)
        content[start + method_at] = zipfile.ZIP_DEFLATED
        content[start + size_at : start + size_at + 4] = struct.pack("<I", 256_000)
    path.write_bytes(content)
    assert "north quay" in warm_reader.read(path).pages[0].text


def test_a_sheet_with_one_cell_in_the_last_corner(warm_reader, tmp_path):
    sheet = (
        '<worksheet><sheetData><row r="1048576"><c r="XFD1048576" t="str"><v>far</v></c></row>'
        "</sheetData></worksheet>"
    )
    path = replaced(sample("xlsx"), tmp_path / "far.xlsx", MAIN_PARTS["xlsx"], sheet.encode())
    assert warm_reader.read(path).pages[0].text.startswith("far")


def test_a_presentation_without_slides(warm_reader, files, tmp_path):
    path = replaced(
        files / "bicycles.pptx", tmp_path / "none.pptx", "ppt/presentation.xml", b"<presentation/>"
    )
    error = refuse(warm_reader, path, DocumentUnreadableError)
    assert "has no slides in it" in error.message


def test_a_docx_inside_a_docx_is_not_opened(warm_reader, files, tmp_path):
    path = tmp_path / "nested.docx"
    shutil.copy(files / "harbour.docx", path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bomb("docx", 20 << 20))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/embeddings/inner.docx", inner.getvalue())
    assert "north quay" in warm_reader.read(path).pages[0].text


def test_drawing_what_has_no_pages_is_told(warm_reader, files):
    with pytest.raises(UnsupportedFormatError, match="no pages that can be shown"):
        warm_reader.render(files / "notes.md", 1)
