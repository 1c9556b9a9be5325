# SPDX-License-Identifier: Apache-2.0
"""Tiny models of other kinds, with random weights and the tokenizer of the tiny model.

They answer nonsense, but the same nonsense every time: enough to prove that what the engine
keeps of a prompt gives exactly what evaluating all of it gives. How they are made:
``benchmarks/random_gguf``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from random_gguf import projectors
from random_gguf.gguf_file import Metadata, ModelFile, Tensor, read_metadata
from random_gguf.gguf_file import write as write_file
from random_gguf.presets import Sizes, language_model
from random_gguf.projectors import Encoder

WIDTH = 64
_TINY = Path(__file__).parents[1] / "data" / "models" / "tiny-vlm" / "model.gguf"

Parts = tuple[Metadata, tuple[Tensor, ...]]


@cache
def language(architecture: str, layers: int) -> Parts:
    """Return a tiny language model of an architecture that llama.cpp knows."""
    sizes = Sizes(layers, WIDTH, heads=2, kv_heads=2, feed_forward=96)
    words = read_metadata(_TINY, "tokenizer.")
    model = language_model(architecture, sizes, tokenizer=words, omit=[r"^output\.weight$"])
    metadata = {key: value for key, value in model.metadata.items() if key not in words}
    return metadata, model.tensors


def sliding_window() -> Parts:
    """Gemma 3: five layers that see 16 tokens back, one that sees all."""
    return language("gemma3", 6)


def recurrent() -> Parts:
    """Mamba: a state that cannot go back."""
    return language("mamba", 2)


def hybrid() -> Parts:
    """LFM2: short convolutions with a state, and one layer of attention."""
    return language("lfm2", 3)


def delta_net() -> Parts:
    """Qwen 3.5: linear attention with a state, every second layer plain attention."""
    return language("qwen35", 4)


def two_dimensional() -> Parts:
    """Qwen2-VL: positions of pictures run in two dimensions."""
    return language("qwen2vl", 2)


def two_dimensional_projector() -> Parts:
    """For `two_dimensional`: as many tokens as the picture has merged patches."""
    return _parts(projectors.qwen2vl(_encoder(112, 14, merge=2), mixture="F32"))


def square_projector(patches: int, merge: int) -> Parts:
    """For `sliding_window`: the tokens of a picture all see each other."""
    return _parts(projectors.gemma3(_encoder(patches * 8, 8, merge=merge), mixture="F32"))


def write(
    path: Path, metadata: Metadata, tensors: tuple[Tensor, ...], tokenizer: Path | None
) -> Path:
    """Write a GGUF file, with the tokenizer's metadata of another file."""
    words = read_metadata(tokenizer, "tokenizer.") if tokenizer else {}
    return write_file(path, ModelFile({**metadata, **words}, tensors))


def _encoder(image_px: int, patch_px: int, *, merge: int) -> Encoder:
    return Encoder(2, 32, 2, 64, image_px, patch_px, merge=merge, projected=WIDTH)


def _parts(model: ModelFile) -> Parts:
    return model.metadata, model.tensors
