# SPDX-License-Identifier: Apache-2.0
"""Writes small GGUF files for tests: sound ones and hostile ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

UINT32, FLOAT32, STRING, ARRAY = 4, 6, 8, 9


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, value: Any) -> bytes:
    """Return one metadata entry; a list of numbers or texts becomes an array."""
    match value:
        case str():
            return text(key) + struct.pack("<I", STRING) + text(value)
        case bool():
            return text(key) + struct.pack("<I?", 7, value)
        case int():
            return text(key) + struct.pack("<II", UINT32, value)
        case float():
            return text(key) + struct.pack("<If", FLOAT32, value)
        case [str(), *_]:
            items = b"".join(text(item) for item in value)
            return text(key) + struct.pack("<IIQ", ARRAY, STRING, len(value)) + items
        case _:
            items = struct.pack(f"<{len(value)}I", *value)
            return text(key) + struct.pack("<IIQ", ARRAY, UINT32, len(value)) + items


def gguf(
    metadata: dict[str, Any],
    tensors: Sequence[tuple[str, tuple[int, ...], int, int]] = (("w", (32, 32), 0, 4096),),
    *,
    version: int = 3,
) -> bytes:
    """Return a GGUF file; a tensor is (name, shape, type number, bytes of data)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += entry(key, value)
    offset = 0
    for name, shape, kind, size in tensors:
        head += text(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
        offset += -(-size // 32) * 32
    return head + bytes(-len(head) % 32) + bytes(offset)


def model_metadata(width: int = 64, name: str = "", **more: Any) -> dict[str, Any]:
    return {
        "general.architecture": "llama",
        "general.name": name,
        "general.file_type": 15,
        "llama.context_length": 4096,
        "llama.embedding_length": width,
        "llama.block_count": 2,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        **more,
    }


def projector_metadata(width: int = 64, file_type: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "general.architecture": "clip",
        "general.file_type": file_type,
        "clip.projector_type": "idefics3",
        "clip.vision.projection_dim": width,
        **more,
    }


def write_model(path: Path, width: int = 64, **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf(model_metadata(width, **more)))
    return path


def write_projector(path: Path, width: int = 64, file_type: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gguf(projector_metadata(width, file_type)))
    return path
