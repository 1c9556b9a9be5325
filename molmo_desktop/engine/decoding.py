# SPDX-License-Identifier: Apache-2.0
"""One token after the other, or several in one step where the text was seen before.

Guessing needs a model that computes several tokens together exactly as one by one: else an
answer could be another one with guesses than without. Not every build and setting does, so it
is tried once, on tokens that were evaluated already (`Decoding._proves_exact`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from llama_cpp import llama_cpp as lib
from numpy.typing import NDArray

from molmo_desktop.core.answer import FinishReason
from molmo_desktop.engine.events import TokenEvent
from molmo_desktop.engine.llama_model import LlamaModel
from molmo_desktop.engine.lookup import MOST_GUESSED, PromptLookup
from molmo_desktop.engine.prefix_cache import Unit
from molmo_desktop.engine.sampling import Sampler
from molmo_desktop.engine.streaming import TextStream

_NO_TOKEN = -1
_PROOF_TOKENS = MOST_GUESSED + 1


class AnswerText:
    """The answer as far as it is written.

    Args:
        model: Knows the tokens.
        room: Most tokens.
        stop: Texts that end it.
        emit: Takes the pieces of text.

    Attributes:
        ids: The tokens.
    """

    def __init__(
        self,
        model: LlamaModel,
        room: int,
        stop: Sequence[str],
        emit: Callable[[TokenEvent], None],
    ) -> None:
        self.ids: list[int] = []
        self._tokenizer = model.tokenizer
        self._room = room
        self._emit = emit
        self._stream = TextStream(stop)

    @property
    def text(self) -> str:
        """What was written."""
        return self._stream.text

    @property
    def room(self) -> int:
        """How many more tokens may come."""
        return self._room - len(self.ids)

    def take(self, token: int) -> FinishReason | None:
        """Take a chosen token; return why the answer ends, if it does."""
        if self._tokenizer.is_end(token):
            return "stop"
        self.ids.append(token)
        self._say(self._stream.feed(self._tokenizer.piece(token)))
        if self._stream.stopped:
            return "stop"
        return "length" if self.room <= 0 else None

    def finish(self) -> None:
        """Say what was held back, because it might have begun a stop text."""
        self._say(self._stream.finish())

    def _say(self, text: str) -> None:
        if text:
            self._emit(TokenEvent(text))


class Decoding:
    """Writes an answer behind a prompt that was evaluated.

    Args:
        model: Its context holds the prompt.
        sampler: Chooses the tokens.
        answer: Takes them.
        check: Takes llama.cpp's status, and raises what it means.
        should_stop: Asked before each step.

    Attributes:
        guessed_tokens: How many tokens were guessed right.
    """

    def __init__(
        self,
        model: LlamaModel,
        sampler: Sampler,
        answer: AnswerText,
        *,
        check: Callable[[int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self._model = model
        self._sampler = sampler
        self._answer = answer
        self._check = check
        self._should_stop = should_stop
        self.guessed_tokens = 0

    def run(self, token: int, prompt: Sequence[Unit] | None) -> FinishReason:
        """Write the answer.

        Args:
            token: The first one, chosen already.
            prompt: Where to guess from; None = do not guess.
        """
        # A wrong guess must be taken back, which not every memory can.
        lookup = None
        if prompt is not None and self._model.cache.can_be_cut():
            lookup = PromptLookup(u if isinstance(u, int) else _NO_TOKEN for u in prompt)
        reason = self._answer.take(token)
        while reason is None:
            if self._should_stop():
                return "cancelled"
            guessed = self._guess(lookup, token)
            begun = time.perf_counter()
            self._evaluate((token, *guessed))
            token, right_count, reason = self._choose(guessed)
            seconds = time.perf_counter() - begun
            self._model.cache.drop_last(len(guessed) - right_count)
            self._learn(lookup, guessed, right_count, seconds)
        return reason

    def _guess(self, lookup: PromptLookup | None, token: int) -> list[int]:
        if lookup is None:
            return []
        lookup.append(token)
        # Of the room, one token is for what the model chooses itself.
        guessed = lookup.guess(self._answer.room - 1)
        guessing = self._model.guessing
        if not guessed or not guessing.pays():
            return []
        if guessing.is_exact is None and len(self._answer.ids) > _PROOF_TOKENS:
            guessing.is_exact = self._proves_exact()
        return guessed if guessing.is_exact else []

    def _evaluate(self, tokens: Sequence[int]) -> None:
        model = self._model
        position = model.cache.position
        self._check(model.evaluate_tokens(tokens, position, output_count=len(tokens)))
        model.cache.append(tokens)

    def _choose(self, guessed: Sequence[int]) -> tuple[int, int, FinishReason | None]:
        """Choose tokens as long as the guess is right.

        Returns:
            The last token chosen, how many guessed ones were right before it, and why the
            answer ends, if it does.
        """
        place = 0
        while True:
            token = self._sampler.sample(self._model.context, place)
            reason = self._answer.take(token)
            if reason is not None or place == len(guessed) or token != guessed[place]:
                return token, place, reason
            place += 1

    def _learn(
        self, lookup: PromptLookup | None, guessed: list[int], right_count: int, seconds: float
    ) -> None:
        if lookup is None or not guessed:
            self._model.guessing.note_plain(seconds)
            return
        self.guessed_tokens += right_count
        self._model.guessing.note_guessing(seconds, right_count + 1)
        lookup.learn(guessed, right_count)
        for token in guessed[:right_count]:
            lookup.append(token)

    def _proves_exact(self) -> bool:
        """Evaluate the last tokens again, together, and compare with how they came one by one.

        The context holds the same afterwards.
        """
        cache = self._model.cache
        tokens = [unit for unit in cache.units[-_PROOF_TOKENS:] if isinstance(unit, int)]
        before = self._scores()
        cache.drop_last(len(tokens))
        self._evaluate(tokens)
        is_exact = bool(np.array_equal(before, self._scores()))
        if not is_exact:
            cache.drop_last(len(tokens))
            for token in tokens:
                self._evaluate((token,))
        return is_exact

    def _scores(self) -> NDArray[np.float32]:
        row = lib.llama_get_logits_ith(self._model.context, -1)
        return np.ctypeslib.as_array(row, (self._model.tokenizer.token_count,)).copy()
