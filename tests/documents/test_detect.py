# SPDX-License-Identifier: Apache-2.0
"""What a file is, is told by its content; what cannot be read is named with what would help."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from molmo_desktop.core.errors import (
    DocumentNotFoundError,
    DocumentUnreadableError,
    PasswordRequiredError,
    UnsupportedFormatError,
)
from molmo_desktop.documents.detect import detect_format
from molmo_desktop.documents.formats import (
    FORMATS,
    extensions,
    format_of_extension,
    is_picture_format,
)

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orchard.pdf", "pdf"), ("harbour.docx", "docx"), ("harbour-strict.docx", "docx"),
        ("bicycles.pptx", "pptx"), ("shop.xlsx", "xlsx"), ("bakery.html", "html"),
        ("square.png", "png"), ("square.jpeg", "jpeg"), ("square.webp", "webp"),
        ("square.gif", "gif"), ("square.tiff", "tiff"), ("square.bmp", "bmp"),
        ("square.avif", "avif"), ("german-utf-16.txt", "text"), ("lighthouse.odt", "odt"),
        ("choir.odp", "odp"), ("tools.ods", "ods"), ("voyage.epub", "epub"),
        ("meadow.rtf", "rtf"), ("ferry.eml", "eml"), ("recipes.xml", "xml"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("extension", [None, ".txt", ".pdf", ".jpg", ""])
def test_the_content_decides_and_not_the_extension(files, tmp_path, name, expected, extension):
    source = files / name
    suffix = source.suffix if extension is None else extension
    target = shutil.copy(source, tmp_path / f"file{suffix}")
    assert detect_format(Path(target)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.md", "markdown"), ("a.csv", "csv"), ("a.tsv", "csv"), ("a.txt", "text"), ("a", "text"),
     ("a.py", "text"), ("a.JSON", "json"), ("a.pdf", "text"), ("a.htm", "html")],
)  # fmt: skip
def test_text_goes_by_its_extension(tmp_path, name, expected):
    (tmp_path / name).write_text("Some words, and more words.")
    assert detect_format(tmp_path / name) == expected


@pytest.mark.parametrize(
    ("content", "name", "sentence", "hint"),
    [
        (OLE + "WordDocument".encode("utf-16-le"), "a.doc", "an old Word document", ".docx"),
        (OLE + "Workbook".encode("utf-16-le"), "a.xls", "an old Excel workbook", ".xlsx"),
        (OLE + "PowerPoint Document".encode("utf-16-le"), "a.ppt", "an old PowerPoint", ".pptx"),
        (OLE, "a.xyz", "an old Office version", ".docx"),
        (b"\x1f\x8b\x08" + bytes(50), "a.gz", "a packed archive", "Unpack it"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a.7z", "a packed archive", "Unpack it"),
        (b"GGUF\x03" + bytes(50), "a.gguf", "a language model", "model picker"),
        (b"\x7fELF" + bytes(50), "a", "a program", "document or a picture"),
        (b"MZ" + bytes(50), "a.exe", "a program", "document or a picture"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(50), "a.mp4", "a film", "transcript"),
        (b"ID3\x04" + bytes(50), "a.mp3", "a sound file", "transcript"),
        (bytes(range(256)) * 4, "a.xyz", "does not know", "Save it as PDF"),
    ],
)  # fmt: skip
def test_unreadable_types_are_named_with_what_helps(tmp_path, content, name, sentence, hint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnsupportedFormatError) as caught:
        detect_format(tmp_path / name)
    assert sentence in caught.value.message
    assert hint in caught.value.hint


def test_a_heic_picture_without_its_package_is_named(files, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnsupportedFormatError, match="a HEIC picture") as caught:
        detect_format(files / "square.heic")
    assert "JPEG or PNG" in caught.value.hint


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (["content.xml", "META-INF/manifest.xml"], "an OpenDocument file of a kind"),
        (["xl/workbook.bin"], "a binary Excel workbook"),
        (["holiday.jpg"], "a packed archive"),
    ],
)
def test_archives_are_named_by_what_they_hold(tmp_path, members, sentence):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    with pytest.raises(UnsupportedFormatError, match=sentence):
        detect_format(tmp_path / "a.zip")


def test_an_encrypted_office_file_asks_for_a_password(tmp_path):
    (tmp_path / "a.docx").write_bytes(OLE + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(PasswordRequiredError):
        detect_format(tmp_path / "a.docx")


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.png"])
def test_noise_under_a_known_name_is_a_damaged_file(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)) * 4)
    with pytest.raises(DocumentUnreadableError, match="damaged or incomplete"):
        detect_format(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a.png", "a.docx", "a"])
def test_an_empty_file_is_called_empty(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(DocumentUnreadableError, match="is empty"):
        detect_format(tmp_path / name)


def test_missing_files_folders_and_pipes_are_told_apart(tmp_path):
    with pytest.raises(DocumentNotFoundError, match="There is no file"):
        detect_format(tmp_path / "missing.pdf")
    with pytest.raises(DocumentNotFoundError, match="There is no file"):
        detect_format(tmp_path / "zero\0byte.pdf")
    with pytest.raises(DocumentNotFoundError, match="is a folder"):
        detect_format(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DocumentNotFoundError, match="not an ordinary file"):
            detect_format(tmp_path / "pipe")


def test_the_list_of_formats_is_consistent():
    assert len({item.name for item in FORMATS}) == len(FORMATS)
    every = extensions()
    assert len(set(every)) == len(every)
    assert all(extension.startswith(".") and extension.islower() for extension in every)
    assert set(extensions("document")) | set(extensions("picture")) == set(every)
    info = format_of_extension(".JPG")
    assert info is not None
    assert info.name == "jpeg"
    assert is_picture_format("avif")
    assert not is_picture_format("pdf")
    assert not is_picture_format("unknown")
