# SPDX-License-Identifier: Apache-2.0
"""Read the front of a GGUF file that may come from anyone: bounded, no library, no mapping.

Every count and length is checked against the file's size before anything is reserved for it.
Vocabularies are skipped, only their length is kept. Not here: what the values mean
(`gguf_header.py`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from molmo_desktop.models.gguf_types import ARRAY, SCALARS, STRING, TENSOR_TYPES

_MAGIC = b"GGUF"
_READ_BYTES = 1 << 20
_MAX_FRONT_BYTES = 512 << 20
_MAX_ENTRIES = 1 << 16
_MAX_TENSORS = 1 << 18
_MAX_KEY_BYTES = 1 << 16
_MAX_STRING_BYTES = 16 << 20
_MAX_ARRAY_LENGTH = 1 << 24
_MAX_TEXTS = 1 << 21  # vocabularies have some hundred thousand; more would take seconds to skip
_KEPT_ARRAY_LENGTH = 4096
_MAX_ELEMENTS = 1 << 60

Value = int | float | bool | str | tuple[int | float | bool, ...]


class MalformedGgufError(Exception):
    """The bytes are not a GGUF file, or not all of one."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor as announced: its data start ``offset`` bytes into the data section."""

    name: str
    shape: tuple[int, ...]
    type_number: int
    offset: int

    @property
    def element_count(self) -> int:
        """Number of values."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def size_bytes(self) -> int | None:
        """Bytes on disk, None for a type that this program does not know."""
        kind = TENSOR_TYPES.get(self.type_number)
        if kind is None:
            return None
        return -(-self.element_count // kind.elements_per_block) * kind.bytes_per_block


@dataclass(frozen=True)
class GgufFront:
    """Metadata and tensor list.

    Attributes:
        values: Scalars, strings and short arrays of numbers.
        lengths: Number of elements of every array, kept or skipped.
        data_offset: Where the tensors' data start in the file.
    """

    values: dict[str, Value]
    lengths: dict[str, int]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    file_bytes: int


def read_front(path: Path) -> GgufFront:
    """Read metadata and tensor list.

    Raises:
        MalformedGgufError: Not GGUF, cut short, or with counts that cannot be.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        file_bytes = stream.seek(0, 2)
        stream.seek(0)
        return _Parser(stream, file_bytes).parse()


@dataclass
class _Parser:
    stream: BinaryIO
    file_bytes: int
    buffer: bytes = b""
    buffer_start: int = 0
    position: int = 0  # in the buffer
    values: dict[str, Value] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)

    def parse(self) -> GgufFront:
        if self.take(4) != _MAGIC:
            raise MalformedGgufError("it does not begin with the letters GGUF")
        version = self.number("<I")
        if version not in (2, 3):
            raise MalformedGgufError(f"version {version} of the format is not supported")
        tensor_count = self.count(_MAX_TENSORS, "tensors")
        entry_count = self.count(_MAX_ENTRIES, "metadata entries")
        for _ in range(entry_count):
            self.entry()
        tensors = tuple(self.tensor() for _ in range(tensor_count))
        alignment = self.values.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise MalformedGgufError("the alignment of the tensors makes no sense")
        front_bytes = self.buffer_start + self.position
        data_offset = -(-front_bytes // alignment) * alignment
        return GgufFront(self.values, self.lengths, tensors, data_offset, self.file_bytes)

    def entry(self) -> None:
        key = self.text(_MAX_KEY_BYTES)
        kind = self.number("<I")
        if kind == STRING:
            self.values[key] = self.text(_MAX_STRING_BYTES)
        elif kind == ARRAY:
            self.array(key)
        elif kind in SCALARS:
            self.values[key] = self.scalar(kind)
        else:
            raise MalformedGgufError(f"unknown kind of value {kind}")

    def array(self, key: str) -> None:
        kind = self.number("<I")
        length = self.count(_MAX_ARRAY_LENGTH, "array elements")
        self.lengths[key] = length
        if kind == STRING:
            if length > _MAX_TEXTS:
                raise MalformedGgufError(f"{length} texts in one array")
            self.skip_texts(length)
            return
        if kind not in SCALARS:
            raise MalformedGgufError(f"unknown kind of array {kind}")
        form, size = SCALARS[kind]
        if length > _KEPT_ARRAY_LENGTH:
            self.skip(length * size)
            return
        self.values[key] = struct.unpack(f"<{length}{form[1]}", self.take(length * size))

    def tensor(self) -> TensorInfo:
        name = self.text(_MAX_KEY_BYTES)
        dimensions = self.number("<I")
        if dimensions > 8:
            raise MalformedGgufError(f"a tensor with {dimensions} dimensions")
        shape = tuple(self.number("<Q") for _ in range(dimensions))
        info = TensorInfo(name, shape, self.number("<I"), self.number("<Q"))
        if info.element_count > _MAX_ELEMENTS:
            raise MalformedGgufError("a tensor larger than any model")
        return info

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])

    def scalar(self, kind: int) -> int | float | bool:
        form, size = SCALARS[kind]
        value: int | float | bool = struct.unpack(form, self.take(size))[0]
        return value

    def count(self, limit: int, what: str) -> int:
        """Read a count; each thing counted takes at least one byte of the file."""
        count = self.number("<Q")
        if count > limit or count > self.file_bytes:
            raise MalformedGgufError(f"{count} {what}")
        return count

    def text(self, limit: int) -> str:
        length = self.number("<Q")
        if length > limit:
            raise MalformedGgufError(f"a text of {length} bytes")
        return self.take(length).decode("utf-8", "replace")

    def take(self, size: int) -> bytes:
        if self.position + size > len(self.buffer):
            self.refill(size)
        piece = self.buffer[self.position : self.position + size]
        self.position += size
        return piece

    def skip(self, size: int) -> None:
        self.position += size
        if self.position > len(self.buffer):
            self.refill(0)

    def skip_texts(self, count: int) -> None:
        """Skip a vocabulary; written flat, because there are hundreds of thousands of them."""
        unpack = struct.Struct("<Q").unpack_from
        position, buffer = self.position, self.buffer
        for _ in range(count):
            if position + 8 > len(buffer):
                self.position = position
                self.refill(8)
                position, buffer = self.position, self.buffer
            position += 8 + unpack(buffer, position)[0]
        self.position = position
        if position > len(buffer):
            self.refill(0)

    def refill(self, needed: int) -> None:
        """Read on from the current position so that ``needed`` bytes are at hand."""
        start = self.buffer_start + self.position
        if start + needed > self.file_bytes:
            raise MalformedGgufError("it ends too early")
        if start + needed > _MAX_FRONT_BYTES:
            raise MalformedGgufError("its metadata are larger than any model's")
        self.stream.seek(start)
        self.buffer = self.stream.read(max(needed, _READ_BYTES))
        self.buffer_start, self.position = start, 0
        if len(self.buffer) < needed:
            raise MalformedGgufError("it ends too early")
