# SPDX-License-Identifier: Apache-2.0
"""Copies of a context's state: all of it, or the part of a model that cannot go back by itself.

A recurrent or hybrid model (Mamba, LFM2, Qwen3.5) holds one state for all that it has read.
Before the last token of each prompt a copy is made; a regenerated answer or an edited turn goes
back to the newest copy that stands before the difference.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as lib

_SEQUENCE = 0
_BOUND_BYTES = 256 << 20
_BYTE_POINTER = ctypes.POINTER(ctypes.c_uint8)


def state_size(context: int, flags: int = lib.LLAMA_STATE_SEQ_FLAGS_NONE) -> int:
    """Return the bytes that a copy of the context's state takes."""
    return int(lib.llama_state_seq_get_size_ext(context, _SEQUENCE, flags))


def copy_state(context: int, flags: int = lib.LLAMA_STATE_SEQ_FLAGS_NONE) -> Any | None:
    """Return a copy of the context's state as a ctypes array.

    None when llama.cpp refuses, or when there is no memory for it.
    """
    size = state_size(context, flags)
    try:
        state = (ctypes.c_uint8 * size)()
    except MemoryError:
        return None
    # By its address: a cast array refers to itself, and stays in memory long after its last use.
    pointer = ctypes.cast(ctypes.addressof(state), _BYTE_POINTER)
    written = lib.llama_state_seq_get_data_ext(context, pointer, size, _SEQUENCE, flags)
    return state if written == size else None


def put_state(context: int, state: Any, flags: int = lib.LLAMA_STATE_SEQ_FLAGS_NONE) -> bool:
    """Put a copy back, given as any buffer of bytes; return whether llama.cpp took it."""
    size = len(state)
    pointer = ctypes.cast(_address(state), _BYTE_POINTER)
    read = lib.llama_state_seq_set_data_ext(context, pointer, size, _SEQUENCE, flags)
    return bool(read == size)


@dataclass(frozen=True)
class _Checkpoint:
    unit_count: int
    state: Any  # a buffer of bytes


class Checkpoints:
    """The copies of one context, oldest dropped first beyond a bound of memory."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._kept: list[_Checkpoint] = []

    @property
    def unit_counts(self) -> list[int]:
        """After how many units there is a copy."""
        return [item.unit_count for item in self._kept]

    def copies(self) -> tuple[tuple[int, Any], ...]:
        """Return all copies with their unit counts."""
        return tuple((item.unit_count, item.state) for item in self._kept)

    def replace(self, copies: Sequence[tuple[int, Any]]) -> None:
        """Hold these copies instead."""
        self._kept = [_Checkpoint(count, state) for count, state in copies]

    def save(self, unit_count: int) -> None:
        """Copy the state that has read so many units."""
        state = copy_state(self._context, lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)
        if state is None:
            return
        self.forget_from(unit_count)
        self._kept.append(_Checkpoint(unit_count, state))
        while sum(len(item.state) for item in self._kept) > _BOUND_BYTES:
            del self._kept[0]

    def go_back(self, unit_count: int) -> int:
        """Put back the newest state that has read at most so many units.

        Returns:
            How many units it has read; 0 when there is no such copy.
        """
        self.forget_from(unit_count + 1)
        if not self._kept:
            return 0
        newest = self._kept[-1]
        took = put_state(self._context, newest.state, lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY)
        return newest.unit_count if took else 0

    def forget_from(self, unit_count: int) -> None:
        """Drop the copies that have read so many units or more."""
        self._kept = [item for item in self._kept if item.unit_count < unit_count]


def _address(buffer: Any) -> int:
    """Return where a buffer's bytes begin, read-only ones included."""
    return int(np.frombuffer(buffer, np.uint8).ctypes.data)
