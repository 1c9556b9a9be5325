# SPDX-License-Identifier: Apache-2.0
"""Why a model could not be loaded, in plain words.

llama.cpp tells reasons only in its log, so the log's lines are searched for known sentences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from molmo_desktop.core.errors import (
    EngineError,
    ModelLoadError,
    ModelNotFoundError,
    MolmoDesktopError,
    OutOfMemoryError,
    ProjectorMismatchError,
)

_DETAIL_LINES = 12
_MAGIC = b"GGUF"
_MEMORY = re.compile(
    r"unable to allocate|failed to allocate|bad_alloc|cannot allocate|failed to map segment"
    r"|insufficient memory|^MemoryError",
    re.I | re.M,
)
_UNKNOWN_ARCHITECTURE = re.compile(r"(?:unknown|unsupported) model architecture: '([^']*)'")
_PROJECTOR = "CLIP cannot be used as main model"
_TRUNCATED = re.compile(r"not within the file bounds|incomplete|unexpectedly reached end", re.I)
_MISMATCH = re.compile(r"mismatch between text model|unsupported decoder rope type", re.I)
_AGAIN = "Download it again, or choose another file."


def check_file(path: Path) -> None:
    """Refuse what cannot be a model without asking llama.cpp.

    Raises:
        ModelNotFoundError: There is no such file.
        ModelLoadError: It is not a GGUF file, or it may not be read.
    """
    if not path.is_file():
        raise ModelNotFoundError(
            f"There is no model file at {path}.", hint="Choose another model, or check the path."
        )
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise ModelLoadError(
            f"The model file {path.name} cannot be opened.",
            hint="Check that you may read it.",
            detail=str(error),
        ) from error
    if magic != _MAGIC:
        raise ModelLoadError(
            f"{path.name} is not a model file in the GGUF format.", hint="Choose a GGUF file."
        )


def model_error(path: Path, lines: Sequence[str]) -> MolmoDesktopError:
    """Return the error for a language model that llama.cpp refused."""
    log = "\n".join(lines)
    detail = _detail(lines)
    if _PROJECTOR in log:
        return ModelLoadError(
            f"{path.name} is a projector, not a language model.",
            hint="Choose the model's own file, and this one as its projector.",
            detail=detail,
        )
    if found := _UNKNOWN_ARCHITECTURE.search(log):
        return ModelLoadError(
            f"{path.name} has the architecture “{found[1]}”, which this version does not know.",
            hint="Choose another model, or look for a newer version of the program.",
            detail=detail,
        )
    if _TRUNCATED.search(log):
        return ModelLoadError(
            f"The model file {path.name} is incomplete.", hint=_AGAIN, detail=detail
        )
    if _MEMORY.search(log):
        return memory_error(detail)
    return ModelLoadError(f"The model file {path.name} is damaged.", hint=_AGAIN, detail=detail)


def projector_error(path: Path, model_name: str, lines: Sequence[str]) -> MolmoDesktopError:
    """Return the error for a projector that mtmd refused."""
    log = "\n".join(lines)
    detail = _detail(lines)
    if _MISMATCH.search(log):
        return ProjectorMismatchError(
            f"The projector {path.name} does not belong to the model {model_name}.",
            hint="Choose the mmproj file that was published with this model.",
            detail=detail,
        )
    if _MEMORY.search(log):
        return memory_error(detail)
    return ModelLoadError(
        f"{path.name} cannot be used as a projector.",
        hint="Choose the mmproj file that was published with this model.",
        detail=detail,
    )


def library_error(reason: str) -> MolmoDesktopError:
    """Return the error for a llama.cpp that cannot even be brought into the process."""
    if _MEMORY.search(reason):
        return memory_error(reason)
    return EngineError(
        "The engine's library cannot be used on this computer.",
        hint="Install the program again.",
        detail=reason,
    )


def tells_of_lack_of_memory(log: str) -> bool:
    """Whether the last lines of a process's log name memory that it did not get."""
    return _MEMORY.search(log) is not None


def memory_error(detail: str) -> OutOfMemoryError:
    """Return the error for too little memory."""
    return OutOfMemoryError(
        "There is not enough memory for this model.",
        hint="Close other programs, choose a smaller model, or lower the context length.",
        detail=detail,
    )


def _detail(lines: Sequence[str]) -> str:
    return "\n".join(lines[-_DETAIL_LINES:])
