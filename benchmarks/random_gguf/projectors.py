# SPDX-License-Identifier: Apache-2.0
"""Vision encoders with their projectors: metadata and tensors, by the sizes of a real one.

llama.cpp makes no encoder out of metadata alone, so the names stand here, as ``clip.cpp`` looks
for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from random_gguf.gguf_file import ModelFile, Tensor
from random_gguf.quantization import FILE_TYPES, with_types


@dataclass(frozen=True)
class Encoder:
    """Sizes of a vision encoder.

    Attributes:
        width: Of a patch's embedding.
        projected: Width of what it hands to the language model.
        image_px: Side of the picture, or tile, that it was made for.
        merge: Patches along each side that become one token.
    """

    layers: int
    width: int
    heads: int
    feed_forward: int
    image_px: int
    patch_px: int
    merge: int
    projected: int

    @property
    def merged_width(self) -> int:
        """Width of a token's patches side by side."""
        return self.width * self.merge**2


def idefics3(encoder: Encoder, *, longest_edge_px: int, mixture: str = "F16") -> ModelFile:
    """Return an encoder of tiles: an overview and as many tiles as the picture fills."""
    metadata = {
        **_metadata(encoder, "idefics3", mixture, epsilon=1e-6),
        "clip.vision.projector.scale_factor": encoder.merge,
        "clip.vision.preproc_image_size": longest_edge_px,
    }
    tensors = [*_common(encoder, patch_embeddings=1), *_separate_attention(encoder)]
    tensors.append(Tensor("mm.model.fc.weight", (encoder.merged_width, encoder.projected)))
    return ModelFile(metadata, with_types(tensors, mixture))


def qwen3vl(encoder: Encoder, *, deepstack: tuple[int, ...], mixture: str = "F16") -> ModelFile:
    """Return an encoder of whole pictures, some of whose layers also reach the language model.

    Args:
        encoder: Its sizes.
        deepstack: Numbers of those layers.
        mixture: Types of its weights.
    """
    metadata = {
        **_metadata(encoder, "qwen3vl_merger", mixture, epsilon=1e-6),
        "clip.vision.spatial_merge_size": encoder.merge,
        "clip.vision.is_deepstack_layers": [layer in deepstack for layer in range(encoder.layers)],
    }
    # Two frames of a film make one patch; a picture stands for both.
    tensors = [*_common(encoder, patch_embeddings=2), *_joint_attention(encoder)]
    wide = encoder.merged_width
    tensors += _pair("mm.0", wide, wide) + _pair("mm.2", wide, encoder.projected)
    for layer in deepstack:
        name = f"v.deepstack.{layer}"
        tensors += _norm(f"{name}.norm", wide)
        tensors += _pair(f"{name}.fc1", wide, wide) + _pair(f"{name}.fc2", wide, encoder.projected)
    return ModelFile(metadata, with_types(tensors, mixture))


def qwen2vl(encoder: Encoder, *, mixture: str = "F16") -> ModelFile:
    """Return an encoder of whole pictures: as many tokens as they have merged patches."""
    tensors = [*_common(encoder, patch_embeddings=2), *_separate_attention(encoder)]
    tensors = [tensor for tensor in tensors if tensor.name != "v.patch_embd.bias"]
    wide = encoder.merged_width
    tensors += _pair("mm.0", wide, wide) + _pair("mm.2", wide, encoder.projected)
    metadata = _metadata(encoder, "qwen2vl_merger", mixture, epsilon=1e-6)
    return ModelFile(metadata, with_types(tensors, mixture))


def gemma3(encoder: Encoder, *, mixture: str = "F16") -> ModelFile:
    """Return an encoder of squares, whose tokens all see each other."""
    metadata = {
        **_metadata(encoder, "gemma3", mixture, epsilon=1e-6),
        "clip.vision.projector.scale_factor": encoder.merge,
    }
    tensors = [*_common(encoder, patch_embeddings=1), *_separate_attention(encoder)]
    tensors.append(Tensor("mm.input_projection.weight", (encoder.projected, encoder.width)))
    tensors.append(Tensor("mm.soft_emb_norm.weight", (encoder.width,)))
    return ModelFile(metadata, with_types(tensors, mixture))


def _metadata(encoder: Encoder, kind: str, mixture: str, *, epsilon: float) -> dict[str, Any]:
    return {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.name": f"random {kind} projector",
        "general.file_type": FILE_TYPES[mixture],
        "clip.has_vision_encoder": True,
        "clip.projector_type": kind,
        "clip.use_gelu": True,
        "clip.vision.image_size": encoder.image_px,
        "clip.vision.patch_size": encoder.patch_px,
        "clip.vision.embedding_length": encoder.width,
        "clip.vision.feed_forward_length": encoder.feed_forward,
        "clip.vision.block_count": encoder.layers,
        "clip.vision.attention.head_count": encoder.heads,
        "clip.vision.attention.layer_norm_epsilon": epsilon,
        "clip.vision.projection_dim": encoder.projected,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
    }


def _common(encoder: Encoder, *, patch_embeddings: int) -> list[Tensor]:
    """Return what comes before and after the layers."""
    side, width = encoder.patch_px, encoder.width
    places = (encoder.image_px // side) ** 2
    tensors = [
        Tensor("v.patch_embd.weight" + (f".{number}" if number else ""), (side, side, 3, width))
        for number in range(patch_embeddings)
    ]
    tensors.append(Tensor("v.patch_embd.bias", (width,)))
    tensors.append(Tensor("v.position_embd.weight", (width, places)))
    return tensors + _norm("v.post_ln", width)


def _separate_attention(encoder: Encoder) -> Iterator[Tensor]:
    width = encoder.width
    for block in _blocks(encoder):
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            yield from _pair(f"{block}.{name}", width, width)
        yield from _rest_of_block(encoder, block)


def _joint_attention(encoder: Encoder) -> Iterator[Tensor]:
    width = encoder.width
    for block in _blocks(encoder):
        yield from _pair(f"{block}.attn_qkv", width, 3 * width)
        yield from _pair(f"{block}.attn_out", width, width)
        yield from _rest_of_block(encoder, block)


def _blocks(encoder: Encoder) -> list[str]:
    return [f"v.blk.{layer}" for layer in range(encoder.layers)]


def _rest_of_block(encoder: Encoder, block: str) -> list[Tensor]:
    width, feed_forward = encoder.width, encoder.feed_forward
    return [
        *_norm(f"{block}.ln1", width),
        *_norm(f"{block}.ln2", width),
        *_pair(f"{block}.ffn_up", width, feed_forward),
        *_pair(f"{block}.ffn_down", feed_forward, width),
    ]


def _pair(name: str, width: int, projected: int) -> list[Tensor]:
    return [
        Tensor(f"{name}.weight", (width, projected)),
        Tensor(f"{name}.bias", (projected,)),
    ]


def _norm(name: str, width: int) -> list[Tensor]:
    return [Tensor(f"{name}.weight", (width,)), Tensor(f"{name}.bias", (width,))]
