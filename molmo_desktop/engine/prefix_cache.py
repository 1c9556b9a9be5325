# SPDX-License-Identifier: Apache-2.0
"""What the context holds already, so that only the new part of a prompt is evaluated.

A prompt is a row of units: a text token, or a picture's chunk of embeddings. Two prompts share
the units up to the first difference; what stands behind it is dropped.

Tokens and positions are counted apart: with M-RoPE (Qwen-VL) a picture of 300 tokens may
advance the position by 20 only. Not every memory can drop its end: recurrent and hybrid models
go back to a copy of their state (`checkpoints.py`), and so does a sliding window that was put
back from a copy, which holds the window's end only. Where nothing helps, everything is dropped
and evaluated again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llama_cpp import llama_cpp as lib

from molmo_desktop.engine.checkpoints import Checkpoints, copy_state, put_state, state_size

_SEQUENCE = 0


@dataclass(frozen=True)
class PictureUnit:
    """A picture's chunk in the prompt.

    Attributes:
        key: Hash of the pixels and of how they are prepared, and the number of the chunk.
        token_count: Places that it takes in the context.
        position_count: How far it advances the position.
    """

    key: str
    token_count: int
    position_count: int


Unit = int | PictureUnit


def count_tokens(units: Iterable[Unit]) -> int:
    """Return the places that units take in the context."""
    return sum(1 if isinstance(unit, int) else unit.token_count for unit in units)


def count_positions(units: Iterable[Unit]) -> int:
    """Return how far units advance the position."""
    return sum(1 if isinstance(unit, int) else unit.position_count for unit in units)


def shared_length(held: Sequence[Unit], wanted: Sequence[Unit]) -> int:
    """Return how many units are the same from the start on."""
    for place, (ours, theirs) in enumerate(zip(held, wanted, strict=False)):
        if ours != theirs:
            return place
    return min(len(held), len(wanted))


def reach(held: Sequence[Unit], checkpoints: Sequence[int] | None, wanted: Sequence[Unit]) -> int:
    """Return how many units of a wanted prompt a state can keep.

    Args:
        held: What the state has read.
        checkpoints: After how many units there is a copy to go back to; None = the state can
            drop its end wherever it is cut.
        wanted: The prompt; at least its last unit is left to evaluate, for its logits.
    """
    shared = min(shared_length(held, wanted), len(wanted) - 1)
    if checkpoints is None or shared == len(held):
        return shared
    return max((count for count in checkpoints if count <= shared), default=0)


@dataclass(frozen=True)
class HeldState:
    """A copy of what a context held.

    Attributes:
        units: What was read.
        data: llama.cpp's bytes.
        checkpoints: Unit counts and bytes to go back to, for a recurrent state; None for one
            that can drop its end.
    """

    units: tuple[Unit, ...]
    data: Any
    checkpoints: tuple[tuple[int, Any], ...] | None

    @property
    def byte_count(self) -> int:
        """Memory that it takes."""
        return len(self.data) + sum(len(data) for _, data in self.checkpoints or ())

    def reach(self, wanted: Sequence[Unit]) -> int:
        """Return how many units of a wanted prompt it can keep."""
        counts = None if self.checkpoints is None else [count for count, _ in self.checkpoints]
        return reach(self.units, counts, wanted)


class PrefixCache:
    """The units whose state a llama.cpp context holds.

    Args:
        context: llama.cpp's handle; owned by the model.
        window: Tokens of the sliding window, 0 without one.
        recurrent: The model holds a state that cannot drop its end.
    """

    def __init__(self, context: int, *, window: int = 0, recurrent: bool = False) -> None:
        self._context = context
        self._memory = lib.llama_get_memory(context)
        self._window = window
        self._is_recurrent = recurrent
        self._checkpoints = Checkpoints(context) if recurrent or window else None
        self._units: list[Unit] = []
        self.position = 0

    @property
    def units(self) -> tuple[Unit, ...]:
        """What is held."""
        return tuple(self._units)

    @property
    def wants_checkpoints(self) -> bool:
        """Whether `checkpoint` should be called before the last unit of a prompt."""
        return self._checkpoints is not None

    def can_be_cut(self) -> bool:
        """Whether the end can be dropped at any unit: nothing is missing at the start."""
        if self._is_recurrent:
            return False
        return self._window == 0 or self._first_position() <= 0

    def reach(self, wanted: Sequence[Unit]) -> int:
        """Return how many units of a wanted prompt `keep` would hold."""
        counts = None if self._checkpoints is None else self._checkpoints.unit_counts
        return reach(self._units, None if self.can_be_cut() else counts, wanted)

    def byte_count(self) -> int:
        """Return how much memory a copy of what is held takes."""
        copies = () if self._checkpoints is None else self._checkpoints.copies()
        return state_size(self._context) + sum(len(data) for _, data in copies)

    def save(self) -> HeldState | None:
        """Return a copy of what is held; None when there is nothing, or it cannot be copied."""
        data = copy_state(self._context) if self._units else None
        if data is None:
            return None
        copies = None if self._checkpoints is None else self._checkpoints.copies()
        return HeldState(self.units, data, copies)

    def load(self, held: HeldState) -> bool:
        """Hold a copy instead of what is held; without success, nothing is held."""
        self.clear()
        if not put_state(self._context, held.data):
            self.clear()
            return False
        self.append(held.units)
        if self._checkpoints is not None:
            self._checkpoints.replace(held.checkpoints or ())
        return True

    def checkpoint(self) -> None:
        """Make it possible to come back to what is held now."""
        if self._checkpoints is not None and self._units:
            self._checkpoints.save(len(self._units))

    def append(self, units: Sequence[Unit]) -> None:
        """Note what was evaluated."""
        self._units.extend(units)
        self.position += count_positions(units)

    def keep(self, wanted: Sequence[Unit]) -> int:
        """Drop what does not belong to the wanted prompt.

        At least the last unit is left to evaluate, because its logits are needed.

        Returns:
            How many units of the prompt are held now.
        """
        shared = min(shared_length(self._units, wanted), len(wanted) - 1)
        if shared < len(self._units):
            self._cut(shared)
        return len(self._units)

    def drop_last(self, count: int) -> None:
        """Drop the last tokens again; only where `can_be_cut`."""
        if count:
            self._cut(len(self._units) - count)

    def restore(self) -> None:
        """Drop what an interrupted evaluation may have left behind the noted units.

        A recurrent state may have changed in part, so it goes back to a copy in any case.
        """
        if self._is_recurrent:
            self._go_back(len(self._units))
        else:
            self._cut(len(self._units))

    def clear(self) -> None:
        """Drop everything."""
        lib.llama_memory_clear(self._memory, True)
        self._units.clear()
        self.position = 0
        if self._checkpoints is not None:
            self._checkpoints.forget_from(0)

    def _first_position(self) -> int:
        return int(lib.llama_memory_seq_pos_min(self._memory, _SEQUENCE))

    def _cut(self, length: int) -> None:
        position = count_positions(self._units[:length])
        if length > 0 and self._remove_from(position):
            self._hold_only(length)
        else:
            self._go_back(length)

    def _go_back(self, length: int) -> None:
        """Take the newest copy that has read at most so many units, else drop everything."""
        reached = self._checkpoints.go_back(length) if self._checkpoints is not None else 0
        if reached and self._remove_from(count_positions(self._units[:reached])):
            self._hold_only(reached)
        else:
            self.clear()

    def _hold_only(self, length: int) -> None:
        del self._units[length:]
        self.position = count_positions(self._units)
        if self._checkpoints is not None:
            self._checkpoints.forget_from(length + 1)

    def _remove_from(self, position: int) -> bool:
        if not lib.llama_memory_seq_rm(self._memory, _SEQUENCE, position, -1):
            return False
        if self._window == 0:
            return True
        return 0 <= self._first_position() <= max(0, position - self._window)
