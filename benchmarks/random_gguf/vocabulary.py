# SPDX-License-Identifier: Apache-2.0
"""A real tokenizer, filled up to the size of another model's vocabulary.

The tokenizer of the starter model cuts English into as many tokens as usual. The tokens that
announce pictures come after its own, then filler that no text is cut into, but that the model
may write.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molmo_desktop.models.starter import starter_model_path
from random_gguf.gguf_file import read_metadata

_NORMAL, _CONTROL = 1, 3
_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"

IDEFICS3_MARKERS = (
    "<fake_token_around_image>",
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
    "<image>",
    "<end_of_utterance>",
)
QWEN_MARKERS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def chat_template(picture: str) -> str:
    """Return a template in the manner of ChatML; `picture` stands for one in the content."""
    return (
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
        "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}" + picture + "{% endif %}"
        "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


def starter_model() -> Path:
    """Return the file of the starter model.

    Raises:
        FileNotFoundError: It is not installed.
    """
    path = starter_model_path()
    if path is None:
        raise FileNotFoundError("the starter model is not installed; name a file with a tokenizer")
    return path


def tokenizer(
    source: Path | None = None,
    *,
    size: int = 0,
    markers: Sequence[str] = (),
    template: str | None = None,
) -> dict[str, Any]:
    """Return the metadata of a tokenizer.

    Args:
        source: A GGUF file with one; None = the starter model's.
        size: Tokens in all; 0 = as many as there are with the markers.
        markers: Control tokens that are added where they are missing.
        template: Chat template, None = the source's.

    Raises:
        ValueError: The source has more tokens than wanted.
    """
    entries = read_metadata(source or starter_model(), "tokenizer.")
    tokens, types = list(entries[_TOKENS]), list(entries[_TYPES])
    known = set(tokens)
    added = [marker for marker in markers if marker not in known]
    tokens += added
    types += [_CONTROL] * len(added)
    if size and size < len(tokens):
        raise ValueError(f"the tokenizer alone has {len(tokens)} tokens, wanted are {size}")
    filler = [f"Ġfiller{number}" for number in range(size - len(tokens))]
    entries[_TOKENS] = tokens + filler
    entries[_TYPES] = types + [_NORMAL] * len(filler)
    if template is not None:
        entries["tokenizer.chat_template"] = template
    return entries


def token_count(entries: dict[str, Any]) -> int:
    """Return the size of a tokenizer's vocabulary."""
    return len(entries[_TOKENS])
