# SPDX-License-Identifier: Apache-2.0
"""What the model has read before, to go on from: put aside in memory, or stored on the disk.

The context holds one conversation. Coming back to another one, or to a document after a restart,
puts its state back instead of evaluating its prompt again. Which state helps is decided as for
the context itself: by how much of the wanted prompt it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from molmo_desktop.engine.prefix_cache import (
    HeldState,
    PictureUnit,
    PrefixCache,
    Unit,
    count_tokens,
    reach,
)
from molmo_desktop.engine.stored_files import Header, Stored, StoredFiles

# Fewer tokens are evaluated as fast as a state is copied.
_WORTH_TOKENS = 64
# A state is stored again when at least so much of it, counted in time, is new.
_WORTH_SHARE = 1 / 3
_MOST_MEMORY_BYTES = 512 << 20
_MEMORY_SHARE = 0.1  # of what is free now
_COPY_SHARE = 0.5  # of what is free now, for a copy that is written and let go of
_STATE = ".state"


_Outline = tuple[tuple[Unit, ...], tuple[int, ...] | None]


@dataclass
class _Reading:
    """What it took to read what a state holds, and whose it is.

    Attributes:
        cost_s: All of it.
        unstored_s: The part that would be lost with this process.
        is_private: It must not go to the disk; true until an answer said otherwise.
    """

    cost_s: float = 0.0
    unstored_s: float = 0.0
    owner: str = ""
    is_private: bool = True


@dataclass(frozen=True)
class _Aside:
    state: HeldState
    reading: _Reading


class HeldStates:
    """States of one model beside the one in its context.

    Args:
        stored: The model's files; None = nothing is kept on the disk.
        worth_s: Store only what took at least so long to read.
    """

    def __init__(self, stored: StoredFiles | None = None, worth_s: float = 0.0) -> None:
        self._stored = stored
        self._worth_s = worth_s
        self._aside: list[_Aside] = []
        self._reading = _Reading()
        self._outlines: dict[str, _Outline] = {}
        self._taken_bytes = 0

    @property
    def byte_count(self) -> int:
        """Memory that copies took at most since the last `bring` began."""
        return self._aside_bytes() + self._taken_bytes

    def bring(self, cache: PrefixCache, wanted: Sequence[Unit]) -> None:
        """Put the state into the context that holds most of the wanted prompt.

        What the context would lose is put aside in memory first.
        """
        self._taken_bytes = 0
        here = cache.reach(wanted)
        losing = count_tokens(cache.units[here:]) >= _WORTH_TOKENS
        least = count_tokens(wanted[:here]) + _WORTH_TOKENS
        aside, aside_tokens = self._best_aside(wanted)
        name, stored_tokens = self._best_stored(wanted)
        if aside is not None and aside_tokens >= max(least, stored_tokens):
            self._aside.remove(aside)  # first, so that it is not what has to make room
            if losing:
                self._put_aside(cache)
            self._take(cache, aside.state, aside.reading)
            return
        if losing:
            self._put_aside(cache)
        if stored_tokens >= least:
            self._take_stored(cache, name)
        elif losing:
            self._reading = _Reading()

    def note(self, seconds: float, *, owner: str, is_private: bool) -> None:
        """Take into account what was read for an answer, and whose it is."""
        reading = self._reading
        reading.cost_s += seconds
        reading.unstored_s += seconds
        reading.owner, reading.is_private = owner, is_private

    def forget(self) -> None:
        """Drop what is in memory; the context was cleared."""
        self._aside.clear()
        self._reading = _Reading()
        self._taken_bytes = 0

    def store(self, cache: PrefixCache) -> None:
        """Keep the state of the context on the disk, if it is worth it and allowed.

        A conversation that grows is stored again only when a good part of it is new, so that
        not every question writes everything.
        """
        reading, stored = self._reading, self._stored
        if stored is None or reading.is_private or not reading.unstored_s:
            return
        if reading.unstored_s < max(self._worth_s, reading.cost_s * _WORTH_SHARE):
            return
        if cache.byte_count() > psutil.virtual_memory().available * _COPY_SHARE:
            return
        if (state := cache.save()) is None:
            return
        header = {**_described(state), "owner": reading.owner, "cost_s": reading.cost_s}
        name = _name(state.units)
        copies = [data for _, data in state.checkpoints or ()]
        stored.write(name, header, [state.data, *copies])
        if stored.has(name):
            self._drop_superseded(stored, state.units, name)
            reading.unstored_s = 0.0

    def _put_aside(self, cache: PrefixCache) -> None:
        size = cache.byte_count()
        bound = min(_MOST_MEMORY_BYTES, int(psutil.virtual_memory().available * _MEMORY_SHARE))
        self._aside = [item for item in self._aside if item.state.units != cache.units]
        # Before the copy is made: afterwards memory may have run out already.
        while self._aside and size + self._aside_bytes() > bound:
            del self._aside[0]
        state = cache.save() if size <= bound else None
        if state is not None:
            self._aside.append(_Aside(state, self._reading))

    def _aside_bytes(self) -> int:
        return sum(item.state.byte_count for item in self._aside)

    def _best_aside(self, wanted: Sequence[Unit]) -> tuple[_Aside | None, int]:
        """Return what holds most of the wanted prompt in memory, and how many tokens of it."""
        best = max(self._aside, key=lambda item: item.state.reach(wanted), default=None)
        return best, 0 if best is None else count_tokens(wanted[: best.state.reach(wanted)])

    def _best_stored(self, wanted: Sequence[Unit]) -> tuple[str, int]:
        """Return the file that holds most of the wanted prompt, and how many tokens of it."""
        best, most = "", 0
        for name, header in self._stored.headers(_STATE) if self._stored is not None else ():
            if (reached := reach(*self._outline(name, header), wanted)) > most:
                best, most = name, reached
        return best, count_tokens(wanted[:most])

    def _outline(self, name: str, header: Header) -> _Outline:
        """Return units and checkpoints of a file; nothing for a header that makes no sense."""
        outline = self._outlines.get(name)
        if outline is None:
            try:
                outline = (_units(header), _counts(header))
            except (KeyError, TypeError, ValueError):
                outline = ((), None)
            self._outlines[name] = outline
        return outline

    def _drop_superseded(self, stored: StoredFiles, units: Sequence[Unit], name: str) -> None:
        """Delete older states that are only the beginning of the new one."""
        for other, header in list(stored.headers(_STATE)):
            older, _ = self._outline(other, header)
            if other != name and tuple(units[: len(older)]) == older:
                stored.delete(other)

    def _take(self, cache: PrefixCache, state: HeldState, reading: _Reading) -> bool:
        self._taken_bytes = state.byte_count
        took = cache.load(state)
        self._reading = reading if took else _Reading()
        return took

    def _take_stored(self, cache: PrefixCache, name: str) -> None:
        stored = self._stored
        if stored is None or (found := stored.read(name)) is None:
            return
        reading = _Reading(found.header["cost_s"], owner=found.header["owner"])
        if not self._take(cache, _state(found), reading):
            stored.delete(name)  # llama.cpp refuses it, and always will


def _name(units: Sequence[Unit]) -> str:
    return hashlib.blake2b(repr(units).encode(), digest_size=16).hexdigest() + _STATE


def _described(state: HeldState) -> Header:
    """Return what the header of a file says; without checkpoints, None stands for them."""
    checkpoints = state.checkpoints
    return {
        "units": [
            unit if isinstance(unit, int) else [unit.key, unit.token_count, unit.position_count]
            for unit in state.units
        ],
        "state_bytes": len(state.data),
        "checkpoints": checkpoints and [[count, len(data)] for count, data in checkpoints],
    }


def _units(header: Header) -> tuple[Unit, ...]:
    return tuple(unit if isinstance(unit, int) else PictureUnit(*unit) for unit in header["units"])


def _counts(header: Header) -> tuple[int, ...] | None:
    checkpoints = header["checkpoints"]
    return None if checkpoints is None else tuple(count for count, _ in checkpoints)


def _state(stored: Stored) -> HeldState:
    """Rebuild a state; the inverse of `_described`."""
    at = stored.header["state_bytes"]
    if stored.header["checkpoints"] is None:
        return HeldState(_units(stored.header), stored.data[:at], None)
    checkpoints = []
    whole = stored.data[:at]
    for count, size in stored.header["checkpoints"]:
        checkpoints.append((count, stored.data[at : at + size]))
        at += size
    return HeldState(_units(stored.header), whole, tuple(checkpoints))
