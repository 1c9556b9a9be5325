# SPDX-License-Identifier: Apache-2.0
"""What our engine is compared with: each contender serves runs in a child process of its own."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

CONTEXT_LENGTH = 4096
NEW_TOKENS = 4  # of an answer whose first one counts


@dataclass(frozen=True)
class Run:
    """One answer: seconds of its two phases and of the whole, as its caller sees it."""

    prefill_s: float
    decode_s: float
    whole_s: float


class Contender:
    """A child process that serves runs."""

    def __init__(self, target: Any, *args: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *args), daemon=True)
        self._process.start()
        theirs.close()
        self.connection.recv()

    def run(self, work: Any) -> Any:
        """Hand over work and wait for what comes back."""
        self.connection.send(work)
        return self.connection.recv()

    def close(self) -> None:
        """Let the process end."""
        self.connection.send(None)
        self._process.join(10)


def serve_bare(connection: Connection, model: str, threads: int, batch: int) -> None:
    """Run the bare loop on request: receives (tokens, count), sends a `Run`."""
    import ctypes

    from llama_cpp import llama_cpp as lib

    silent = lib.llama_log_callback(lambda *_: None)
    lib.llama_log_set(silent, None)
    weights = lib.llama_model_load_from_file(model.encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx = CONTEXT_LENGTH
    params.n_batch = params.n_ubatch = batch
    params.n_threads = params.n_threads_batch = threads
    context = lib.llama_init_from_model(weights, params)
    memory = lib.llama_get_memory(context)
    sampler = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    lib.llama_sampler_chain_add(sampler, lib.llama_sampler_init_greedy())
    connection.send("ready")
    while (work := connection.recv()) is not None:
        tokens, count = work
        lib.llama_memory_clear(memory, True)
        started = time.perf_counter()
        for place in range(0, len(tokens), batch):
            part = tokens[place : place + batch]
            array = (lib.llama_token * len(part))(*part)
            lib.llama_decode(context, lib.llama_batch_get_one(array, len(part)))
        lib.llama_synchronize(context)
        prefilled = time.perf_counter()
        one = (lib.llama_token * 1)()
        get_one = lib.llama_batch_get_one(ctypes.cast(one, lib.llama_token_p), 1)
        one[0] = lib.llama_sampler_sample(sampler, context, -1)
        for _ in range(count - 1):
            lib.llama_decode(context, get_one)
            one[0] = lib.llama_sampler_sample(sampler, context, -1)
        ended = time.perf_counter()
        connection.send(Run(prefilled - started, ended - prefilled, ended - started))


def serve_binding(connection: Connection, model: str, threads: int, batch: int) -> None:
    """Run ``Llama.create_completion`` on request, streaming."""
    from llama_cpp import Llama

    llama = Llama(
        model,
        n_ctx=CONTEXT_LENGTH,
        n_batch=batch,
        n_ubatch=batch,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    connection.send("ready")
    while (work := connection.recv()) is not None:
        tokens, count = work
        llama.reset()
        started = first = time.perf_counter()
        pieces = llama.create_completion(
            tokens, max_tokens=count, temperature=0.0, repeat_penalty=1.0, stream=True
        )
        for place, _ in enumerate(pieces):
            if place == 0:
                first = time.perf_counter()
        ended = time.perf_counter()
        connection.send(Run(first - started, ended - first, ended - started))


def serve_chat(connection: Connection, model: str, mmproj: str, threads: int) -> None:
    """Answer conversations with the binding: receives messages and whether it begins anew.

    Pictures go through ``MTMDChatHandler``; without a projector the model's own template is
    used, as ``create_chat_completion`` does by itself.
    """
    from llama_cpp import Llama, mtmd_cpp
    from llama_cpp import llama_cpp as lib
    from llama_cpp.llama_chat_format import MTMDChatHandler

    silent = lib.llama_log_callback(lambda *_: None)
    mtmd_cpp.mtmd_helper_log_set(silent, None)
    llama = Llama(
        model,
        chat_handler=MTMDChatHandler(clip_model_path=mmproj, verbose=False) if mmproj else None,
        n_ctx=CONTEXT_LENGTH,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    connection.send("ready")
    while (work := connection.recv()) is not None:
        messages, begins_anew = work
        if begins_anew:
            llama.reset()
        started = time.perf_counter()
        stream = llama.create_chat_completion(
            messages, max_tokens=NEW_TOKENS, temperature=0.0, repeat_penalty=1.0, stream=True
        )
        arrivals = [
            time.perf_counter() for part in stream if part["choices"][0]["delta"].get("content")
        ]
        connection.send((arrivals or [time.perf_counter()])[0] - started)
