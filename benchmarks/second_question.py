# SPDX-License-Identifier: Apache-2.0
"""How much sooner does a second question about the same picture or document get its answer?

Two contenders take turns in one run, each in a process of its own, with the same files,
threads and context: our `EngineClient`, streaming through its process, and the binding's
``create_chat_completion`` (for pictures with its ``MTMDChatHandler``). Each round is a first
question from nothing and a second one that continues the conversation; what counts is the time
to the first piece of the answer. Ratios are medians over the rounds' own pairs, because
absolute times on a shared machine say little.

The vision models have the shapes of real ones and random weights (`make_random_gguf.py`); they
are made where they are missing.

    python benchmarks/second_question.py [--rounds 5] [--model SmolVLM-256M …] [--json]
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from contenders import CONTEXT_LENGTH, NEW_TOKENS, Contender, serve_chat
from make_random_gguf import DEFAULT_FOLDER, ensure_preset
from PIL import Image
from random_gguf.presets import PRESETS
from random_gguf.vocabulary import starter_model

from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest, TokenEvent

LARGEST_SHARE_OF_FIRST = 0.15
LEAST_TIMES_FASTER = 10.0
# The model's own answer would do as well; this one is the same for both contenders.
ANSWER = "It is about a bridge over a river."
SENTENCES = (
    "The committee met on Tuesday and agreed that the bridge over the river is repaired. "
    "Costs of the second stage were estimated at four million, of which the council pays half. "
)
DOCUMENT = "document"


@dataclass(frozen=True)
class Round:
    """Seconds to the first piece of the answer, and what our engine says about its prompts."""

    ours_first_s: float
    ours_second_s: float
    binding_first_s: float
    binding_second_s: float
    prompt_tokens: int
    image_tokens: int
    cached_tokens: int


@dataclass(frozen=True)
class Subject:
    """What is asked about: a picture, or a document's text at the head of the question."""

    model_path: Path
    projector_path: Path | None = None
    picture: Image.Image | None = None
    text: str = ""

    def turns(self) -> tuple[list[str], list[str]]:
        """Return the conversations of the first and of the second question."""
        first = f"{self.text}What is this about?"
        return [first], [first, ANSWER, "Who pays for it, and how much?"]


def measure(subject: Subject, rounds: int, thread_count: int) -> list[Round]:
    with tempfile.TemporaryDirectory() as folder:
        client = EngineClient(safe_settings_file=Path(folder) / "engine.json")
        loaded = client.load(
            LoadRequest(
                subject.model_path.stem,
                subject.model_path,
                subject.projector_path,
                context_length=CONTEXT_LENGTH,
                thread_count=thread_count,
            )
        )
        binding = Contender(
            serve_chat,
            str(subject.model_path),
            str(subject.projector_path or ""),
            loaded.thread_count,
        )
        # Both have read their weights before anything counts.
        client.generate(GenerateRequest((ChatMessage("user", "Hello"),), max_new_tokens=1))
        if subject.projector_path is None:
            binding.run(([{"role": "user", "content": "Hello"}], True))
        results = []
        for number in range(rounds):
            say(f"{subject.model_path.stem}: round {number + 1} of {rounds}")
            results.append(one_round(client, binding, subject))
        client.close()
        binding.close()
    return results


def one_round(client: EngineClient, binding: Contender, subject: Subject) -> Round:
    first, second = subject.turns()
    ours_first_s, _, _, _ = ask_engine(client, subject, first, cold=True)
    ours_second_s, prompt_tokens, image_tokens, cached_tokens = ask_engine(client, subject, second)
    return Round(
        ours_first_s,
        ours_second_s,
        binding.run((binding_messages(subject, first), True)),
        binding.run((binding_messages(subject, second), False)),
        prompt_tokens,
        image_tokens,
        cached_tokens,
    )


def ask_engine(
    client: EngineClient, subject: Subject, turns: Sequence[str], *, cold: bool = False
) -> tuple[float, int, int, int]:
    """Return the seconds to the first piece of text as the caller sees it, and token counts."""
    picture = subject.picture
    images = (PageImage(*picture.size, picture.tobytes()),) if picture else ()
    messages = tuple(
        ChatMessage(
            "assistant" if place % 2 else "user", text, (0,) if images and place == 0 else ()
        )
        for place, text in enumerate(turns)
    )
    arrivals: list[float] = []
    started = time.perf_counter()
    generation = client.generate(
        GenerateRequest(messages, images, max_new_tokens=NEW_TOKENS, cold=cold),
        on_event=lambda event: (
            arrivals.append(time.perf_counter()) if isinstance(event, TokenEvent) else None
        ),
    )
    seconds = (arrivals or [time.perf_counter()])[0] - started
    counts = (generation.prompt_tokens, generation.image_tokens, generation.cached_tokens)
    return seconds, *(count or 0 for count in counts)


def binding_messages(subject: Subject, turns: Sequence[str]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    for place, text in enumerate(turns):
        content: Any = text
        if place == 0 and subject.picture is not None:
            content = [
                {"type": "image_url", "image_url": {"url": picture_address(subject.picture)}},
                {"type": "text", "text": text},
            ]
        messages.append({"role": "assistant" if place % 2 else "user", "content": content})
    return messages


def picture_address(picture: Image.Image) -> str:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def drawn_picture(width: int = 1024, height: int = 768) -> Image.Image:
    """Return a picture of soft colours: how long it takes depends on its size alone."""
    y, x = np.mgrid[0:height, 0:width]
    planes = (x // 4, y // 3, (x * y) >> 11)
    return Image.fromarray(np.stack([plane % 256 for plane in planes], -1).astype(np.uint8))


def summary(results: Sequence[Round]) -> dict[str, Any]:
    """Return medians: of times, and of the ratios within each round."""
    last = results[-1]
    share = statistics.median(r.ours_second_s / r.ours_first_s for r in results)
    times = statistics.median(r.binding_second_s / r.ours_second_s for r in results)
    return {
        "rounds": len(results),
        "prompt_tokens": last.prompt_tokens,
        "image_tokens": last.image_tokens,
        "cached_tokens": last.cached_tokens,
        "median_first_token_s": {
            name: statistics.median(getattr(r, f"{name}_s") for r in results)
            for name in ("ours_first", "ours_second", "binding_first", "binding_second")
        },
        "ours_second_to_first": share,
        "binding_second_to_ours_second": times,
        "binding_second_to_first": statistics.median(
            r.binding_second_s / r.binding_first_s for r in results
        ),
        "reached": share <= LARGEST_SHARE_OF_FIRST
        and (last.image_tokens == 0 or times >= LEAST_TIMES_FASTER),
        "runs": [asdict(r) for r in results],
    }


def print_table(report: dict[str, dict[str, Any]]) -> None:
    print(
        f"{'':26} {'first':>9} {'second':>9} {'second/':>8} {'binding':>9} {'binding/':>9} "
        f"{'cached':>11}"
    )
    print(f"{'':26} {'ours':>9} {'ours':>9} {'first':>8} {'second':>9} {'ours':>9}")
    for name, figures in report.items():
        seconds = figures["median_first_token_s"]
        print(
            f"{name:26} {seconds['ours_first']:7.2f} s {seconds['ours_second']:7.3f} s "
            f"{figures['ours_second_to_first']:8.4f} {seconds['binding_second']:7.2f} s "
            f"{figures['binding_second_to_ours_second']:9.1f} "
            f"{figures['cached_tokens']:5d}/{figures['prompt_tokens']}"
        )
    print(
        f"wanted: second/first ≤ {LARGEST_SHARE_OF_FIRST}, "
        f"with a picture binding/ours ≥ {LEAST_TIMES_FASTER:.0f}"
    )


def subject_of(name: str, arguments: argparse.Namespace) -> Subject:
    if name == DOCUMENT:
        text = SENTENCES * round(arguments.document_tokens / 36) + "\n\n"
        return Subject(arguments.text_model or starter_model(), text=text)
    picture = drawn_picture()
    if arguments.picture:
        picture = Image.open(arguments.picture).convert("RGB")
    files = arguments.files or ensure_preset(name, arguments.folder)
    return Subject(*files, picture=picture)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def parse_arguments(description: str | None, default_rounds: int) -> argparse.Namespace:
    vision = [name for name, preset in PRESETS.items() if preset.vision]
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON object")
    add("--rounds", type=int, default=default_rounds)
    add(
        "--model",
        nargs="+",
        choices=[*vision, DOCUMENT],
        default=[*vision, DOCUMENT],
        help=f'what to ask: vision models about a picture, or "{DOCUMENT}" (default: all)',
    )
    add(
        "--files",
        nargs=2,
        type=Path,
        metavar=("MODEL.gguf", "MMPROJ.gguf"),
        help="a vision model of your own, asked about a picture instead of the others",
    )
    add("--threads", type=int, default=0, help="0 = as the engine chooses")
    add("--picture", type=Path, help="a picture of your own (default: a drawn one, 1024 × 768)")
    add("--document-tokens", type=int, default=1500)
    add("--text-model", type=Path, help="for the document (default: the starter model)")
    add("--folder", type=Path, default=DEFAULT_FOLDER, help="where the random models are")
    arguments = parser.parse_args()
    if arguments.files:
        arguments.model = [arguments.files[0].stem]
    return arguments


def main() -> None:
    arguments = parse_arguments(__doc__, default_rounds=5)
    report = {}
    for name in arguments.model:
        subject = subject_of(name, arguments)
        results = measure(subject, arguments.rounds, arguments.threads)
        report[name] = {"model": subject.model_path.name, **summary(results)}
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        print_table(report)


if __name__ == "__main__":
    main()
