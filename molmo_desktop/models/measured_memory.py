# SPDX-License-Identifier: Apache-2.0
"""What models really took when they were loaded here, so that the next estimate is better.

A small JSON file. An unreadable one counts as empty, one that cannot be written does no harm.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from molmo_desktop.core.files import write_atomically
from molmo_desktop.models.fit import PROCESS_BYTES, MemoryEstimate

_logger = logging.getLogger(__name__)

_FILE_VERSION = 1
_MOST_ENTRIES = 64
_MOST_BYTES = 1 << 50
# A peak that is higher by less than this is the same: nothing is written for it.
_SAME_SHARE = 0.01


@dataclass(frozen=True)
class LoadKind:
    """What the memory of a loaded model depends on.

    Attributes:
        files: Name, size and time of change of the model's file and its projector's.
        context_length: As loaded, in tokens.
        settings: Of the engine, in one word each.
    """

    files: str
    context_length: int
    settings: str

    @classmethod
    def of(
        cls, model: Path, mmproj: Path | None, context_length: int, *settings: object
    ) -> LoadKind:
        """Return the kind for files that are there.

        Raises:
            OSError: A file is gone.
        """
        names = [_identity(path) for path in (model, mmproj) if path is not None]
        return cls(" ".join(names), context_length, " ".join(map(str, settings)))

    @property
    def key(self) -> str:
        """As it stands in the file."""
        return f"{self.same_model}{self.context_length}"

    @property
    def same_model(self) -> str:
        """What the keys of all context lengths begin with."""
        return f"{self.files} | {self.settings} | "


@dataclass(frozen=True)
class MeasuredLoad:
    """What one kind of load took, in bytes.

    Attributes:
        kv_cache_bytes, compute_bytes: As llama.cpp reported them.
        rest_bytes: The highest resident size of the engine, less the weights (also where they
            lie in memory twice), the projector's file and the two above: the process itself, and
            scratch for pictures.
        with_pictures: Pictures were looked at; without, their scratch is not in it.
    """

    kv_cache_bytes: int
    compute_bytes: int
    rest_bytes: int
    with_pictures: bool = False


class MeasuredMemory:
    """The measured loads of one user. Any thread may call.

    Args:
        path: The JSON file; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._loads: dict[str, MeasuredLoad] | None = None

    def find(self, kind: LoadKind) -> MeasuredLoad | None:
        """Return what this kind of load took, None when it was never measured."""
        with self._lock:
            return self._known().get(kind.key)

    def find_other(self, kind: LoadKind) -> tuple[int, MeasuredLoad] | None:
        """Return another context length and what it took, of those measured the nearest."""
        with self._lock:
            found = [
                (int(key.removeprefix(kind.same_model)), load)
                for key, load in self._known().items()
                if key.startswith(kind.same_model)
            ]
        return min(found, key=lambda item: abs(item[0] - kind.context_length), default=None)

    def learn(self, kind: LoadKind, load: MeasuredLoad) -> None:
        """Remember what a load took; of two measurements the higher one stays."""
        with self._lock:
            loads = self._known()
            known = loads.get(kind.key)
            merged = _merged(known, load)
            if known == merged:
                return
            loads.pop(kind.key, None)
            loads[kind.key] = merged
            while len(loads) > _MOST_ENTRIES:
                del loads[next(iter(loads))]  # the one that was learned longest ago
            self._write(loads)

    def _known(self) -> dict[str, MeasuredLoad]:
        if self._loads is None:
            self._loads = _read(self._path)
        return self._loads

    def _write(self, loads: Mapping[str, MeasuredLoad]) -> None:
        data = {key: asdict(load) for key, load in loads.items()}
        text = json.dumps({"version": _FILE_VERSION, "loads": data}, indent=2)
        try:
            write_atomically(self._path, text + "\n")
        except OSError as error:
            _logger.info("What a model took could not be remembered: %s", error)


def corrected(estimate: MemoryEstimate, load: MeasuredLoad, projector_bytes: int) -> MemoryEstimate:
    """Return an estimate with what an earlier load of the same kind took.

    Args:
        estimate: From the headers.
        load: What was measured.
        projector_bytes: Size of the projector's file, 0 without one.
    """
    process_bytes, scratch_bytes = load.rest_bytes, estimate.projector_bytes
    if projector_bytes and load.with_pictures:
        process_bytes = min(load.rest_bytes, PROCESS_BYTES)
        scratch_bytes = projector_bytes + load.rest_bytes - process_bytes
    return replace(
        estimate,
        kv_cache_bytes=load.kv_cache_bytes,
        compute_bytes=load.compute_bytes + process_bytes,
        projector_bytes=scratch_bytes,
        source="measured here",
    )


def scaled(
    estimate: MemoryEstimate, other: MemoryEstimate, load: MeasuredLoad, projector_bytes: int
) -> MemoryEstimate:
    """Return an estimate with what the same model took at another context length.

    Args:
        estimate: From the headers.
        other: From the headers too, for the context length that was measured.
        load: What was measured.
        projector_bytes: Size of the projector's file, 0 without one.
    """
    real = corrected(other, load, projector_bytes)
    per_estimated = real.kv_cache_bytes / other.kv_cache_bytes if other.kv_cache_bytes else 1.0
    return replace(
        estimate,
        kv_cache_bytes=round(estimate.kv_cache_bytes * per_estimated),
        compute_bytes=max(0, estimate.compute_bytes + real.compute_bytes - other.compute_bytes),
        projector_bytes=real.projector_bytes,
    )


def _merged(known: MeasuredLoad | None, new: MeasuredLoad) -> MeasuredLoad:
    """Return both in one; another version of the library may have other buffers."""
    if known is None or (known.kv_cache_bytes, known.compute_bytes) != (
        new.kv_cache_bytes,
        new.compute_bytes,
    ):
        return new
    rest_bytes = known.rest_bytes
    if new.rest_bytes > rest_bytes * (1 + _SAME_SHARE):
        rest_bytes = new.rest_bytes
    return replace(
        known, rest_bytes=rest_bytes, with_pictures=known.with_pictures or new.with_pictures
    )


def _identity(path: Path) -> str:
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"


def _read(path: Path) -> dict[str, MeasuredLoad]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    loads = data.get("loads") if isinstance(data, dict) else None
    if not isinstance(loads, dict) or data.get("version") != _FILE_VERSION:
        return {}
    keys = [key for key in loads if key.rpartition(" | ")[2].isdecimal()]
    found = {key: _load_from(loads[key]) for key in keys}
    sound = {key: load for key, load in found.items() if load is not None}
    return dict(list(sound.items())[-_MOST_ENTRIES:])


def _load_from(value: Any) -> MeasuredLoad | None:
    if not isinstance(value, dict):
        return None
    sizes = [_size(value.get(name)) for name in ("kv_cache_bytes", "compute_bytes", "rest_bytes")]
    kv_cache_bytes, compute_bytes, rest_bytes = sizes
    if kv_cache_bytes is None or compute_bytes is None or rest_bytes is None:
        return None
    with_pictures = value.get("with_pictures") is True
    return MeasuredLoad(kv_cache_bytes, compute_bytes, rest_bytes, with_pictures)


def _size(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < _MOST_BYTES else None
