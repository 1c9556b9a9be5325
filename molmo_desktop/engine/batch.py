# SPDX-License-Identifier: Apache-2.0
"""One batch of tokens for llama.cpp, made once and filled again; and how full to fill it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from llama_cpp import llama_cpp as lib

_STEP_S = 2.0
_FIRST_STEP_TOKENS = 128
_LEAST_STEP_TOKENS = 128
_GRAIN_TOKENS = 64
_TELLING_TOKENS = 32


class TokenBatch:
    """Room for so many tokens of one sequence.

    Args:
        size: Most tokens at once.
    """

    def __init__(self, size: int) -> None:
        self._tokens = (lib.llama_token * size)()
        self._positions = (lib.llama_pos * size)()
        self._sequence_counts = (ctypes.c_int32 * size)(*([1] * size))
        self._sequence = (lib.llama_seq_id * 1)(0)
        pointer = ctypes.POINTER(lib.llama_seq_id)
        self._sequences = (pointer * size)(*([ctypes.cast(self._sequence, pointer)] * size))
        self._wants_logits = (ctypes.c_int8 * size)()
        self._batch = lib.llama_batch()
        self._batch.token = ctypes.cast(self._tokens, ctypes.POINTER(lib.llama_token))
        self._batch.pos = ctypes.cast(self._positions, ctypes.POINTER(lib.llama_pos))
        self._batch.n_seq_id = ctypes.cast(self._sequence_counts, ctypes.POINTER(ctypes.c_int32))
        self._batch.seq_id = ctypes.cast(self._sequences, ctypes.POINTER(pointer))
        self._batch.logits = ctypes.cast(self._wants_logits, ctypes.POINTER(ctypes.c_int8))

    def evaluate(
        self, context: int, tokens: Sequence[int], position: int, *, output_count: int
    ) -> int:
        """Evaluate tokens at consecutive positions.

        Args:
            context: llama.cpp's handle.
            tokens: At least one, at most `size`.
            position: Of the first.
            output_count: Compute the logits of so many tokens, the last ones.

        Returns:
            llama.cpp's status: 0 success, 1 no room, 2 aborted, negative failure.
        """
        count = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = range(position, position + count)
        outputs = slice(count - output_count, count)
        self._wants_logits[outputs] = [1] * output_count
        self._batch.n_tokens = count
        status = int(lib.llama_decode(context, self._batch))
        self._wants_logits[outputs] = [0] * output_count
        return status


class Pace:
    """How many tokens of a prompt to evaluate in one step.

    A step should take about two seconds: then progress moves, and the number of threads can
    follow the load. Small steps cost speed: 512, 256, 128 and 64 tokens gave 1.00, 0.98, 0.97
    and 0.93 of it (starter model, two threads).

    Args:
        most: Room of the batch.

    Attributes:
        step_tokens: For the next step.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.step_tokens = min(_FIRST_STEP_TOKENS, most)

    def note(self, token_count: int, seconds: float) -> None:
        """Take into account how long a step took."""
        if token_count >= _TELLING_TOKENS:
            wanted = int(_STEP_S * token_count / max(seconds, 1e-6))
            wanted -= wanted % _GRAIN_TOKENS
            self.step_tokens = min(self._most, max(_LEAST_STEP_TOKENS, wanted))
