# SPDX-License-Identifier: Apache-2.0
"""How much memory a model will need, by parts, and whether this machine has it.

An estimate from the file's header, made before anything is loaded; `docs/measuring.md` compares
it with what llama.cpp really takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from molmo_desktop.models.gguf_header import GgufHeader, VisionHeader

Fit = Literal["fits", "tight", "will not fit"]
EstimateSource = Literal["estimated", "measured here"]

# Bytes of one element of keys and values: Q8_0 keeps 32 elements and their scale in 34 bytes.
_KV_ELEMENT_BYTES = {"f16": 2.0, "q8_0": 34 / 32}
_CONTEXT_STEP = 256  # llama.cpp rounds the context up to this
_BATCH_TOKENS = 512  # llama.cpp's n_ubatch
_FLOAT_BYTES = 4
# Scratch of the picture encoder for one patch, in widths of its layers. Measured with flash
# attention and shapes of Qwen3-VL-2B and SmolVLM-256M: 28 and 31 (Linux, 2026-11).
_VISION_WIDTHS = 30
_MASK_BYTES = 2  # the attention mask is F16
# The libraries and Python of the engine process with the model's vocabulary. Measured with the
# tiny model 50 MB, with SmolLM2 65 MB beyond the other parts (Linux, 2026-11).
PROCESS_BYTES = 70_000_000
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
        source: Counted from the file's header, or with what an earlier load took here.
    """

    weights_bytes: int
    kv_cache_bytes: int
    compute_bytes: int
    projector_bytes: int
    context_length: int
    source: EstimateSource = "estimated"

    @property
    def total_bytes(self) -> int:
        """All parts together."""
        return self.weights_bytes + self.kv_cache_bytes + self.compute_bytes + self.projector_bytes

    def parts(self) -> dict[str, int]:
        """Return the parts as they stand in JSON."""
        return {
            "weights_bytes": self.weights_bytes,
            "kv_cache_bytes": self.kv_cache_bytes,
            "compute_bytes": self.compute_bytes,
            "projector_bytes": self.projector_bytes,
        }


def estimate_memory(
    model: GgufHeader,
    context_length: int,
    projector: GgufHeader | None = None,
    *,
    other_parts: Sequence[GgufHeader] = (),
    kv_cache_type: str = "f16",
    flash_attention: bool = True,
) -> MemoryEstimate:
    """Return what a model will need.

    Args:
        model: Its header.
        context_length: Tokens of context.
        projector: Header of its vision part.
        other_parts: Headers of the other files of a divided model.
        kv_cache_type: "f16" or "q8_0"; without flash attention it is always "f16".
        flash_attention: Without it the scores of a batch are kept as well.
    """
    element_bytes = _KV_ELEMENT_BYTES[kv_cache_type if flash_attention else "f16"]
    compute_bytes = _compute_bytes(model, context_length)
    if not flash_attention:
        compute_bytes += _BATCH_TOKENS * context_length * (model.head_count or 1) * _FLOAT_BYTES
    return MemoryEstimate(
        weights_bytes=sum(part.weights_bytes or part.size_bytes for part in (model, *other_parts)),
        kv_cache_bytes=round(_kv_cache_elements(model, context_length) * element_bytes)
        + model.state_bytes,
        compute_bytes=PROCESS_BYTES + compute_bytes,
        projector_bytes=_projector_bytes(projector, flash_attention) if projector else 0,
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


def _kv_cache_elements(model: GgufHeader, context_length: int) -> int:
    """Count every layer over the whole context; sliding windows need less than this."""
    if model.kv_head_counts and not any(model.kv_head_counts):
        return 0
    tokens = -(-context_length // _CONTEXT_STEP) * _CONTEXT_STEP
    if not model.kv_head_counts or not model.key_length or not model.value_length:
        # Nothing is known about the heads: assume that keys and values have the full width.
        width = (model.block_count or 0) * 2 * (model.embedding_length or 0)
        return tokens * width
    heads = sum(model.kv_head_counts)
    return tokens * heads * (model.key_length + model.value_length)


def _compute_bytes(model: GgufHeader, context_length: int) -> int:
    """Count the attention mask and the widest layer of one batch.

    The engine asks for the scores of one token only, so the vocabulary does not count here.
    llama.cpp 0.3.36 says 22.8 MB for SmolLM2-135M at 8192 tokens, this 24.1; for the tiny test
    model at 4096 tokens 6.6 MB, this 6.8 (Linux, 2 threads, 2026-11).
    """
    widest = model.feed_forward_length or 4 * (model.embedding_length or 0)
    return _BATCH_TOKENS * (context_length * _MASK_BYTES + 5 * widest * _FLOAT_BYTES)


def _projector_bytes(projector: GgufHeader, flash_attention: bool) -> int:
    weights = projector.weights_bytes or projector.size_bytes
    if projector.vision is None:
        return weights
    return weights + _vision_scratch_bytes(projector.vision, flash_attention)


def _vision_scratch_bytes(vision: VisionHeader, flash_attention: bool) -> int:
    """Count the activations over the patches of one picture, and scores where they are kept.

    The picture is taken to be as large as the model was made for; larger ones need more where
    the model takes them whole.
    """
    if not vision.image_size_px or not vision.patch_size_px:
        return 0
    patches = (vision.image_size_px // vision.patch_size_px) ** 2
    scores = 0 if flash_attention else patches * patches * (vision.head_count or 1)
    activations = patches * _VISION_WIDTHS * (vision.embedding_length or 0)
    return (scores + activations) * _FLOAT_BYTES
