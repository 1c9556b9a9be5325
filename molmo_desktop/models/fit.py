# SPDX-License-Identifier: Apache-2.0
"""How much memory a model will need, by parts, and whether this machine has it.

An estimate from the file's header, made before anything is loaded; `docs/measuring.md` compares
it with what llama.cpp really takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from molmo_desktop.models.gguf_header import GgufHeader, VisionHeader

Fit = Literal["fits", "tight", "will not fit"]

_KV_ELEMENT_BYTES = 2  # llama.cpp keeps keys and values as F16
_CONTEXT_STEP = 256  # llama.cpp rounds the context up to this
_BATCH_TOKENS = 512  # llama.cpp's n_ubatch
_FLOAT_BYTES = 4
# The libraries, the tokenizer and the Python of the engine process; measured with the tiny
# model on Linux, 2026-11: 120 MB resident, of which 3 MB are the model's.
_PROCESS_BYTES = 120_000_000
# Of the memory that is free: beyond this the system starts to swap other programs out.
_COMFORTABLE_SHARE = 0.8


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that a loaded model takes.

    Attributes:
        weights_bytes: The language model's tensors.
        kv_cache_bytes: Keys and values for the whole context.
        compute_bytes: Scratch of the computation, and the engine process itself.
        projector_bytes: Vision part with its scratch; 0 for a model without one.
        context_length: The context that was counted with, in tokens.
    """

    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    projector_bytes: int
    context_length: int

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.kv_cache_bytes + self.compute_bytes + self.projector_bytes


def estimate_memory(
    model: GgufHeader,
    context_length: int,
    projector: GgufHeader | None = None,
    *,
    weights_bytes: int | None = None,
) -> MemoryEstimate:
    """Return what a model will need.

    Args:
        model: Its header.
        context_length: Tokens of context.
        projector: Header of its vision part.
        weights_bytes: Of all parts of a divided model; None = as the header says.
    """
    return MemoryEstimate(
        weights_bytes=weights_bytes or model.weights_bytes or model.size_bytes,
        kv_cache_bytes=_kv_cache_bytes(model, context_length),
        compute_bytes=_PROCESS_BYTES + _compute_bytes(model),
        projector_bytes=_projector_bytes(projector) if projector else 0,
        context_length=context_length,
    )


def fit(estimate: MemoryEstimate, available_bytes: int) -> Fit:
    """Say whether a model fits into the memory that is free now.

    "tight" means that it loads, but other programs may be pushed out of memory.
    """
    if estimate.total_bytes > available_bytes:
        return "will not fit"
    if estimate.total_bytes > available_bytes * _COMFORTABLE_SHARE:
        return "tight"
    return "fits"


def _kv_cache_bytes(model: GgufHeader, context_length: int) -> int:
    """Count every layer over the whole context; sliding windows need less than this."""
    tokens = -(-context_length // _CONTEXT_STEP) * _CONTEXT_STEP
    if not model.kv_head_counts or not model.key_length or not model.value_length:
        # Nothing is known about the heads: assume that keys and values have the full width.
        width = (model.block_count or 0) * 2 * (model.embedding_length or 0)
        return tokens * width * _KV_ELEMENT_BYTES
    heads = sum(model.kv_head_counts)
    return tokens * heads * (model.key_length + model.value_length) * _KV_ELEMENT_BYTES


def _compute_bytes(model: GgufHeader) -> int:
    """Count the largest scratch tensors of one batch: the scores of the whole vocabulary."""
    per_token = (model.vocabulary_size or 0) + 8 * (model.embedding_length or 0)
    return _BATCH_TOKENS * per_token * _FLOAT_BYTES


def _projector_bytes(projector: GgufHeader) -> int:
    weights = projector.weights_bytes or projector.size_bytes
    return weights + _vision_scratch_bytes(projector.vision) if projector.vision else weights


def _vision_scratch_bytes(vision: VisionHeader) -> int:
    """Count attention scores and activations over the patches of one picture."""
    if not vision.image_size_px or not vision.patch_size_px:
        return 0
    patches = (vision.image_size_px // vision.patch_size_px) ** 2
    scores = patches * patches * (vision.head_count or 1)
    activations = patches * 8 * (vision.embedding_length or 0)
    return (scores + activations) * _FLOAT_BYTES
