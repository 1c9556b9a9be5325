# SPDX-License-Identifier: Apache-2.0
"""Which projector belongs to which model.

A projector of the wrong model makes answers up without any error, so the widths must agree,
and where more than one model could be meant the names must agree as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molmo_desktop.models.gguf_header import GgufHeader

# Precise first, small second: F16 loses nothing that is visible in an answer.
_PREFERRED = ("F16", "BF16", "Q8_0", "F32")
_NO_NAME = re.compile(
    r"^(mmproj|model|ggml|gguf|vision|projector|clip|f16|f32|bf16|fp16|fp32|i?q\d\w*|[ksml]|xs|xxs"
    r"|0|1|k|of|\d{5})$"
)


@dataclass(frozen=True)
class FoundFile:
    """A GGUF file of a folder, with what it says about itself."""

    path: Path
    header: GgufHeader


def fits(model: GgufHeader, projector: GgufHeader) -> bool:
    """Whether the projector hands over vectors of the width that the model takes."""
    width = projector.vision.projection_dim if projector.vision else None
    return width is not None and width == model.embedding_length


def projector_for(
    model: FoundFile, models: Sequence[FoundFile], projectors: Sequence[FoundFile]
) -> FoundFile | None:
    """Choose the projector of a model among those in its folder.

    Args:
        model: The language model.
        models: All language models of the folder, this one included.
        projectors: All projectors of the folder.

    Returns:
        The one that fits; None if none does, or if it cannot be told whose it is.
    """
    fitting = [item for item in projectors if fits(model.header, item.header)]
    named = [item for item in fitting if _names_agree(model, item)]
    if named:
        return _preferred(named)
    rivals = {_own_words(item) for item in models if _same_width(item, model)}
    if len(rivals) > 1:
        return None
    nameless = [item for item in fitting if not _own_words(item)]
    if nameless:
        return _preferred(nameless)
    return _preferred(fitting) if len({_own_words(item) for item in fitting}) == 1 else None


def _same_width(one: FoundFile, other: FoundFile) -> bool:
    return one.header.embedding_length == other.header.embedding_length


def _preferred(projectors: Sequence[FoundFile]) -> FoundFile:
    def rank(item: FoundFile) -> tuple[int, str]:
        kind = item.header.quantization
        return (_PREFERRED.index(kind) if kind in _PREFERRED else len(_PREFERRED), str(item.path))

    return min(projectors, key=rank)


def _names_agree(model: FoundFile, projector: FoundFile) -> bool:
    """Whether every telling word of the projector's name stands in the model's."""
    words = _own_words(projector)
    return bool(words) and words <= _own_words(model)


def _own_words(item: FoundFile) -> frozenset[str]:
    """Return the words of a file's name that tell one model from another."""
    words = re.split(r"[^a-z0-9]+", item.path.stem.lower())
    return frozenset(word for word in words if word and not _NO_NAME.match(word))
