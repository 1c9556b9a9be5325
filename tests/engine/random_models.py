# SPDX-License-Identifier: Apache-2.0
"""Tiny models of other kinds, with random weights and the tokenizer of the tiny model.

They answer nonsense, but the same nonsense every time: enough to prove that what the engine
keeps of a prompt gives exactly what evaluating all of it gives.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WIDTH = 64
HEADS = 2
HEAD = WIDTH // HEADS
FEED = 96
VOCABULARY = 640
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9

Tensors = dict[str, np.ndarray]


class Maker:
    """Draws tensors; a shape is given as llama.cpp writes it, the fastest axis first."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        self.tensors: Tensors = {}

    def weight(self, name: str, *shape: int, scale: float = 0.2) -> None:
        drawn = self._draw.normal(0.0, scale, shape[::-1])
        self.tensors[name] = drawn.astype(np.float32)

    def ones(self, name: str, *shape: int) -> None:
        self.tensors[name] = np.ones(shape[::-1], np.float32)


def language(architecture: str, layers: int, build: Callable[[Maker, int], None], **more: Any):
    """Return metadata and tensors of a language model; `build` makes one layer."""
    maker = Maker(seed=len(architecture))
    maker.weight("token_embd.weight", WIDTH, VOCABULARY, scale=1.0)
    for layer in range(layers):
        build(maker, layer)
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.vocab_size": VOCABULARY,
        f"{architecture}.context_length": 4096,
        f"{architecture}.embedding_length": WIDTH,
        f"{architecture}.block_count": layers,
        f"{architecture}.feed_forward_length": FEED,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.head_count_kv": HEADS,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        **{f"{architecture}.{key}": value for key, value in more.items()},
    }
    return metadata, maker


def attention(maker: Maker, layer: int, *, biases: bool = False) -> None:
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        maker.weight(f"blk.{layer}.{name}.weight", WIDTH, WIDTH)
        if biases and name != "attn_output":
            maker.weight(f"blk.{layer}.{name}.bias", WIDTH)


def feed_forward(maker: Maker, layer: int) -> None:
    maker.ones(f"blk.{layer}.ffn_norm.weight", WIDTH)
    maker.weight(f"blk.{layer}.ffn_gate.weight", WIDTH, FEED)
    maker.weight(f"blk.{layer}.ffn_up.weight", WIDTH, FEED)
    maker.weight(f"blk.{layer}.ffn_down.weight", FEED, WIDTH)


def sliding_window():
    """Gemma 3: five layers that see 16 tokens back, one that sees all."""

    def build(maker: Maker, layer: int) -> None:
        attention(maker, layer)
        feed_forward(maker, layer)
        for name in ("attn_norm", "post_attention_norm", "post_ffw_norm"):
            maker.ones(f"blk.{layer}.{name}.weight", WIDTH)
        for name in ("attn_q_norm", "attn_k_norm"):
            maker.ones(f"blk.{layer}.{name}.weight", HEAD)

    metadata, maker = language(
        "gemma3",
        6,
        build,
        **{
            "attention.sliding_window": 16,
            "attention.key_length": HEAD,
            "attention.value_length": HEAD,
        },
    )
    maker.ones("output_norm.weight", WIDTH)
    return metadata, maker.tensors


def recurrent():
    """Mamba: a state that cannot go back."""
    inner, state, rank, kernel = 2 * WIDTH, 8, 4, 4

    def build(maker: Maker, layer: int) -> None:
        block = f"blk.{layer}"
        maker.ones(f"{block}.attn_norm.weight", WIDTH)
        maker.weight(f"{block}.ssm_in.weight", WIDTH, 2 * inner)
        maker.weight(f"{block}.ssm_conv1d.weight", kernel, inner)
        maker.weight(f"{block}.ssm_conv1d.bias", inner)
        maker.weight(f"{block}.ssm_x.weight", inner, rank + 2 * state)
        maker.weight(f"{block}.ssm_dt.weight", rank, inner)
        maker.weight(f"{block}.ssm_dt.bias", inner)
        maker.tensors[f"{block}.ssm_a"] = -np.ones((inner, state), np.float32)
        maker.ones(f"{block}.ssm_d", inner)
        maker.weight(f"{block}.ssm_out.weight", inner, WIDTH)

    metadata, maker = language(
        "mamba",
        2,
        build,
        **{
            "ssm.conv_kernel": kernel,
            "ssm.inner_size": inner,
            "ssm.state_size": state,
            "ssm.time_step_rank": rank,
        },
    )
    maker.ones("output_norm.weight", WIDTH)
    return metadata, maker.tensors


def hybrid():
    """LFM2: short convolutions with a state, and one layer of attention."""

    def build(maker: Maker, layer: int) -> None:
        maker.ones(f"blk.{layer}.attn_norm.weight", WIDTH)
        feed_forward(maker, layer)
        if layer == 1:
            attention(maker, layer)
            for name in ("attn_q_norm", "attn_k_norm"):
                maker.ones(f"blk.{layer}.{name}.weight", HEAD)
        else:
            maker.weight(f"blk.{layer}.shortconv.conv.weight", 3, WIDTH)
            maker.weight(f"blk.{layer}.shortconv.in_proj.weight", WIDTH, 3 * WIDTH)
            maker.weight(f"blk.{layer}.shortconv.out_proj.weight", WIDTH, WIDTH)

    metadata, maker = language(
        "lfm2", 3, build, **{"shortconv.l_cache": 3, "attention.head_count_kv": [0, HEADS, 0]}
    )
    maker.ones("token_embd_norm.weight", WIDTH)
    return metadata, maker.tensors


def two_dimensional():
    """Qwen2-VL: positions of pictures run in two dimensions."""

    def build(maker: Maker, layer: int) -> None:
        maker.ones(f"blk.{layer}.attn_norm.weight", WIDTH)
        attention(maker, layer, biases=True)
        feed_forward(maker, layer)

    metadata, maker = language(
        "qwen2vl",
        2,
        build,
        **{"rope.dimension_sections": [4, 6, 6, 0], "rope.dimension_count": HEAD},
    )
    maker.ones("output_norm.weight", WIDTH)
    return metadata, maker.tensors


def projector(kind: str, image_size: int, patch_size: int, **more: Any):
    """Return metadata and tensors of a vision encoder without its projection."""
    width, layers, feed = 32, 2, 64
    maker = Maker(seed=len(kind))
    for layer in range(layers):
        block = f"v.blk.{layer}"
        for name in ("ln1", "ln2"):
            maker.ones(f"{block}.{name}.weight", width)
            maker.weight(f"{block}.{name}.bias", width)
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            maker.weight(f"{block}.{name}.weight", width, width)
            maker.weight(f"{block}.{name}.bias", width)
        maker.weight(f"{block}.ffn_up.weight", width, feed)
        maker.weight(f"{block}.ffn_up.bias", feed)
        maker.weight(f"{block}.ffn_down.weight", feed, width)
        maker.weight(f"{block}.ffn_down.bias", width)
    maker.ones("v.post_ln.weight", width)
    maker.weight("v.post_ln.bias", width)
    maker.weight("v.patch_embd.weight", patch_size, patch_size, 3, width)
    metadata = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "clip.has_vision_encoder": True,
        "clip.projector_type": kind,
        "clip.use_gelu": True,
        "clip.vision.image_size": image_size,
        "clip.vision.patch_size": patch_size,
        "clip.vision.embedding_length": width,
        "clip.vision.feed_forward_length": feed,
        "clip.vision.block_count": layers,
        "clip.vision.attention.head_count": 2,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.projection_dim": WIDTH,
        "clip.vision.image_mean": [0.5, 0.5, 0.5],
        "clip.vision.image_std": [0.5, 0.5, 0.5],
        **more,
    }
    return metadata, maker, width


def two_dimensional_projector():
    """For `two_dimensional`: as many tokens as the picture has merged patches."""
    metadata, maker, width = projector("qwen2vl_merger", 112, 14)
    maker.weight("v.patch_embd.weight.1", 14, 14, 3, width)
    maker.weight("mm.0.weight", 4 * width, 4 * width)
    maker.weight("mm.0.bias", 4 * width)
    maker.weight("mm.2.weight", 4 * width, WIDTH)
    maker.weight("mm.2.bias", WIDTH)
    return metadata, maker.tensors


def square_projector(patches: int, merge: int):
    """For `sliding_window`: the tokens of a picture all see each other."""
    metadata, maker, width = projector(
        "gemma3", patches * 8, 8, **{"clip.vision.projector.scale_factor": merge}
    )
    maker.weight("v.patch_embd.bias", width)
    maker.weight("v.position_embd.weight", width, patches * patches)
    maker.weight("mm.input_projection.weight", WIDTH, width)
    maker.ones("mm.soft_emb_norm.weight", width)
    return metadata, maker.tensors


def write(path: Path, metadata: dict[str, Any], tensors: Tensors, tokenizer: Path | None) -> Path:
    """Write a GGUF file, with the tokenizer's metadata of another file."""
    entries = [_entry(key, value) for key, value in metadata.items()]
    if tokenizer is not None:
        entries.extend(_tokenizer_entries(tokenizer.read_bytes()))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries)) + b"".join(entries)
    body = b""
    for name, values in tensors.items():
        shape = values.shape[::-1]
        head += _text(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(body))
        data = values.astype("<f4").tobytes()
        body += data + bytes(-len(data) % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + body)
    return path


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _entry(key: str, value: Any) -> bytes:
    match value:
        case str():
            return _text(key) + struct.pack("<I", _STRING) + _text(value)
        case bool():
            return _text(key) + struct.pack("<I?", 7, value)
        case int():
            return _text(key) + struct.pack("<II", 4, value)
        case float():
            return _text(key) + struct.pack("<If", 6, value)
        case [float(), *_]:
            packed = struct.pack(f"<{len(value)}f", *value)
            return _text(key) + struct.pack("<IIQ", _ARRAY, 6, len(value)) + packed
        case _:
            packed = struct.pack(f"<{len(value)}i", *value)
            return _text(key) + struct.pack("<IIQ", _ARRAY, 5, len(value)) + packed


def _tokenizer_entries(data: bytes) -> list[bytes]:
    """Return the entries of a GGUF file whose key begins with ``tokenizer.``, as they stand."""
    count = struct.unpack_from("<Q", data, 16)[0]
    place, found = 24, []
    for _ in range(count):
        start = place
        length = struct.unpack_from("<Q", data, place)[0]
        key = data[place + 8 : place + 8 + length]
        kind = struct.unpack_from("<I", data, place + 8 + length)[0]
        place = _after(data, place + 12 + length, kind)
        if key.startswith(b"tokenizer."):
            found.append(data[start:place])
    return found


def _after(data: bytes, place: int, kind: int) -> int:
    if kind == _STRING:
        return place + 8 + int(struct.unpack_from("<Q", data, place)[0])
    if kind != _ARRAY:
        return place + _SIZES[kind]
    inner, count = struct.unpack_from("<IQ", data, place)
    place += 12
    for _ in range(count):
        place = _after(data, place, inner)
    return place
