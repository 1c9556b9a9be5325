# SPDX-License-Identifier: Apache-2.0
"""How fast a model is on this machine, what it takes, and which settings pay off.

Everything is measured as a question would find it: through the engine's process, streaming.
Figures are medians of a few rounds. Settings are compared within one run, taking turns,
because the load of a machine changes from minute to minute.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from molmo_desktop.assistant.bench_result import (
    ModelBench,
    PictureCost,
    SettingRow,
    Speed,
    TokenEnergy,
)
from molmo_desktop.core.answer import EnergyUse
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import (
    ChatMessage,
    GenerateRequest,
    Generation,
    LoadedModel,
    LoadRequest,
)
from molmo_desktop.engine.hardware import best_thread_count, logical_core_count
from molmo_desktop.meters.meters import Meters

_SENTENCE = "The committee met on Tuesday and agreed that the bridge over the river is repaired. "
_TASK = "Write a long story about this."
_PICTURE_SIZE = (1024, 768)
_ROOM_TOKENS = 64  # for the template, and so that the context is never full


@dataclass(frozen=True)
class BenchPlan:
    """How much is measured.

    Attributes:
        prompt_tokens: About so many are read; fewer where the context is short.
        new_tokens: So many are written, unless the model ends its answer before.
        compares_settings: Also measure threads, flash attention and the held prompt's precision.
    """

    prompt_tokens: int = 512
    new_tokens: int = 64
    rounds: int = 3
    compares_settings: bool = False


@dataclass
class _Runs:
    """What was measured with one setting, a value for each round."""

    loaded: LoadedModel | None = None
    prefill_tokens_per_s: list[float] = field(default_factory=list)
    decode_tokens_per_s: list[float] = field(default_factory=list)
    first_token_s: list[float] = field(default_factory=list)
    reading: list[tuple[EnergyUse, int]] = field(default_factory=list)
    writing: list[tuple[EnergyUse, int]] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)


class Bench:
    """Measures one model after the other.

    Args:
        say: Takes what is being done, in words.
        cancel: Ends the work between two steps and within each.
    """

    def __init__(
        self,
        engine: EngineClient,
        meters: Meters,
        plan: BenchPlan,
        *,
        say: Callable[[str], None] = lambda text: None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._engine = engine
        self._meters = meters
        self._plan = plan
        self._say = say
        self._cancel = cancel or CancelToken()

    def measure(self, request: LoadRequest) -> ModelBench:
        """Measure a model.

        Args:
            request: The model as it would be loaded for a question.

        Raises:
            ModelError: It cannot be used.
            EngineError: The engine failed.
            Cancelled: The user asked for it.
        """
        request = replace(request, stored_states=None)
        self._say("loading")
        loaded = self._load(request)
        runs = _Runs()
        for number in range(self._plan.rounds):
            self._say(f"reading and writing, round {number + 1} of {self._plan.rounds}")
            self._run_round(request, runs)
        picture = self._look(runs) if loaded.info.has_vision else None
        settings = self._compare(request) if self._plan.compares_settings else ()
        return ModelBench(
            model=loaded.info,
            load_s=loaded.load_s,
            safe_settings=loaded.safe_settings,
            speed=_speed(request, runs),
            picture=picture,
            energy=_token_energy(runs),
            weights_bytes=loaded.weights_bytes,
            projector_bytes=loaded.projector_bytes,
            engine_peak_bytes=max(runs.peak_bytes, default=None),
            settings=settings,
        )

    def _load(self, request: LoadRequest) -> LoadedModel:
        self._cancel.raise_if_cancelled()
        return self._engine.load(request, cancel=self._cancel)

    def _run_round(self, request: LoadRequest, runs: _Runs) -> None:
        """Read a prompt from nothing, then write with the prompt held."""
        loaded = runs.loaded = self._load(request)
        prompt = self._prompt(loaded)
        first, energy = self._generate(prompt, max_new_tokens=1, cold=True)
        if first.prompt_tokens and first.prefill_s:
            runs.prefill_tokens_per_s.append(first.prompt_tokens / first.prefill_s)
            runs.reading.append((energy, first.prompt_tokens))
        if first.first_token_s is not None:
            runs.first_token_s.append(first.first_token_s)
        second, energy = self._generate(prompt, max_new_tokens=self._plan.new_tokens)
        # The first token comes out of the prompt; an end that is not part of the answer counts.
        steps = len(second.completion_ids) - (second.finish_reason == "length")
        if steps > 0 and second.decode_s:
            runs.decode_tokens_per_s.append(steps / second.decode_s)
            runs.writing.append((energy, steps))
        runs.peak_bytes.extend(
            generation.peak_rss_bytes
            for generation in (first, second)
            if generation.peak_rss_bytes is not None
        )

    def _generate(
        self,
        message: ChatMessage,
        *,
        max_new_tokens: int,
        cold: bool = False,
        images: tuple[PageImage, ...] = (),
    ) -> tuple[Generation, EnergyUse]:
        self._cancel.raise_if_cancelled()
        # Guesses would pay off more on this text, which repeats itself, than elsewhere.
        request = GenerateRequest(
            (message,),
            images,
            max_new_tokens=max_new_tokens,
            cold=cold,
            is_private=True,
            guesses=False,
        )
        with self._meters.begin_span() as span:
            generation = self._engine.generate(request, cancel=self._cancel)
        if generation.finish_reason == "cancelled":
            raise Cancelled
        return generation, span.end()

    def _prompt(self, loaded: LoadedModel) -> ChatMessage:
        """Return a message of about the wanted tokens that leaves room for the answer."""
        room = loaded.info.context_length - self._plan.new_tokens - _ROOM_TOKENS
        wanted = max(1, min(self._plan.prompt_tokens, room))
        sample = 8
        least = self._count(_TASK)
        per_sentence = max(1.0, (self._count(_SENTENCE * sample + _TASK) - least) / sample)
        return ChatMessage("user", _SENTENCE * int((wanted - least) / per_sentence) + _TASK)

    def _count(self, text: str) -> int:
        return self._engine.count_tokens((ChatMessage("user", text),), cancel=self._cancel)

    def _look(self, runs: _Runs) -> PictureCost:
        self._say("looking at a picture")
        image = _test_picture(*_PICTURE_SIZE)
        message = ChatMessage("user", "What is this?", images=(0,))
        generation, _ = self._generate(message, max_new_tokens=1, cold=True, images=(image,))
        if generation.peak_rss_bytes is not None:
            runs.peak_bytes.append(generation.peak_rss_bytes)
        return PictureCost(
            width_px=image.width_px,
            height_px=image.height_px,
            image_tokens=generation.image_tokens,
            encode_s=generation.encode_s,
            first_token_s=generation.first_token_s,
        )

    def _compare(self, request: LoadRequest) -> tuple[SettingRow, ...]:
        """Measure each setting beside the one in use, all of them in each round."""
        variants = _variants(request)
        measured = [_Runs() for _ in variants]
        for number in range(self._plan.rounds):
            for (label, variant), runs in zip(variants, measured, strict=True):
                self._say(f"settings, round {number + 1} of {self._plan.rounds}: {label}")
                self._run_round(variant, runs)
        base = measured[0]
        return tuple(
            SettingRow(
                label=label,
                speed=_speed(variant, runs),
                prefill_to_first_row=_ratio(runs.prefill_tokens_per_s, base.prefill_tokens_per_s),
                decode_to_first_row=_ratio(runs.decode_tokens_per_s, base.decode_tokens_per_s),
                engine_peak_bytes=max(runs.peak_bytes, default=None),
            )
            for (label, variant), runs in zip(variants, measured, strict=True)
        )


def _variants(request: LoadRequest) -> list[tuple[str, LoadRequest]]:
    """Return the setting in use, then each of the others with one thing changed."""
    physical, logical = best_thread_count(), logical_core_count()
    names = {1: "1 thread", logical: f"{logical} threads, all logical cores"}
    if physical > 1:
        names[physical] = f"{physical} threads, physical cores"
    return [
        ("as set", request),
        *((names[count], replace(request, thread_count=count)) for count in sorted(names)),
        _with_other_attention(request),
        *_with_other_precision(request),
    ]


def _with_other_attention(request: LoadRequest) -> tuple[str, LoadRequest]:
    if request.flash_attention:
        # Without flash attention llama.cpp cannot hold the prompt in eight bits.
        return "flash attention off", replace(request, flash_attention=False, kv_cache_type="f16")
    return "flash attention automatic", replace(request, flash_attention=True)


def _with_other_precision(request: LoadRequest) -> Iterable[tuple[str, LoadRequest]]:
    if request.kv_cache_type == "q8_0":
        yield "context in 16 bits", replace(request, kv_cache_type="f16")
    else:
        changed = replace(request, flash_attention=True, kv_cache_type="q8_0")
        yield "context in 8 bits", changed


def _speed(request: LoadRequest, runs: _Runs) -> Speed:
    loaded = runs.loaded
    return Speed(
        thread_count=loaded.thread_count if loaded else None,
        flash_attention=request.flash_attention,
        kv_cache_type=request.kv_cache_type,
        kv_cache_bytes=loaded.kv_cache_bytes if loaded else None,
        prompt_tokens=runs.reading[-1][1] if runs.reading else None,
        new_tokens=runs.writing[-1][1] if runs.writing else None,
        prefill_tokens_per_s=_median(runs.prefill_tokens_per_s),
        decode_tokens_per_s=_median(runs.decode_tokens_per_s),
        first_token_s=_median(runs.first_token_s),
    )


def _token_energy(runs: _Runs) -> TokenEnergy:
    uses = [use for use, _ in (*runs.reading, *runs.writing)]
    known = next((use for use in uses if use.energy_j is not None), EnergyUse())
    return TokenEnergy(
        prompt_token_j=_per_token(runs.reading),
        new_token_j=_per_token(runs.writing),
        kind=known.kind,
        source=known.source,
    )


def _per_token(uses: Sequence[tuple[EnergyUse, int]]) -> float | None:
    return _median([use.energy_j / count for use, count in uses if use.energy_j is not None])


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _ratio(values: Sequence[float], base: Sequence[float]) -> float | None:
    """Return the median of the rounds' own ratios, None where a round lacks a value."""
    if not values or len(values) != len(base):
        return None
    return statistics.median(a / b for a, b in zip(values, base, strict=True))


def _test_picture(width_px: int, height_px: int) -> PageImage:
    """Return a picture of soft colours; what it shows does not change how long it takes."""
    row = bytes(
        value for x in range(width_px) for value in (x // 4 % 256, x // 8 % 256, x // 16 % 256)
    )
    return PageImage(width_px, height_px, row * height_px)
