# SPDX-License-Identifier: Apache-2.0
"""Models of real shapes, and models of any architecture by parameters.

Shapes: the ``config.json`` of each model on its model card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from random_gguf import projectors, vocabulary
from random_gguf.architecture import tensors_of
from random_gguf.gguf_file import ModelFile
from random_gguf.projectors import Encoder
from random_gguf.quantization import FILE_TYPES, with_types

# What models in the manner of Llama do without.
_PLAIN = ["bias$", "^rope_f"]


@dataclass(frozen=True)
class Sizes:
    """Sizes of a language model; `more` are further entries of its metadata, without prefix."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int = 0
    context_length: int = 4096
    more: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Preset:
    """A model by name: `language` and `vision` take the mixture of types."""

    mixture: str
    language: Callable[[str], ModelFile]
    vision: Callable[[str], ModelFile] | None = None


def language_model(
    architecture: str,
    sizes: Sizes,
    *,
    mixture: str = "F32",
    name: str = "",
    tokenizer: Mapping[str, Any] | None = None,
    omit: Sequence[str] = (),
) -> ModelFile:
    """Return a language model of an architecture that llama.cpp knows.

    Args:
        architecture: As llama.cpp calls it.
        sizes: Of the model.
        mixture: Types of its weights, see `quantization.MIXTURES`.
        name: As the file calls itself.
        tokenizer: Metadata of one; None = the starter model's, filled up.
        omit: Patterns of names of optional tensors that the model does without.

    Raises:
        ValueError: llama.cpp does not accept these sizes.
    """
    words = tokenizer or vocabulary.tokenizer(size=sizes.vocabulary)
    own = {
        "vocab_size": vocabulary.token_count(dict(words)),
        "context_length": sizes.context_length,
        "embedding_length": sizes.width,
        "block_count": sizes.layers,
        "feed_forward_length": sizes.feed_forward,
        "attention.head_count": sizes.heads,
        "attention.head_count_kv": sizes.kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.layer_norm_epsilon": 1e-5,
        **wanted_by(architecture, sizes),
        **(sizes.more or {}),
    }
    metadata = {
        "general.architecture": architecture,
        "general.type": "model",
        "general.name": name or f"random {architecture}",
        "general.file_type": FILE_TYPES[mixture],
        **{_full_key(architecture, key): value for key, value in own.items()},
        **words,
    }
    return ModelFile(metadata, with_types(tensors_of(metadata, omit), mixture))


def wanted_by(architecture: str, sizes: Sizes) -> dict[str, Any]:
    """Return entries that some architectures cannot do without, fitting the sizes."""
    head = sizes.width // sizes.heads
    sections = [head // 8, head // 16 * 3, head // 2 - head // 8 - head // 16 * 3, 0]
    state = {"ssm.conv_kernel": 4, "ssm.inner_size": 2 * sizes.width}
    delta_net = {
        "ssm.conv_kernel": 4,
        "ssm.inner_size": sizes.width,
        "ssm.state_size": head,
        "ssm.time_step_rank": sizes.heads,
        "ssm.group_count": sizes.heads,
        "full_attention_interval": 2,
        "rope.dimension_sections": sections,
    }
    known: dict[str, dict[str, Any]] = {
        "gemma2": {"attention.sliding_window": 16},
        "gemma3": {"attention.sliding_window": 16},
        "mamba": {**state, "ssm.state_size": 8, "ssm.time_step_rank": 4},
        "mamba2": {
            **state,
            "ssm.state_size": 16,
            "ssm.time_step_rank": 2 * sizes.heads,
            "ssm.group_count": 1,
        },
        "lfm2": {
            "shortconv.l_cache": 3,
            "attention.head_count_kv": [
                sizes.kv_heads if layer % 3 == 1 else 0 for layer in range(sizes.layers)
            ],
        },
        "qwen35": delta_net,
        "qwen3next": delta_net,
        "qwen2vl": {"rope.dimension_sections": sections},
        "qwen3vl": {"rope.dimension_sections": sections},
    }
    common = {"attention.key_length": head, "attention.value_length": head}
    return {**common, "rope.dimension_count": head, **known.get(architecture, {})}


def _full_key(architecture: str, key: str) -> str:
    return key if key.startswith(("general.", "tokenizer.")) else f"{architecture}.{key}"


def _smolvlm(name: str, layers: int, width: int, heads: int, kv_heads: int, feed_forward: int):
    def language(mixture: str) -> ModelFile:
        sizes = Sizes(
            layers, width, heads, kv_heads, feed_forward, 49280, 8192,
            {"rope.freq_base": 100000.0, "rope.dimension_count": 64},
        )  # fmt: skip
        words = vocabulary.tokenizer(
            size=sizes.vocabulary,
            markers=vocabulary.IDEFICS3_MARKERS,
            template=vocabulary.chat_template("<image>"),
        )
        return language_model(
            "llama", sizes, mixture=mixture, name=name, tokenizer=words, omit=_PLAIN
        )

    def vision(mixture: str) -> ModelFile:
        encoder = Encoder(12, 768, 12, 3072, 512, 16, merge=4, projected=width)
        return projectors.idefics3(encoder, longest_edge_px=2048, mixture=mixture)

    return Preset("Q8_0", language, vision)


def _qwen(architecture: str, name: str, sizes: Sizes) -> Callable[[str], ModelFile]:
    def language(mixture: str) -> ModelFile:
        words = vocabulary.tokenizer(
            size=sizes.vocabulary,
            markers=vocabulary.QWEN_MARKERS,
            template=vocabulary.chat_template("<|vision_start|><|image_pad|><|vision_end|>"),
        )
        omit = ["^rope_f", r"attn_[qkv]\.bias$", r"^output\.weight$"]
        return language_model(
            architecture, sizes, mixture=mixture, name=name, tokenizer=words, omit=omit
        )

    return language


def _qwen3vl_2b() -> Preset:
    sizes = Sizes(
        28, 2048, 16, 8, 6144, 151936, 262144,
        {
            "rope.freq_base": 5e6,
            "rope.dimension_sections": [24, 20, 20, 0],
            "attention.layer_norm_rms_epsilon": 1e-6,
            "n_deepstack_layers": 3,
        },
    )  # fmt: skip
    encoder = Encoder(24, 1024, 16, 4096, 768, 16, merge=2, projected=2048)
    return Preset(
        "Q4_K_M",
        _qwen("qwen3vl", "random Qwen3-VL-2B", sizes),
        lambda mixture: projectors.qwen3vl(encoder, deepstack=(5, 11, 17), mixture=mixture),
    )


def _qwen35_08b() -> Preset:
    """Three layers of four keep a state of fixed size instead of all that was read."""
    sizes = Sizes(
        24, 1024, 8, 2, 3584, 248320, 262144,
        {
            "rope.freq_base": 1e7,
            "rope.dimension_count": 64,
            "rope.dimension_sections": [11, 11, 10, 0],
            "attention.key_length": 256,
            "attention.value_length": 256,
            "attention.layer_norm_rms_epsilon": 1e-6,
            "full_attention_interval": 4,
            "ssm.conv_kernel": 4,
            "ssm.state_size": 128,
            "ssm.group_count": 16,
            "ssm.time_step_rank": 16,
            "ssm.inner_size": 2048,
        },
    )  # fmt: skip
    encoder = Encoder(12, 768, 12, 3072, 768, 16, merge=2, projected=1024)
    return Preset(
        "Q8_0",
        _qwen("qwen35", "random Qwen3.5-0.8B", sizes),
        lambda mixture: projectors.qwen3vl(encoder, deepstack=(), mixture=mixture),
    )


def _one_gigabyte(mixture: str) -> ModelFile:
    """A text model as wide and deep as common ones of 1.7 billion weights, in four bits."""
    sizes = Sizes(24, 2048, 32, 8, 8192, 49280, 8192, {"rope.freq_base": 130000.0})
    return language_model(
        "llama", sizes, mixture=mixture, name="random one-gigabyte", omit=_PLAIN,
        tokenizer=vocabulary.tokenizer(size=49280, template=vocabulary.chat_template("")),
    )  # fmt: skip


PRESETS = {
    "SmolVLM-256M": _smolvlm("random SmolVLM-256M", 30, 576, 9, 3, 1536),
    "SmolVLM-500M": _smolvlm("random SmolVLM-500M", 32, 960, 15, 5, 2560),
    "Qwen3-VL-2B": _qwen3vl_2b(),
    "Qwen3.5-0.8B": _qwen35_08b(),
    "one-gigabyte": Preset("Q4_K_M", _one_gigabyte),
}


def files_of(folder: Path, name: str) -> tuple[Path, Path | None]:
    """Return where a preset's model and projector stand in a folder."""
    projector = folder / f"mmproj-{name}-random.gguf" if PRESETS[name].vision else None
    return folder / f"{name}-random.gguf", projector
