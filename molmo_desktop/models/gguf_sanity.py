# SPDX-License-Identifier: Apache-2.0
"""Values that no model has and that llama.cpp does not survive.

Found by loading hundreds of damaged files (`benchmarks/hostile_models.py`): with these the
engine's process aborts instead of saying what is wrong.
"""

from __future__ import annotations

import math
from typing import TypeGuard

from molmo_desktop.models.gguf_reader import GgufFront, MalformedGgufError, Value

# ggml.h, GGML_MEM_ALIGN and the processor's buffers: weights are used where they lie.
_TENSOR_ALIGNMENT = 32


def check_values(front: GgufFront) -> None:
    """Refuse a file whose values cannot be.

    Raises:
        MalformedGgufError: One of them.
    """
    if front.tensors and front.data_offset % _TENSOR_ALIGNMENT:
        raise MalformedGgufError("its weights lie where they cannot be used")
    for key, value in front.values.items():
        if key.endswith("epsilon") and not _is_usable_epsilon(value):
            raise MalformedGgufError(f"{key} is {value}")
        if key.startswith("clip.has_") and not isinstance(value, bool):
            raise MalformedGgufError(f"{key} is neither true nor false")
        if key.endswith(".block_count") and value == 0 and not key.startswith("clip."):
            raise MalformedGgufError("it has no layers")
    for key in front.values:
        if key.endswith(".attention.head_count"):
            _check_heads(front, key.removesuffix(".attention.head_count"))
    _check_pictures(front)


def _check_heads(front: GgufFront, prefix: str) -> None:
    heads = front.values[f"{prefix}.attention.head_count"]
    width = front.values.get(f"{prefix}.embedding_length")
    if _is_number(heads) and _is_number(width) and heads > width:
        raise MalformedGgufError(f"{heads} heads of attention for {width} elements")


def _check_pictures(front: GgufFront) -> None:
    size = front.values.get("clip.vision.image_size")
    patch = front.values.get("clip.vision.patch_size")
    if _is_number(size) and _is_number(patch) and size < patch:
        raise MalformedGgufError(f"pictures of {size} pixels in patches of {patch}")


def _is_usable_epsilon(value: Value) -> bool:
    return isinstance(value, float) and math.isfinite(value) and 0 <= value < 1


def _is_number(value: Value | None) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
