# SPDX-License-Identifier: Apache-2.0
"""The guard before any archive and any XML: refuses what unpacks without measure.

Every office file is a zip archive of XML. A megabyte of it can unpack to a gigabyte, its
table of contents can lie about that, and XML can multiply itself by entities. So an archive is
weighed twice before a reader opens it: by what its table of contents says, and by unpacking
every member once, in small pieces that are thrown away.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from lxml import etree

from molmo_desktop.documents import problems

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 1 << 30
MAX_XML_MEMBER_BYTES = 256 << 20
# Office XML shrinks to a tenth or a thirtieth; only filler shrinks to a hundredth.
MAX_RATIO = 100
_RATIO_COUNTS_FROM_BYTES = 32 << 20
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC = b"PK\x03\x04"
_CHUNK_BYTES = 1 << 16
# A member that is a little larger than it says is damaged, one that goes on and on is a lie.
_LIE_BYTES = 1 << 20
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def _in_encodings(*words: str) -> tuple[bytes, ...]:
    """Return the words in the encodings that XML parsers know by themselves."""
    return tuple(
        word.encode(encoding)
        for word in words
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    )


_ENTITIES = _in_encodings("<!ENTITY", "<!entity")
_DECLARATIONS = (*_in_encodings("<!DOCTYPE", "<!doctype"), *_ENTITIES)
_XML_SUFFIXES = (".xml", ".rels", ".vml", ".opf", ".ncx")
_LONGEST_DECLARATION = max(map(len, _DECLARATIONS))


def check_archive(path: Path, *, allows_doctype: bool = False) -> None:
    """Return when the archive is safe to open.

    Args:
        path: The archive.
        allows_doctype: Its XML may say of which type it is, as that of books does; entities
            are refused all the same.

    Raises:
        DocumentTooLargeError: It unpacks to too much, or says less than it holds.
        DocumentUnreadableError: It is damaged, or built like no office program does.
        PasswordRequiredError: A member is encrypted.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        _check_contents(path, members)
        forbidden = _ENTITIES if allows_doctype else _DECLARATIONS
        with path.open("rb") as stream:
            for member in members:
                _check_member(path, stream, member, forbidden)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError) as error:
        raise problems.damaged(path, "archive", f"{type(error).__name__}: {error}") from error


def _check_contents(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Weigh the archive by its table of contents."""
    unpacked = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    detail = f"{len(members)} members, {unpacked} bytes from {packed}"
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
        raise problems.unpacks_too_large(path, detail)
    if unpacked > _RATIO_COUNTS_FROM_BYTES and unpacked / packed > MAX_RATIO:
        raise problems.unpacks_too_large(path, detail)
    for member in members:
        if member.flag_bits & _ENCRYPTED:
            raise problems.needs_password(path)
        if member.compress_type not in _METHODS:
            raise problems.damaged(path, "archive", f"method {member.compress_type}")
        if _leaves_its_folder(member.filename):
            raise problems.unsafe_names(path, member.filename)
        if member.filename.endswith(_XML_SUFFIXES) and member.file_size > MAX_XML_MEMBER_BYTES:
            raise problems.unpacks_too_large(path, f"{member.filename}: {member.file_size}")


def _leaves_its_folder(name: str) -> bool:
    """Whether unpacking the member would write outside the archive's folder."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or ".." in PurePosixPath(plain).parts or plain[1:2] == ":"


def _check_member(
    path: Path, stream: IO[bytes], member: zipfile.ZipInfo, forbidden: tuple[bytes, ...]
) -> None:
    """Unpack a member once: not a byte more than it says, and no declarations in XML."""
    is_xml = member.filename.endswith(_XML_SUFFIXES) and not _is_foreign(member.filename)
    size = 0
    tail = b""
    for piece in _unpacked(path, stream, member):
        size += len(piece)
        if size > member.file_size + _LIE_BYTES:
            raise problems.unpacks_too_large(path, f"{member.filename} is larger than it says")
        if is_xml:
            joined = tail + piece
            if any(word in joined for word in forbidden):
                raise problems.unsafe_xml(path, member.filename)
            tail = joined[-_LONGEST_DECLARATION:]
    if size != member.file_size:
        detail = f"{member.filename}: {size} bytes instead of {member.file_size}"
        raise problems.damaged(path, "archive", detail)


def _is_foreign(name: str) -> bool:
    """Whether a member is carried along for others; no reader of ours opens it."""
    return name.startswith("customXml/")


def _unpacked(path: Path, stream: IO[bytes], member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's content in small pieces, straight from the archive's bytes."""
    stream.seek(member.header_offset)
    header = stream.read(_LOCAL_HEADER.size)
    fields = _LOCAL_HEADER.unpack(header)
    if fields[0] != _LOCAL_MAGIC:
        raise problems.damaged(path, "archive", f"{member.filename} has no header")
    stream.seek(fields[-2] + fields[-1], 1)
    rest = member.compress_size
    unpacker = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while rest > 0:
        packed = stream.read(min(_CHUNK_BYTES, rest))
        if not packed:
            return
        rest -= len(packed)
        if unpacker is None:
            yield packed
            continue
        # At the end of the stream the rest of a damaged member would stay unconsumed for ever.
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _CHUNK_BYTES)
            packed = unpacker.unconsumed_tail
        if unpacker.eof:
            return
    if unpacker is not None:
        yield unpacker.flush()


def parse_xml(content: bytes) -> etree._Element:
    """Return the root of XML from a stranger: no entities, no network, no huge trees.

    Raises:
        etree.XMLSyntaxError: It is no XML.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    return etree.fromstring(content, parser)
