# SPDX-License-Identifier: Apache-2.0
"""How soon does an answer begin after a restart, after another conversation, after an edit?

Each round asks a first question about a picture or a document from nothing, and then in turn:

* ``edit``: the same with another question, as after editing or asking again;
* ``switch``: a follow-up after another conversation was answered in between;
* ``restart``: a follow-up in a new engine process that goes on from the stored state;
* ``elsewhere``: the picture in a new conversation in a new process, where only its encoding
  is stored.

Counted is the time from the question to the first piece of the answer; the model is loaded
already. Ratios to the first question are medians over the rounds' own pairs.

    python benchmarks/coming_back.py [--rounds 3] [--model SmolVLM-256M …] [--json]
"""

from __future__ import annotations

import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from contenders import CONTEXT_LENGTH
from second_question import ANSWER, Subject, ask_engine, parse_arguments, say, subject_of

from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest, StoredStates
from molmo_desktop.engine.stored_files import stored_bytes

LARGEST_SHARE_OF_FIRST = 0.2
_WAYS = ("edit", "switch", "restart", "elsewhere")


class Engines:
    """Starts engines that share stored states."""

    def __init__(self, subject: Subject, folder: Path, thread_count: int) -> None:
        self.states = StoredStates(folder / "states", 1 << 32)
        self._folder = folder
        self._request = LoadRequest(
            subject.model_path.stem,
            subject.model_path,
            subject.projector_path,
            context_length=CONTEXT_LENGTH,
            thread_count=thread_count,
            stored_states=self.states,
        )

    def start(self) -> EngineClient:
        """Return a new engine that has read its weights."""
        client = EngineClient(safe_settings_file=self._folder / "engine.json")
        client.load(self._request)
        hello = GenerateRequest((ChatMessage("user", "Hello"),), max_new_tokens=1)
        client.generate(replace(hello, is_private=True))
        return client


def one_round(subject: Subject, thread_count: int) -> dict[str, float]:
    """Return seconds to the first piece of each answer, and the megabytes stored."""
    first, second = subject.turns()
    edited = [first[0].replace("What is this about?", "What does it show?")]
    other = ["Tell me about rivers and bridges. " * 20]
    elsewhere = ["Look at this first. " + first[0]]
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        engines = Engines(subject, Path(folder), thread_count)
        client = engines.start()
        seconds["first"], *_ = ask_engine(client, subject, first)
        seconds["edit"], *_ = ask_engine(client, subject, edited)
        ask_engine(client, replace(subject, picture=None), other)
        seconds["switch"], *_ = ask_engine(client, subject, second)
        client.close()
        client = engines.start()
        seconds["restart"], *_ = ask_engine(client, subject, [*first, ANSWER, "And when?"])
        client.close()
        if subject.picture is not None:
            client = engines.start()
            seconds["elsewhere"], *_ = ask_engine(client, subject, elsewhere)
            client.close()
        seconds["stored_mb"] = stored_bytes(engines.states.folder) / 1e6
    return seconds


def summary(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return medians: of the first question's time, and of the ratios to it."""
    figures = {"first_s": statistics.median(item["first"] for item in rounds)}
    for way in _WAYS:
        if way in rounds[0]:
            figures[way] = statistics.median(item[way] / item["first"] for item in rounds)
    return {**figures, "stored_mb": rounds[-1]["stored_mb"]}


def main() -> None:
    arguments = parse_arguments(__doc__, default_rounds=3)
    report = {}
    for name in arguments.model:
        subject = subject_of(name, arguments)
        rounds = []
        for number in range(arguments.rounds):
            say(f"{name}: round {number + 1} of {arguments.rounds}")
            rounds.append(one_round(subject, arguments.threads))
        report[name] = summary(rounds)
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{'':20}{'first':>9}" + "".join(f"{way:>11}" for way in _WAYS) + f"{'stored':>11}")
    for name, figures in report.items():
        ratios = "".join(f"{figures[w]:11.4f}" if w in figures else f"{'':>11}" for w in _WAYS)
        print(f"{name:20}{figures['first_s']:7.2f} s{ratios}{figures['stored_mb']:8.0f} MB")
    print(f"ratios to the first; wanted after a restart: ≤ {LARGEST_SHARE_OF_FIRST}")


if __name__ == "__main__":
    main()
