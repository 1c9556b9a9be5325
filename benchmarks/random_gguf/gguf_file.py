# SPDX-License-Identifier: Apache-2.0
"""Writing a GGUF file tensor by tensor, and reading the metadata of one.

The file is written in one pass: sizes are known before any weight is drawn, so a model of
several gigabytes needs a few megabytes of memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from random_gguf.blocks import BLOCKS, Fill, draw

ALIGNMENT = 32
_NORMAL = Fill()
_STRING, _ARRAY = 8, 9
# Kinds of GGUF values: number -> the letter that struct knows them by.
_FORMS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

Metadata = Mapping[str, Any]


@dataclass(frozen=True)
class Tensor:
    """A tensor to be drawn.

    Attributes:
        shape: As llama.cpp writes it, the fastest axis first.
        type: Name of its element type, such as "Q8_0".
        fill: How its values are drawn.
    """

    name: str
    shape: tuple[int, ...]
    type: str = "F32"
    fill: Fill = _NORMAL

    @property
    def element_count(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def byte_count(self) -> int:
        """Bytes in the file, without padding."""
        block = BLOCKS[self.type]
        return self.element_count // block.element_count * block.byte_count


@dataclass(frozen=True)
class ModelFile:
    """What goes into one file."""

    metadata: Metadata
    tensors: tuple[Tensor, ...]

    @property
    def parameter_count(self) -> int:
        """Number of weights."""
        return sum(tensor.element_count for tensor in self.tensors)

    @property
    def byte_count(self) -> int:
        """Size of all tensors in the file."""
        return sum(_padded(tensor.byte_count) for tensor in self.tensors)


def write(path: Path, model: ModelFile, *, seed: int = 0) -> Path:
    """Draw a model's weights into a file; the same seed gives the same file."""
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as stream:
        stream.write(head(model.metadata, model.tensors))
        for number, tensor in enumerate(model.tensors):
            source = np.random.default_rng((seed, number))
            for piece in draw(tensor.type, tensor.element_count, tensor.fill, source):
                stream.write(piece)
            stream.write(bytes(_padded(tensor.byte_count) - tensor.byte_count))
    return partial.replace(path)


def head(metadata: Metadata, tensors: Sequence[Tensor] = ()) -> bytes:
    """Return everything before the weights, padded."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    parts.extend(_text(key) + _value(value) for key, value in metadata.items())
    offset = 0
    for tensor in tensors:
        form = f"<I{len(tensor.shape)}QIQ"
        number = BLOCKS[tensor.type].number
        parts.append(_text(tensor.name))
        parts.append(struct.pack(form, len(tensor.shape), *tensor.shape, number, offset))
        offset += _padded(tensor.byte_count)
    data = b"".join(parts)
    return data + bytes(_padded(len(data)) - len(data))


def read_metadata(path: Path, prefix: str = "") -> dict[str, Any]:
    """Return the entries of a GGUF file whose key begins with the prefix."""
    reader = _Reader(path.read_bytes())
    return {key: value for key, value in reader.entries() if key.startswith(prefix)}


def _padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, (list, tuple)):
        return _array(value)
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    kind = _kind(value)
    return struct.pack("<I" + _FORMS[kind], kind, value)


def _array(values: Sequence[Any]) -> bytes:
    if isinstance(values[0], str):
        items = b"".join(map(_text, values))
        return struct.pack("<IIQ", _ARRAY, _STRING, len(values)) + items
    # Lists of numbers are signed in the files that llama.cpp's converter writes.
    kind = 5 if _kind(values[0]) == 4 else _kind(values[0])
    items = struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
    return struct.pack("<IIQ", _ARRAY, kind, len(values)) + items


def _kind(value: Any) -> int:
    match value:
        case bool():
            return 7
        case int():
            return 4
        case float():
            return 6
    raise TypeError(f"no GGUF value for {value!r}")


class _Reader:
    """Reads the metadata of a file that is trusted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 8

    def entries(self) -> Iterable[tuple[str, Any]]:
        self._number("Q")  # tensors
        for _ in range(self._number("Q")):
            yield self._text(), self._value(self._number("I"))

    def _number(self, form: str) -> Any:
        value = struct.unpack_from("<" + form, self._data, self._place)[0]
        self._place += struct.calcsize("<" + form)
        return value

    def _text(self) -> str:
        length = self._number("Q")
        self._place += length
        piece = self._data[self._place - length : self._place]
        return piece.decode("utf-8", "surrogateescape")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._number(_FORMS[kind])
        inner, count = self._number("I"), self._number("Q")
        return [self._value(inner) for _ in range(count)]
