# SPDX-License-Identifier: Apache-2.0
"""What a GGUF file says about itself, in the program's own words.

The file is only read at its front (30 ms for a vocabulary of 49 000 tokens) and nothing in it
is believed before it was checked against the file's size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from molmo_desktop.core.errors import ModelLoadError, ModelNotFoundError
from molmo_desktop.models.gguf_reader import (
    GgufFront,
    MalformedGgufError,
    TensorInfo,
    Value,
    read_front,
)
from molmo_desktop.models.gguf_sanity import check_values
from molmo_desktop.models.gguf_types import FILE_TYPES, TENSOR_TYPES

_PROJECTOR_ARCHITECTURE = "clip"
# More layers than any model has would only waste memory here.
_MOST_LAYERS = 4096


@dataclass(frozen=True)
class VisionHeader:
    """The part of a projector file that says how pictures are looked at.

    Attributes:
        projector_type: As llama.cpp calls it, empty when not stated.
        projection_dim: Width of what it hands to the language model; must equal the
            model's embedding length. None when not stated.
        image_size_px: Side of the square it was made for.
    """

    projector_type: str = ""
    projection_dim: int | None = None
    image_size_px: int | None = None
    patch_size_px: int | None = None
    embedding_length: int | None = None
    head_count: int | None = None


@dataclass(frozen=True)
class GgufHeader:
    """One GGUF file.

    Attributes:
        architecture: As llama.cpp calls it.
        name: As the file calls itself, empty when it does not.
        parameters: Sum of all tensors' elements.
        quantization: Such as "Q4_K_M".
        context_length: Longest context it was made for, in tokens.
        kv_head_counts: One number a layer; 0 for a layer that keeps no keys and values.
        key_length: Elements of a key in one head; the same for ``value_length``.
        state_bytes: State of fixed size that layers without attention keep, whatever the context.
        size_bytes: Of the file.
        weights_bytes: Of the tensors alone, None when a tensor type is unknown.
        split_count: Files that the model is divided into; 1 = not divided.
        vision: Only for a projector.
    """

    architecture: str
    name: str
    parameters: int
    quantization: str
    context_length: int | None
    embedding_length: int | None
    feed_forward_length: int | None
    block_count: int | None
    head_count: int | None
    kv_head_counts: tuple[int, ...]
    key_length: int | None
    value_length: int | None
    vocabulary_size: int | None
    size_bytes: int
    weights_bytes: int | None
    has_chat_template: bool
    license: str = ""
    split_count: int = 1
    state_bytes: int = 0
    vision: VisionHeader | None = None

    @property
    def is_projector(self) -> bool:
        """Whether this is the vision part of a model rather than a model."""
        return self.vision is not None


def read_header(path: Path) -> GgufHeader:
    """Read what a GGUF file says about itself.

    Raises:
        ModelNotFoundError: There is no file.
        ModelLoadError: Not a GGUF file, cut short, or it cannot be read.
    """
    try:
        front = read_front(path)
        header = _header(front)
        _check_length(front)
        check_values(front)
    except FileNotFoundError as error:
        raise ModelNotFoundError(
            f"There is no model file at {path}.", hint="Check the path or choose another model."
        ) from error
    except MalformedGgufError as error:
        raise ModelLoadError(
            f"{path.name} is not a complete model file.",
            hint="Download it again, or choose another .gguf file.",
            detail=str(error),
        ) from error
    except OSError as error:
        raise ModelLoadError(
            f"{path.name} could not be read.",
            hint="Check that it is a file and that you may read it.",
            detail=str(error),
        ) from error
    return header


def _header(front: GgufFront) -> GgufHeader:
    values = front.values
    architecture = _text(values.get("general.architecture"))
    if not architecture:
        raise MalformedGgufError("it does not say which architecture it has")
    if not front.tensors and not _count(values.get("split.count")):
        raise MalformedGgufError("it holds no tensors")
    embedding_length = _count(values.get(f"{architecture}.embedding_length"))
    block_count = _count(values.get(f"{architecture}.block_count"))
    feed_forward = values.get(f"{architecture}.feed_forward_length")
    heads = _per_layer(values.get(f"{architecture}.attention.head_count"), block_count)
    kv_heads = _per_layer(values.get(f"{architecture}.attention.head_count_kv"), block_count)
    layer_state_bytes = _layer_state_bytes(values, architecture, embedding_length or 0)
    cached = _cached_heads(
        kv_heads or heads,
        _count(values.get(f"{architecture}.full_attention_interval")),
        block_count if layer_state_bytes else None,
    )
    head_count = max(heads, default=0) or None
    width = embedding_length // head_count if embedding_length and head_count else None
    sizes = [tensor.size_bytes for tensor in front.tensors]
    return GgufHeader(
        architecture=architecture,
        name=_text(values.get("general.name")),
        parameters=sum(tensor.element_count for tensor in front.tensors),
        quantization=_quantization(front),
        context_length=_count(values.get(f"{architecture}.context_length")),
        embedding_length=embedding_length,
        feed_forward_length=max(_per_layer(feed_forward, block_count), default=None),
        block_count=block_count,
        head_count=head_count,
        kv_head_counts=cached,
        key_length=_count(values.get(f"{architecture}.attention.key_length")) or width,
        value_length=_count(values.get(f"{architecture}.attention.value_length")) or width,
        vocabulary_size=front.lengths.get("tokenizer.ggml.tokens")
        or _count(values.get(f"{architecture}.vocab_size")),
        size_bytes=front.file_bytes,
        weights_bytes=None if None in sizes else sum(size for size in sizes if size is not None),
        has_chat_template=bool(_text(values.get("tokenizer.chat_template"))),
        license=_text(values.get("general.license")),
        split_count=_count(values.get("split.count")) or 1,
        state_bytes=layer_state_bytes * (cached.count(0) or len(cached)),
        vision=_vision(front) if architecture == _PROJECTOR_ARCHITECTURE else None,
    )


def _cached_heads(
    heads: tuple[int, ...], interval: int | None, recurrent_blocks: int | None
) -> tuple[int, ...]:
    """Return the heads of each layer that keep keys and values.

    Args:
        heads: As stated, one number a layer.
        interval: Only each so-many-th layer has attention; None = all, or as the heads say.
        recurrent_blocks: Number of layers of a model that keeps a state of fixed size.
    """
    if not heads and recurrent_blocks:
        return (0,) * min(recurrent_blocks, _MOST_LAYERS)
    if interval and all(heads):
        return tuple(
            count if layer % interval == 0 else 0 for layer, count in enumerate(heads, start=1)
        )
    return heads


def _layer_state_bytes(values: Mapping[str, Value], architecture: str, width: int) -> int:
    """Return the F32 state of one recurrent layer; 0 for a model without such layers."""

    def size(name: str) -> int:
        return _count(values.get(f"{architecture}.{name}")) or 0

    inner, state = size("ssm.inner_size"), size("ssm.state_size")
    mixed = max(0, size("ssm.conv_kernel") - 1) * (inner + 2 * size("ssm.group_count") * state)
    short = max(0, size("shortconv.l_cache") - 1) * width
    return 4 * (inner * state + mixed + short)


def _vision(front: GgufFront) -> VisionHeader:
    values = front.values
    kind = _text(values.get("clip.vision.projector_type") or values.get("clip.projector_type"))
    return VisionHeader(
        projector_type=kind,
        projection_dim=_projection_dim(front, kind),
        image_size_px=_count(values.get("clip.vision.image_size")),
        patch_size_px=_count(values.get("clip.vision.patch_size")),
        embedding_length=_count(values.get("clip.vision.embedding_length")),
        head_count=_count(values.get("clip.vision.attention.head_count")),
    )


def _projection_dim(front: GgufFront, kind: str) -> int | None:
    if kind in ("", "mlp"):
        # Files made for LLaVA 1.5 state the width of CLIP here; the last layer tells the truth.
        for tensor in front.tensors:
            if tensor.name == "mm.2.bias" and tensor.shape:
                return tensor.shape[0]
    return _count(front.values.get("clip.vision.projection_dim"))


def _quantization(front: GgufFront) -> str:
    stated = front.values.get("general.file_type")
    if isinstance(stated, int) and stated in FILE_TYPES:
        return FILE_TYPES[stated]
    elements: Counter[int] = Counter()
    for tensor in front.tensors:
        elements[tensor.type_number] += tensor.element_count
    if not elements:
        return "unknown"
    kind = TENSOR_TYPES.get(elements.most_common(1)[0][0])
    return kind.name if kind else "unknown"


def _check_length(front: GgufFront) -> None:
    """Find a download that stopped half-way: the tensors must lie inside the file."""
    for tensor in front.tensors:
        end = front.data_offset + tensor.offset + _size_or_zero(tensor)
        if end > front.file_bytes:
            raise MalformedGgufError(
                f"it should have at least {end} bytes and has {front.file_bytes}"
            )


def _size_or_zero(tensor: TensorInfo) -> int:
    return tensor.size_bytes or 0


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Value | None) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 40:
        return None
    return value


def _per_layer(value: Value | None, block_count: int | None) -> tuple[int, ...]:
    """Return one number a layer from a single number or a list of them."""
    if isinstance(value, tuple):
        return tuple(int(item) for item in value if item >= 0)
    count = _count(value)
    return (count,) * min(block_count or 0, _MOST_LAYERS) if count is not None else ()
