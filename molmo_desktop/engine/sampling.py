# SPDX-License-Identifier: Apache-2.0
"""Choosing the next token, with llama.cpp's own samplers.

The whole chain runs in C: the logits never become a Python object.
"""

from __future__ import annotations

import ctypes
import secrets

from llama_cpp import llama_cpp as lib

from molmo_desktop.core.errors import UsageError

_TOP_K = 40
_TOP_P = 0.95
_MIN_P = 0.05
_LOOP_MULTIPLIER = 0.8
_LOOP_BASE = 1.75
_LOOP_ALLOWED_TOKENS = 8  # longer than a date or an amount, which may well come twice
_LOOP_WINDOW_TOKENS = 512


class Sampler:
    """A sampler chain: greedy at temperature 0, else top-k, top-p, min-p, temperature, draw.

    Args:
        vocab: Vocabulary of the model, for the grammar.
        temperature: 0 = always the likeliest token.
        seed: For temperature above 0; None = a new one.
        grammar: GBNF with a rule ``root``; empty = free.
        breaks_loops: Penalise a run of tokens that stood in the answer before, the more the
            longer it is (llama.cpp's DRY sampler, which sees the answer only, not the prompt).

    Raises:
        UsageError: The grammar cannot be parsed.
    """

    def __init__(
        self,
        vocab: int,
        *,
        temperature: float,
        seed: int | None = None,
        grammar: str = "",
        breaks_loops: bool = False,
    ) -> None:
        self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if grammar:
            rules = lib.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            if not rules:
                self.close()
                raise UsageError("The grammar of the answer cannot be understood.")
            self._add(rules)
        if breaks_loops:
            self._add(_loop_breaker(vocab))
        if temperature <= 0:
            self._add(lib.llama_sampler_init_greedy())
            return
        self._add(lib.llama_sampler_init_top_k(_TOP_K))
        self._add(lib.llama_sampler_init_top_p(_TOP_P, 1))
        self._add(lib.llama_sampler_init_min_p(_MIN_P, 1))
        self._add(lib.llama_sampler_init_temp(temperature))
        drawn = secrets.randbits(32) if seed is None else seed & 0xFFFFFFFF
        self._add(lib.llama_sampler_init_dist(drawn))

    def sample(self, context: int, place: int = -1) -> int:
        """Choose and accept a token from an output of the context; -1 = the last one.

        Args:
            context: llama.cpp's handle.
            place: Of the evaluated token in its batch; its logits were asked for.
        """
        return int(lib.llama_sampler_sample(self._chain, context, place))

    def close(self) -> None:
        """Free the chain."""
        if self._chain:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _add(self, sampler: int) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)


def _loop_breaker(vocab: int) -> int:
    breakers = (ctypes.c_char_p * 0)()
    sampler: int = lib.llama_sampler_init_dry(
        vocab,
        _LOOP_MULTIPLIER,
        _LOOP_BASE,
        _LOOP_ALLOWED_TOKENS,
        _LOOP_WINDOW_TOKENS,
        breakers,
        0,
    )
    return sampler
