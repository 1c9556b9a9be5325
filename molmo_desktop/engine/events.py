# SPDX-License-Identifier: Apache-2.0
"""What goes into the engine process and what comes out: plain, frozen data.

The client (`client.py`) sends requests and hands events to its caller; the worker
(`worker.py`) does the reverse. They cross as JSON with pixels beside (`core/wire.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from molmo_desktop.core.answer import FinishReason, ModelInfo
from molmo_desktop.core.pages import PageImage

Role = Literal["system", "user", "assistant"]
KvCacheType = Literal["f16", "q8_0"]


@dataclass(frozen=True)
class StoredStates:
    """Keeping what was read on the disk, so that it need not be read again after a restart.

    Attributes:
        folder: Where; the engine makes it.
        limit_bytes: Beyond it, what was not used for longest is deleted.
        worth_s: Keep only what took at least so long to read.
    """

    folder: Path
    limit_bytes: int
    worth_s: float = 0.5


@dataclass(frozen=True)
class LoadRequest:
    """Which model to hold ready, and how.

    Attributes:
        name: As shown to the user.
        mmproj_path: The projector, for a model that sees.
        context_length: Tokens; 0 = the model's own, at most 8192.
        thread_count: 0 = chosen for this machine.
        image_max_tokens: Upper bound of tokens a picture may cost; 0 = the model's own.
        image_min_tokens: Lower bound, for small pictures with fine print; 0 = the model's own.
        flash_attention: May be used where llama.cpp finds it fit; it needs less scratch memory.
        kv_cache_type: Precision of what is held of the prompt: "q8_0" takes half the memory of
            "f16", and is only possible with flash attention.
        stored_states: Where what was read is kept on disk; None = nowhere.
    """

    name: str
    model_path: Path
    mmproj_path: Path | None = None
    context_length: int = 0
    thread_count: int = 0
    image_max_tokens: int = 0
    image_min_tokens: int = 0
    flash_attention: bool = True
    kv_cache_type: KvCacheType = "f16"
    stored_states: StoredStates | None = None


@dataclass(frozen=True)
class ChatMessage:
    """One message of the conversation.

    Attributes:
        images: Indices into `GenerateRequest.images`; the pictures stand before the text.
    """

    role: Role
    text: str
    images: tuple[int, ...] = ()


@dataclass(frozen=True)
class GenerateRequest:
    """One answer to write.

    Attributes:
        stop: Texts that end the answer; they are not part of it.
        seed: For temperature above 0; None = a new one each time.
        cold: Forget the state that is held and use none from the disk, evaluate everything.
        owner: The conversation; what is stored of it can be deleted by this name.
        is_private: Store nothing of this conversation on the disk.
        dump_logits: Write the logits of the last prompt position to this .npz file.
        grammar: GBNF that the answer must follow; empty = free.
        breaks_loops: Make it unlikely that a long run of tokens comes again and again, as small
            models tend to; what comes once or twice is left alone.
        guesses: Check several tokens in one step where the text was seen before and it pays;
            the answer is the same.
    """

    messages: tuple[ChatMessage, ...]
    images: tuple[PageImage, ...] = ()
    max_new_tokens: int = 512
    temperature: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    cold: bool = False
    owner: str = ""
    is_private: bool = False
    dump_logits: Path | None = None
    grammar: str = ""
    breaks_loops: bool = False
    guesses: bool = True


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready.

    Attributes:
        weights_bytes: Of the language model, mapped from its file.
        projector_bytes: Of the vision part, None without one.
        repacked_bytes: Of the weights, copied for quicker computing: they count twice in the
            resident size, though the system can drop what is mapped.
        kv_cache_bytes: For the whole context.
        compute_bytes: Scratch buffers of llama.cpp, None when unknown.
        thread_count: As used.
        load_s: How long loading took.
        safe_settings: Conservative settings are in force, because others crashed here.
        notice: One sentence for the user about that, empty when there is nothing to tell.
    """

    info: ModelInfo
    weights_bytes: int
    kv_cache_bytes: int
    projector_bytes: int | None = None
    compute_bytes: int | None = None
    thread_count: int = 1
    load_s: float = 0.0
    safe_settings: bool = False
    notice: str = ""
    repacked_bytes: int = 0


@dataclass(frozen=True)
class ProgressEvent:
    """Work moved on: ``done`` of ``total`` units of the stage (percent, pictures, tokens)."""

    stage: Literal["loading", "looking", "thinking"]
    done: int
    total: int


@dataclass(frozen=True)
class TokenEvent:
    """A piece of the answer: whole characters only, never half of a UTF-8 sequence."""

    text: str


@dataclass(frozen=True)
class EngineNoticeEvent:
    """A sentence for the user, such as a restart with safe settings."""

    text: str


EngineEvent = ProgressEvent | TokenEvent | EngineNoticeEvent


@dataclass(frozen=True)
class Generation:
    """How an answer went. Figures are None when the engine had to be ended before it told them.

    Attributes:
        prompt_tokens: All of the prompt, pictures included.
        cached_tokens: Of those, not evaluated again.
        image_tokens: Of the prompt, taken by pictures.
        guessed_tokens: Of the answer's, those that were guessed right and checked together.
        peak_rss_bytes: Highest resident size of the engine process during the answer.
        copies_bytes: Of that, copies of what was read before; they are made only where memory is
            free, so the model does not need them.
    """

    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None
    cached_tokens: int | None
    image_tokens: int | None
    completion_ids: tuple[int, ...]
    encode_s: float | None
    prefill_s: float | None
    first_token_s: float | None
    decode_s: float | None
    peak_rss_bytes: int | None
    guessed_tokens: int | None = None
    copies_bytes: int = 0
