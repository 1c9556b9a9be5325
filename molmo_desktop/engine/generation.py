# SPDX-License-Identifier: Apache-2.0
"""Writing one answer: prompt, pictures, prefill, decode.

Order of the work: render the prompt and count it (too long is said before anything is
evaluated), keep what the context holds of it, encode the pictures that are new, evaluate the
rest in batches, then one token after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
from llama_cpp import llama_cpp as lib

from molmo_desktop.core.answer import FinishReason
from molmo_desktop.core.errors import (
    Cancelled,
    ContextOverflowError,
    EngineError,
    UnsupportedFormatError,
)
from molmo_desktop.engine import faults
from molmo_desktop.engine.decoding import AnswerText, Decoding
from molmo_desktop.engine.events import (
    ChatMessage,
    EngineEvent,
    GenerateRequest,
    Generation,
    ProgressEvent,
)
from molmo_desktop.engine.llama_model import LlamaModel
from molmo_desktop.engine.memory_use import PeakMemory
from molmo_desktop.engine.prefix_cache import PictureUnit, Unit, count_tokens
from molmo_desktop.engine.prompt import Piece, text_of
from molmo_desktop.engine.sampling import Sampler

_ABORTED = 2
_NO_TOKEN = -1


@dataclass
class _Figures:
    """What is measured while an answer is written."""

    started: float = field(default_factory=time.perf_counter)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    image_tokens: int = 0
    encode_s: float = 0.0
    prefill_s: float = 0.0
    first_token_s: float | None = None
    decode_s: float = 0.0
    guessed_tokens: int = 0


class Answering:
    """One answer in the making.

    Args:
        model: The loaded model.
        request: What to answer.
        emit: Takes progress and pieces of text.
        should_stop: Asked often; true ends the answer where it is.
    """

    def __init__(
        self,
        model: LlamaModel,
        request: GenerateRequest,
        *,
        emit: Callable[[EngineEvent], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._model = model
        self._request = request
        self._emit = emit
        self._should_stop = should_stop
        self._figures = _Figures()
        self._answer: AnswerText | None = None
        self._peak = PeakMemory()
        self._prompt: list[Unit] = []
        self._evaluating = False

    def run(self) -> Generation:
        """Write the answer.

        Raises:
            ContextOverflowError: The prompt does not fit; nothing was evaluated.
            UnsupportedFormatError: Pictures for a model that cannot see.
            EngineError: llama.cpp failed.
        """
        self._peak.start()
        try:
            reason = self._read_and_write()
        except Cancelled:
            self._model.cache.restore()
            reason = "cancelled"
        except BaseException:
            if self._evaluating:
                self._model.cache.clear()
            raise
        finally:
            self._model.watch_evaluation(None)
            if self._model.vision is not None:
                self._model.vision.trim()
        if self._answer is not None:
            self._answer.finish()
        figures, request = self._figures, self._request
        self._model.held.note(
            figures.encode_s + figures.prefill_s,
            owner=request.owner,
            is_private=request.is_private,
        )
        return self._generation(reason)

    def store(self) -> None:
        """Keep on the disk what was read for this answer; to be called when the answer is out."""
        model, request, stored = self._model, self._request, self._model.stored_states
        if stored is None or request.is_private:
            return
        if model.vision is not None and self._figures.encode_s >= stored.worth_s:
            for unit in self._prompt:
                if isinstance(unit, PictureUnit):
                    model.vision.store(unit, request.owner)
        model.held.store(model.cache)

    def _read_and_write(self) -> FinishReason:
        request, model = self._request, self._model
        if request.cold:
            self._forget()
        units = self._prompt = self._units()
        self._check_length(units)
        if self._should_stop():
            raise Cancelled
        sampler = Sampler(
            model.tokenizer.vocab,
            temperature=request.temperature,
            seed=request.seed,
            grammar=request.grammar,
            breaks_loops=request.breaks_loops,
        )
        try:
            if not request.cold:
                model.held.bring(model.cache, units)
            held = model.cache.keep(units)
            held = self._encode(units, held)
            self._figures.cached_tokens = count_tokens(units[:held])
            self._prefill(units[held:])
            if request.dump_logits is not None:
                self._dump_logits(units)
            return self._decode(sampler)
        finally:
            sampler.close()

    def _forget(self) -> None:
        self._model.cache.clear()
        self._model.held.forget()
        if self._model.vision is not None:
            self._model.vision.forget()

    def _units(self) -> list[Unit]:
        pieces = self._model.template.render(self._request.messages)
        units: list[Unit] = []
        for place, piece in enumerate(with_start(pieces)):
            if isinstance(piece, int):
                units.extend(self._picture_units(piece))
            else:
                units.extend(tokens_of(self._model, piece, start=place == 0))
        if not units or isinstance(units[-1], PictureUnit):
            # Only a token has logits, and the answer is sampled from the last one's.
            units.extend(tokens_of(self._model, "\n", start=not units))
        return units

    def _picture_units(self, index: int) -> tuple[Unit, ...]:
        if self._model.vision is None:
            raise UnsupportedFormatError(
                "This model cannot look at pictures.",
                hint="Choose a model with vision.",
            )
        return self._model.vision.prepare(self._request.images[index])

    def _check_length(self, units: Sequence[Unit]) -> None:
        count = count_tokens(units)
        self._figures.prompt_tokens = count
        self._figures.image_tokens = count_tokens(
            unit for unit in units if isinstance(unit, PictureUnit)
        )
        limit = self._model.context_length
        if count + 1 >= limit:
            raise ContextOverflowError(
                f"The question with its attachments takes {count} tokens, "
                f"but the model can take {limit}.",
                hint="Attach fewer pages, or raise the context length in the settings.",
                token_count=count,
                context_length=limit,
            )

    def _encode(self, units: Sequence[Unit], held: int) -> int:
        """Encode the pictures that are not held; return how many units are held after that."""
        vision = self._model.vision
        fresh = [unit for unit in units[held:] if isinstance(unit, PictureUnit)]
        if vision is None or not fresh:
            return held
        started = time.perf_counter()
        vision.should_stop = self._should_stop
        waiting = [unit for unit in dict.fromkeys(fresh) if not self._is_at_hand(unit)]
        for number, unit in enumerate(waiting, start=1):
            self._emit(ProgressEvent("looking", number, len(waiting)))
            faults.reach("encode", safe=self._model.safe_settings)
            vision.encode(unit)
            self._peak.look()
        if waiting:
            self._figures.encode_s = time.perf_counter() - started
        widest = max((u.token_count for u in fresh if vision.needs_one_batch(u)), default=0)
        if widest > self._model.batch_size:
            self._model.widen_batch(widest)
            return self._encode(units, 0)
        return held

    def _is_at_hand(self, unit: PictureUnit) -> bool:
        """Whether a picture need not be encoded, because it was before."""
        vision = self._model.vision
        if vision is None or vision.is_encoded(unit):
            return True
        return not self._request.cold and vision.recall(unit)

    def _prefill(self, units: Sequence[Unit]) -> None:
        model = self._model
        started = time.perf_counter()
        total, done = count_tokens(units), 0
        self._emit(ProgressEvent("thinking", 0, total))
        faults.reach("prefill", safe=model.safe_settings)
        self._evaluating = True
        model.watch_evaluation(self._should_stop)
        while units:
            if self._should_stop():
                raise Cancelled
            if len(units) == 1:
                model.cache.checkpoint()
            batch = self._next_batch(units)
            rest = units[len(batch) :]
            begun = time.perf_counter()
            self._check(self._evaluate(batch, output_count=0 if rest else 1))
            model.cache.append(batch)
            model.pace.note(count_tokens(batch), time.perf_counter() - begun)
            done += count_tokens(batch)
            units = rest
            self._peak.look()
            self._emit(ProgressEvent("thinking", done, total))
        model.watch_evaluation(None)
        lib.llama_synchronize(model.context)
        self._figures.prefill_s = time.perf_counter() - started

    def _next_batch(self, units: Sequence[Unit]) -> Sequence[Unit]:
        """Return the tokens up to the next picture, as many as fit, or one picture's chunk."""
        if isinstance(units[0], PictureUnit):
            return units[:1]
        head = units[: self._model.pace.step_tokens]
        if self._model.cache.wants_checkpoints and 1 < len(units) == len(head):
            head = head[:-1]
        return list(takewhile(lambda unit: isinstance(unit, int), head))

    def _evaluate(self, batch: Sequence[Unit], *, output_count: int) -> int:
        model, first = self._model, batch[0]
        position = model.cache.position
        if isinstance(first, PictureUnit):
            if model.vision is None:
                raise ValueError("a picture without a projector")
            model.fit_threads()
            return model.vision.evaluate(model.context, first, position, model.batch_size)
        tokens = [unit for unit in batch if isinstance(unit, int)]
        return model.evaluate_tokens(tokens, position, output_count=output_count)

    def _check(self, status: int) -> None:
        if status == _ABORTED or (status != 0 and self._should_stop()):
            raise Cancelled
        if status != 0:
            raise EngineError(
                "The model could not read the question.",
                hint="Ask again, or choose another model.",
                detail=f"llama_decode returned {status}",
            )

    def _decode(self, sampler: Sampler) -> FinishReason:
        model, figures, request = self._model, self._figures, self._request
        room = min(request.max_new_tokens, model.context_length - figures.prompt_tokens)
        if room < 1:
            return "length"
        faults.reach("decode", safe=model.safe_settings)
        token = sampler.sample(model.context)
        started = time.perf_counter()
        figures.first_token_s = started - figures.started
        answer = self._answer = AnswerText(model, room, request.stop, self._emit)
        decoding = Decoding(
            model, sampler, answer, check=self._check, should_stop=self._should_stop
        )
        try:
            return decoding.run(token, self._prompt if request.guesses else None)
        finally:
            figures.decode_s = time.perf_counter() - started
            figures.guessed_tokens = decoding.guessed_tokens

    def _dump_logits(self, units: Sequence[Unit]) -> None:
        """Write the logits of the last prompt position, and the prompt's ids.

        Places of pictures carry the id -1.
        """
        ids: list[int] = []
        for unit in units:
            ids.extend([unit] if isinstance(unit, int) else [_NO_TOKEN] * unit.token_count)
        row = lib.llama_get_logits_ith(self._model.context, -1)
        logits = np.ctypeslib.as_array(row, (self._model.tokenizer.token_count,))
        with open(str(self._request.dump_logits), "wb") as stream:
            np.savez(
                stream,
                final_logits=logits.astype(np.float32),
                input_ids=np.array(ids, dtype=np.int64),
            )

    def _generation(self, reason: FinishReason) -> Generation:
        figures, answer = self._figures, self._answer
        return Generation(
            text=answer.text if answer is not None else "",
            finish_reason=reason,
            prompt_tokens=figures.prompt_tokens,
            cached_tokens=figures.cached_tokens,
            image_tokens=figures.image_tokens,
            completion_ids=tuple(answer.ids) if answer is not None else (),
            encode_s=figures.encode_s,
            prefill_s=figures.prefill_s,
            first_token_s=figures.first_token_s,
            decode_s=figures.decode_s,
            peak_rss_bytes=self._peak.peak_bytes(),
            guessed_tokens=figures.guessed_tokens,
            copies_bytes=self._model.held.byte_count,
        )


def with_start(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the prompt so that it begins with text, even if empty: the first token goes there."""
    if pieces and isinstance(pieces[0], str):
        return list(pieces)
    return ["", *pieces]


def tokens_of(model: LlamaModel, text: str, *, start: bool) -> list[int]:
    """Return the tokens of a text of the prompt.

    Many templates write the first token of a text themselves; it must not come twice.
    """
    tokenizer = model.tokenizer
    if start and tokenizer.adds_bos and (bos := tokenizer.bos()):
        text = text.removeprefix(bos)
    return tokenizer.tokenize(text, start=start)


def count_prompt_tokens(model: LlamaModel, messages: Sequence[ChatMessage]) -> int:
    """Return the tokens of a conversation's prompt, without its pictures."""
    texts = with_start(list[Piece](text_of(model.template.render(messages))))
    return sum(
        len(tokens_of(model, text, start=place == 0))
        for place, text in enumerate(texts)
        if isinstance(text, str)
    )
