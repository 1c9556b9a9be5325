# SPDX-License-Identifier: Apache-2.0
"""A model that can be chosen, and how a folder of GGUF files becomes a list of them."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from molmo_desktop.core.errors import ModelError, ModelLoadError
from molmo_desktop.models.gguf_header import GgufHeader, read_header
from molmo_desktop.models.pairing import FoundFile, projector_for

Origin = Literal["starter", "store", "file"]

_PART = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
_NAMELESS = ("model", "ggml-model", "gguf", "weights")


@dataclass(frozen=True)
class InstalledModel:
    """A model that can be chosen.

    Attributes:
        name: What the user calls it by; unique among the installed ones.
        path: The model file; of a divided one, its first part.
        size_bytes: On disk, all parts and the projector.
        parameters: None for a file with a problem.
        context_length: Longest context it was made for, None when not stated.
        has_vision: It can look at pictures.
        origin: Came with the program, lies in the model folder, or was given as a path.
        problem: A sentence when the file cannot be used, else empty.
    """

    name: str
    path: Path
    mmproj_path: Path | None
    size_bytes: int
    parameters: int | None
    quantization: str
    architecture: str
    context_length: int | None
    has_vision: bool
    origin: Origin
    problem: str = ""


class HeaderCache:
    """Reads each header once; a file that changed is read again. Any thread may call."""

    def __init__(self) -> None:
        self._headers: dict[Path, tuple[tuple[int, int], GgufHeader]] = {}
        self._lock = threading.Lock()

    def header(self, path: Path) -> GgufHeader:
        """Return the header.

        Raises:
            ModelError: The file cannot be used.
        """
        try:
            status = path.stat()
        except OSError:
            return read_header(path)
        stamp = (status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._headers.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        header = read_header(path)
        with self._lock:
            self._headers[path] = (stamp, header)
        return header


def models_in(files: Iterable[Path], headers: HeaderCache, origin: Origin) -> list[InstalledModel]:
    """Turn GGUF files into models; a projector goes with its model and is not listed itself.

    Args:
        files: Any GGUF files; those of one folder are taken together.
        headers: Reads them.
        origin: Where they come from.
    """
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for path in files:
        by_folder[path.parent].append(path)
    found: list[InstalledModel] = []
    for folder in sorted(by_folder):
        found += _models_of_folder(sorted(by_folder[folder]), headers, origin)
    return _with_unique_names(found)


def describe(
    model: FoundFile,
    projector: FoundFile | None,
    headers: HeaderCache,
    origin: Origin,
    name: str = "",
) -> InstalledModel:
    """Return a model with what its header says."""
    header = model.header
    installed = InstalledModel(
        name=name or name_of(model),
        path=model.path,
        mmproj_path=projector.path if projector else None,
        size_bytes=header.size_bytes + (projector.header.size_bytes if projector else 0),
        parameters=header.parameters,
        quantization=header.quantization,
        architecture=header.architecture,
        context_length=header.context_length,
        has_vision=projector is not None,
        origin=origin,
    )
    return _with_other_parts(installed, headers) if header.split_count > 1 else installed


def name_of(model: FoundFile) -> str:
    """Return the file's name without endings; a file called "model" is known by its folder."""
    stem = first_part_stem(model.path)
    if stem.lower() not in _NAMELESS:
        return stem
    return model.path.resolve().parent.name or model.header.name or stem


def first_part_stem(path: Path) -> str:
    """Return a file's name without ".gguf" and without "-00001-of-00003"."""
    part = _PART.match(path.stem)
    return part["stem"] if part else path.stem


def other_parts(path: Path) -> list[Path]:
    """Return where the other parts of a divided model must lie; empty if it is not divided."""
    part = _PART.match(path.stem)
    if part is None:
        return []
    count = int(part["count"])
    return [
        path.with_name(f"{part['stem']}-{number:05d}-of-{count:05d}{path.suffix}")
        for number in range(1, min(count, 1000) + 1)
        if number != int(part["number"])
    ]


def is_later_part(path: Path) -> bool:
    """Whether this is the second or a later part of a divided model."""
    part = _PART.match(path.stem)
    return part is not None and int(part["number"]) != 1


def _models_of_folder(
    paths: Sequence[Path], headers: HeaderCache, origin: Origin
) -> list[InstalledModel]:
    models: list[FoundFile] = []
    projectors: list[FoundFile] = []
    broken: list[InstalledModel] = []
    for path in paths:
        if is_later_part(path):
            continue
        try:
            item = FoundFile(path, headers.header(path))
        except ModelError as error:
            broken.append(_broken(path, error, origin))
            continue
        (projectors if item.header.is_projector else models).append(item)
    return [
        describe(model, projector_for(model, models, projectors), headers, origin)
        for model in models
    ] + broken


def _broken(path: Path, error: ModelError, origin: Origin) -> InstalledModel:
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0
    return InstalledModel(
        name=first_part_stem(path),
        path=path,
        mmproj_path=None,
        size_bytes=size_bytes,
        parameters=None,
        quantization="unknown",
        architecture="",
        context_length=None,
        has_vision=False,
        origin=origin,
        problem=str(error),
    )


def _with_other_parts(model: InstalledModel, headers: HeaderCache) -> InstalledModel:
    """Add up the parts of a divided model; a missing part makes it unusable."""
    parameters, size_bytes = model.parameters or 0, model.size_bytes
    for part in other_parts(model.path):
        try:
            header = headers.header(part)
        except ModelLoadError as error:
            return replace(model, problem=str(error))
        except ModelError:
            return replace(
                model,
                problem=f"The part {part.name} of this model is missing. "
                "Put all parts into the same folder.",
            )
        parameters += header.parameters
        size_bytes += header.size_bytes
    return replace(model, parameters=parameters, size_bytes=size_bytes)


def _with_unique_names(models: Sequence[InstalledModel]) -> list[InstalledModel]:
    """Put the folder before a name that two models share."""
    names = [model.name.lower() for model in models]
    return [
        replace(model, name=f"{model.path.parent.name}/{model.name}")
        if names.count(model.name.lower()) > 1
        else model
        for model in models
    ]
