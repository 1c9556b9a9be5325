# SPDX-License-Identifier: Apache-2.0
"""Copies of a recurrent state, for models that cannot go back by themselves.

A recurrent or hybrid model (Mamba, LFM2, Qwen3.5) holds one state for all that it has read.
Before the last token of each prompt a copy is made; a regenerated answer or an edited turn goes
back to the newest copy that stands before the difference.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from llama_cpp import llama_cpp as lib

_SEQUENCE = 0
_BOUND_BYTES = 256 << 20
_BYTE_POINTER = ctypes.POINTER(ctypes.c_uint8)


@dataclass(frozen=True)
class _Checkpoint:
    unit_count: int
    state: Any  # a ctypes array of bytes


class Checkpoints:
    """The copies of one context, oldest dropped first beyond a bound of memory."""

    def __init__(self, context: int) -> None:
        self._context = context
        self._kept: list[_Checkpoint] = []

    def save(self, unit_count: int) -> None:
        """Copy the state that has read so many units."""
        flags = lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        size = int(lib.llama_state_seq_get_size_ext(self._context, _SEQUENCE, flags))
        state = (ctypes.c_uint8 * size)()
        written = lib.llama_state_seq_get_data_ext(
            self._context, ctypes.cast(state, _BYTE_POINTER), size, _SEQUENCE, flags
        )
        if written != size:
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
        flags = lib.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        size = len(newest.state)
        read = lib.llama_state_seq_set_data_ext(
            self._context, ctypes.cast(newest.state, _BYTE_POINTER), size, _SEQUENCE, flags
        )
        return newest.unit_count if read == size else 0

    def forget_from(self, unit_count: int) -> None:
        """Drop the copies that have read so many units or more."""
        self._kept = [item for item in self._kept if item.unit_count < unit_count]
