# SPDX-License-Identifier: Apache-2.0
"""Text to tokens and back, with the vocabulary of the loaded model."""

from __future__ import annotations

import ctypes

from llama_cpp import llama_cpp as lib

_FIRST_PIECE_BYTES = 64


class Tokenizer:
    """The vocabulary of a model.

    Attributes:
        vocab: llama.cpp's handle.
        token_count: Size of the vocabulary.
    """

    def __init__(self, model: int) -> None:
        self.vocab = lib.llama_model_get_vocab(model)
        self.token_count = int(lib.llama_vocab_n_tokens(self.vocab))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self.vocab))
        self._pieces: dict[int, bytes] = {}

    def tokenize(self, text: str, *, start: bool) -> list[int]:
        """Return the tokens of a text; control tokens written in it become such tokens.

        Args:
            text: May be empty.
            start: The text begins the prompt, so the model's own first token is put before it.
        """
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            buffer = (lib.llama_token * size)()
            count = lib.llama_tokenize(self.vocab, data, len(data), buffer, size, start, True)
            if count >= 0:
                return list(buffer[:count])
            size = -count

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token stands for; nothing for a control token."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token, special=False)
        return known

    def name(self, token: int) -> str:
        """Return a token as it is written in a template; empty where there is no such token."""
        if token < 0:
            return ""
        return self._read_piece(token, special=True).decode("utf-8", "replace")

    def is_end(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(lib.llama_vocab_is_eog(self.vocab, token))

    def bos(self) -> str:
        """Return the token that begins a text, as written in a template."""
        return self.name(int(lib.llama_vocab_bos(self.vocab)))

    def eos(self) -> str:
        """Return the token that ends a text, as written in a template."""
        return self.name(int(lib.llama_vocab_eos(self.vocab)))

    def control_texts(self, text: str) -> set[str]:
        """Return the control tokens that stand in a text as plain characters."""
        return {
            name
            for token in set(self.tokenize(text, start=False))
            if lib.llama_vocab_is_control(self.vocab, token) and (name := self.name(token)) in text
        }

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        size = _FIRST_PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = lib.llama_token_to_piece(self.vocab, token, buffer, size, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            size = -count
