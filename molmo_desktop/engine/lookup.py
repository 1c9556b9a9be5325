# SPDX-License-Identifier: Apache-2.0
"""Guessing the next tokens from the text itself, so that several are checked in one step.

An answer about a document repeats much of it. Where the last tokens stood before, what followed
them then is guessed to follow again; the model evaluates the guess in one batch, which costs
less than one token after the other. Every token is still chosen by the sampler from the model's
own scores, so the answer is the same; only wrong guesses cost time, and where they cost more
than they bring, no more are made.

This is prompt lookup decoding: https://github.com/apoorvumang/prompt-lookup-decoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_GUESSED = 7
_LEAST_GUESSED = 2
_FIRST_GUESSED = 4
_KEY_TOKENS = 3
_KEPT_SHARE = 0.8  # of what older steps weigh beside the newest
_TRIALS = 3
_FIRST_REST_TOKENS = 64
_LONGEST_REST_TOKENS = 4096


class PromptLookup:
    """The text of one prompt and its answer, and where each run of tokens stood in it.

    Args:
        tokens: The prompt; a token below 0 stands for a picture.
    """

    def __init__(self, tokens: Iterable[int]) -> None:
        self._tokens: list[int] = []
        self._place_after: dict[tuple[int, ...], int] = {}
        self._length = _FIRST_GUESSED
        for token in tokens:
            self.append(token)

    def append(self, token: int) -> None:
        """Take the next token of the text."""
        # The run that ends before this token is followed by it.
        run = tuple(self._tokens[-_KEY_TOKENS:])
        if len(run) == _KEY_TOKENS:
            self._place_after[run] = len(self._tokens)
        self._tokens.append(token)

    def guess(self, most: int) -> list[int]:
        """Return the tokens that may come next, at most so many; often none."""
        run = tuple(self._tokens[-_KEY_TOKENS:])
        place = self._place_after.get(run)
        length = min(most, self._length)
        if place is None or length < 1:
            return []
        found = self._tokens[place : place + length]
        picture = next((n for n, token in enumerate(found) if token < 0), len(found))
        return found[:picture]

    def learn(self, guessed: Sequence[int], right_count: int) -> None:
        """Guess more after a guess that was right, less after one that was wrong."""
        if right_count == len(guessed):
            self._length = min(MOST_GUESSED, self._length + 1)
        elif right_count == 0:
            self._length = max(_LEAST_GUESSED, self._length - 1)


class Economy:
    """Whether guessing pays on this machine with this model, measured while it answers.

    Attributes:
        is_exact: Whether several tokens together give exactly the scores of one by one; None
            until it was tried.
    """

    def __init__(self) -> None:
        self.is_exact: bool | None = None
        self._plain_s = 0.0
        self._guessing_s = 0.0
        self._guessing_tokens = 0.0
        self._trials = 0
        self._rest = 0
        self._next_rest = _FIRST_REST_TOKENS

    def pays(self) -> bool:
        """Whether the next step should guess; asked once for each guess that could be made."""
        if self._plain_s == 0.0 or self.is_exact is False:
            return False  # what a token costs without is not known yet, or it must not be done
        if self._rest > 0:
            self._rest -= 1
            return False
        if self._trials >= _TRIALS and self._guessing_s > self._guessing_tokens * self._plain_s:
            self._rest, self._trials = self._next_rest, 0
            self._next_rest = min(2 * self._next_rest, _LONGEST_REST_TOKENS)
            self._guessing_s = self._guessing_tokens = 0.0
            return False
        return True

    def note_plain(self, seconds: float) -> None:
        """Take into account a step that evaluated one token."""
        weight = _KEPT_SHARE if self._plain_s else 0.0
        self._plain_s = weight * self._plain_s + (1 - weight) * seconds

    def note_guessing(self, seconds: float, token_count: int) -> None:
        """Take into account a step that brought so many tokens by guessing."""
        self._guessing_s = _KEPT_SHARE * self._guessing_s + seconds
        self._guessing_tokens = _KEPT_SHARE * self._guessing_tokens + token_count
        self._trials += 1
