# SPDX-License-Identifier: Apache-2.0
"""Random weights in llama.cpp's element types, drawn as the blocks that stand in a file.

Quantised weights are not rounded from numbers: their quants are drawn directly, and the scales
of every block are set so that the weights have mean zero and the wanted deviation. That is
as fast as drawing bytes, and every block is valid. Layouts: ``ggml-common.h``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_CHUNK_ELEMENTS = 1 << 22


@dataclass(frozen=True)
class Fill:
    """How values are drawn: all alike, or normal (quantised: uniform) around zero.

    Attributes:
        constant: The value of all, None = random.
        deviation: Standard deviation of random ones.
    """

    constant: float | None = None
    deviation: float = 1.0


@dataclass(frozen=True)
class Block:
    """An element type: ``byte_count`` bytes hold ``element_count`` weights.

    Attributes:
        number: In the file format.
        set_scales: Writes the scales into blocks of random bytes; None for plain numbers.
    """

    number: int
    element_count: int
    byte_count: int
    set_scales: Callable[[Bytes, float], None] | None = None


def draw(
    type_name: str, element_count: int, fill: Fill, source: np.random.Generator
) -> Iterator[bytes]:
    """Yield the bytes of a tensor, a few megabytes at a time."""
    block = BLOCKS[type_name]
    for start in range(0, element_count, _CHUNK_ELEMENTS):
        count = min(_CHUNK_ELEMENTS, element_count - start)
        if block.set_scales is None:
            yield _numbers(type_name, count, fill, source)
            continue
        blocks = count // block.element_count
        drawn = np.frombuffer(source.bytes(blocks * block.byte_count), np.uint8)
        drawn = drawn.reshape(blocks, block.byte_count).copy()
        block.set_scales(drawn, fill.deviation)
        yield drawn.tobytes()


def _numbers(type_name: str, count: int, fill: Fill, source: np.random.Generator) -> bytes:
    if fill.constant is not None:
        values = np.full(count, fill.constant, np.float32)
    else:
        values = source.standard_normal(count, np.float32) * np.float32(fill.deviation)
    match type_name:
        case "F16":
            return values.astype("<f2").tobytes()
        case "BF16":
            return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    return values.astype("<f4").tobytes()


def _half(value: float) -> Bytes:
    return np.array([value], "<f2").view(np.uint8)


def _step(level_count: int, deviation: float) -> float:
    """Return the distance of levels that makes uniformly drawn ones deviate as wanted."""
    return deviation / math.sqrt((level_count**2 - 1) / 12)


def _set_alternating(scales: Bytes, step: float) -> None:
    """Set scales so that the one level more below zero than above weighs up."""
    scales[::2] = _half(step)
    scales[1::2] = _half(-step)


def _symmetric(level_count: int) -> Callable[[Bytes, float], None]:
    """Blocks with one scale, at their beginning, and levels around zero."""

    def set_scales(blocks: Bytes, deviation: float) -> None:
        _set_alternating(blocks[:, :2], _step(level_count, deviation))

    return set_scales


def _with_minimum(level_count: int, sign: int = -1) -> Callable[[Bytes, float], None]:
    """Blocks with a scale and what is added to (or, K types, taken from) all levels."""

    def set_scales(blocks: Bytes, deviation: float) -> None:
        step = _step(level_count, deviation)
        blocks[:, :2] = _half(step)
        blocks[:, 2:4] = _half(sign * step * (level_count - 1) / 2)

    return set_scales


def _k_with_minimum(level_count: int) -> Callable[[Bytes, float], None]:
    """Q4_K and Q5_K: eight scales and eight minimums of six bits each; all are 1 here."""
    set_block = _with_minimum(level_count, sign=1)

    def set_scales(blocks: Bytes, deviation: float) -> None:
        set_block(blocks, deviation)
        blocks[:, 4:12] = 1
        blocks[:, 12:16] = 0x11

    return set_scales


def _q2_k(blocks: Bytes, deviation: float) -> None:
    step = _step(4, deviation)
    blocks[:, :16] = 0x11
    blocks[:, 80:82] = _half(step)
    blocks[:, 82:84] = _half(step * 1.5)


def _q3_k(blocks: Bytes, deviation: float) -> None:
    blocks[:, 96:104] = 0x11  # each scale is 33 and counts from 32
    blocks[:, 104:108] = 0xAA
    _set_alternating(blocks[:, 108:110], _step(8, deviation))


def _q6_k(blocks: Bytes, deviation: float) -> None:
    blocks[:, 192:208] = 1
    _set_alternating(blocks[:, 208:210], _step(64, deviation))


BLOCKS = {
    "F32": Block(0, 1, 4),
    "F16": Block(1, 1, 2),
    "BF16": Block(30, 1, 2),
    "Q4_0": Block(2, 32, 18, _symmetric(16)),
    "Q4_1": Block(3, 32, 20, _with_minimum(16)),
    "Q5_0": Block(6, 32, 22, _symmetric(32)),
    "Q5_1": Block(7, 32, 24, _with_minimum(32)),
    "Q8_0": Block(8, 32, 34, _symmetric(256)),
    "Q2_K": Block(10, 256, 84, _q2_k),
    "Q3_K": Block(11, 256, 110, _q3_k),
    "Q4_K": Block(12, 256, 144, _k_with_minimum(16)),
    "Q5_K": Block(13, 256, 176, _k_with_minimum(32)),
    "Q6_K": Block(14, 256, 210, _q6_k),
}
