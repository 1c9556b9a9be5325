# SPDX-License-Identifier: Apache-2.0
"""How fast is our engine beside llama.cpp itself and beside the binding's own interfaces?

Contenders, each in a process of its own, same GGUF, threads and batch size:

* ``bare``: a loop of ``llama_decode`` and the C sampler, nothing else: as fast as it gets.
* ``engine``: our `EngineClient`, through its process and pipe, streaming on.
* ``binding``: ``llama_cpp.Llama.create_completion`` with a list of tokens.

These machines are noisy, so no single time means anything: the contenders take turns
(A B C A B C …), each round gives ratios, and the median ratio is reported.

Where other programs keep the cores busy, ``chrt -f 10`` before the command (as root) keeps them
away from all contenders alike.

    python benchmarks/engine_speed.py [--json] [--rounds 9] [--model M.gguf]

Follow-up questions, also about pictures: `second_question.py`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from contenders import CONTEXT_LENGTH, Contender, Run, serve_bare, serve_binding
from random_gguf.vocabulary import starter_model

from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest

SENTENCE = "The committee met on Tuesday and agreed that the bridge over the river is repaired. "


# -- text ---------------------------------------------------------------------------------------


def measure_text(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        client = EngineClient(safe_settings_file=Path(folder) / "engine.json")
        loaded = client.load(
            LoadRequest(
                "model",
                arguments.model,
                context_length=CONTEXT_LENGTH,
                thread_count=arguments.threads,
            )
        )
        request = text_request(arguments, Path(folder) / "ids.npz")
        generation = client.generate(request)
        with np.load(str(request.dump_logits)) as dump:
            tokens = [int(token) for token in dump["input_ids"]]
        # The token that ends an answer is sampled too, though it is not part of it.
        count = len(generation.completion_ids) + (generation.finish_reason == "stop")
        common = (str(arguments.model), loaded.thread_count, arguments.batch)
        others = {
            "bare": Contender(serve_bare, *common),
            "binding": Contender(serve_binding, *common),
        }
        rounds: list[dict[str, Run]] = []
        request = text_request(arguments, None)
        for _ in range(arguments.rounds):
            results = {}
            for name in ("bare", "engine", "binding"):
                time.sleep(arguments.rest_s)
                if name == "engine":
                    results[name] = run_engine(client, request)
                else:
                    results[name] = others[name].run((tokens, count))
            rounds.append(results)
        client.close()
        for other in others.values():
            other.close()
    return text_report(rounds, len(tokens), count, loaded.thread_count)


def text_request(arguments: argparse.Namespace, dump: Path | None) -> GenerateRequest:
    text = SENTENCE * (arguments.prompt_tokens // 16) + "Write a long story."
    return GenerateRequest(
        (ChatMessage("user", text),),
        max_new_tokens=arguments.new_tokens,
        cold=True,
        guesses=False,  # the others evaluate every token by itself
        dump_logits=dump,
    )


def run_engine(client: EngineClient, request: GenerateRequest) -> Run:
    started = time.perf_counter()
    generation = client.generate(request, on_event=lambda event: None)
    whole_s = time.perf_counter() - started
    return Run(generation.prefill_s, generation.decode_s, whole_s)


def text_report(
    rounds: list[dict[str, Run]], prompt_tokens: int, count: int, threads: int
) -> dict[str, Any]:
    def ratio(name: str, other: str, phase: str) -> float:
        """Speed of one contender as a share of the other's: the median of the rounds."""
        shares = [getattr(r[other], phase) / getattr(r[name], phase) for r in rounds]
        return round(statistics.median(shares), 4)

    phases = ("prefill_s", "decode_s", "whole_s")
    return {
        "rounds": len(rounds),
        "threads": threads,
        "prompt_tokens": prompt_tokens,
        "new_tokens": count,
        "median_prefill_tokens_per_s": {
            name: round(prompt_tokens / statistics.median(r[name].prefill_s for r in rounds), 1)
            for name in rounds[0]
        },
        "median_decode_tokens_per_s": {
            name: round(count / statistics.median(r[name].decode_s for r in rounds), 1)
            for name in rounds[0]
        },
        "speed_engine_to_bare": {phase: ratio("engine", "bare", phase) for phase in phases},
        "speed_binding_to_bare": {phase: ratio("binding", "bare", phase) for phase in phases},
        "runs": [{name: asdict(run) for name, run in r.items()} for r in rounds],
    }


# -- command line -------------------------------------------------------------------------------


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=0, help="0 = as the engine chooses")
    parser.add_argument("--batch", type=int, default=512, help="of the others; ours is built in")
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--rest-s", type=float, default=0.2, help="pause before each run")
    parser.add_argument("--model", type=Path, default=None, help="text model (GGUF)")
    arguments = parser.parse_args()
    arguments.model = arguments.model or starter_model()
    return arguments


def main() -> None:
    arguments = parse_arguments()
    report = measure_text(arguments)
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        if name != "runs":
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
