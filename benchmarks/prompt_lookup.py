# SPDX-License-Identifier: Apache-2.0
"""Does guessing from the document's own words pay, and is the answer the same?

Each question is answered with guesses and without, in turns; the ratio of the decoding times of
a pair says what guessing brings, and the tokens of both answers are compared one by one.

    python benchmarks/prompt_lookup.py [--rounds 3] [--json] [--model M.gguf]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from random_gguf.vocabulary import starter_model

from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest

SAMPLES = Path(__file__).parents[1] / "assets" / "samples"
QUESTIONS = {
    "short answers": (
        "What is the total due?",
        "When was it written?",
        "Who is it from?",
    ),
    "quotes": (
        "Copy the first ten lines of the document word for word.",
        "Quote the most important paragraph of the document word for word.",
    ),
    "summaries": (
        "Summarise the document in five sentences.",
        "Make a list of everything that the document says.",
    ),
    "free text": ("Forget the document. Tell a story about a boy and the sea.",),
}
_MOST_CHARACTERS = 3000


@dataclass
class Result:
    """Pairs of one kind of question.

    Attributes:
        ratios: Decoding time with guesses over the time without, one for each pair.
        guessed: Share of the tokens that were guessed right, one for each pair.
        different: Pairs whose answers are not the same.
    """

    ratios: list[float]
    guessed: list[float]
    different: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=Path, default=starter_model())
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--only", choices=QUESTIONS, nargs="*", default=list(QUESTIONS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    texts = read_samples()
    with tempfile.TemporaryDirectory() as folder:
        client = EngineClient(safe_settings_file=Path(folder) / "engine.json")
        client.load(
            LoadRequest("model", arguments.model, context_length=4096,
                        thread_count=arguments.threads)
        )  # fmt: skip
        results = {
            kind: measure(client, texts, questions, arguments.rounds)
            for kind, questions in QUESTIONS.items()
            if kind in arguments.only
        }
        client.close()
    if arguments.json:
        print(json.dumps({kind: vars(result) for kind, result in results.items()}))
        return
    print(f"{'':16}{'time ratio':>12}{'guessed':>10}{'pairs':>8}{'different':>11}")
    for kind, result in results.items():
        print(
            f"{kind:16}{statistics.median(result.ratios):12.3f}"
            f"{statistics.median(result.guessed):10.0%}{len(result.ratios):8}{result.different:11}"
        )


def read_samples() -> list[str]:
    """Return the beginning of each sample document's text."""
    reader = DocumentReader()
    try:
        documents = [reader.read(path) for path in sorted(SAMPLES.iterdir())]
    finally:
        reader.close()
    texts = ["\n".join(page.text for page in document.pages) for document in documents]
    return [text[:_MOST_CHARACTERS] for text in texts if text.strip()]


def measure(
    client: EngineClient, texts: list[str], questions: tuple[str, ...], rounds: int
) -> Result:
    """Answer each question about each text in pairs."""
    result = Result([], [])
    for text in texts:
        for question in questions:
            message = ChatMessage("user", f"Document:\n{text}\n\n{question}")
            request = GenerateRequest((message,), max_new_tokens=160)
            client.generate(replace(request, max_new_tokens=1))  # so that the text is read
            for number in range(rounds):
                pair = {}
                for guesses in (True, False) if number % 2 else (False, True):
                    pair[guesses] = client.generate(replace(request, guesses=guesses))
                count = len(pair[False].completion_ids)
                result.different += pair[True].completion_ids != pair[False].completion_ids
                if count > 4:
                    result.ratios.append((pair[True].decode_s or 0) / (pair[False].decode_s or 1))
                    result.guessed.append((pair[True].guessed_tokens or 0) / count)
    return result


if __name__ == "__main__":
    main()
