# SPDX-License-Identifier: Apache-2.0
"""What goes over the pipe comes out the same."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from molmo_desktop.core.answer import ModelInfo
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine import wire_format
from molmo_desktop.engine.events import (
    ChatMessage,
    EngineNoticeEvent,
    GenerateRequest,
    Generation,
    LoadedModel,
    LoadRequest,
    ProgressEvent,
    TokenEvent,
)


def through_json(data):
    return json.loads(json.dumps(data))


def test_load_requests_survive():
    for mmproj in (None, Path("p.gguf")):
        request = LoadRequest("name", Path("m.gguf"), mmproj, 100, 2, 64, 16)
        assert wire_format.decode_load(through_json(wire_format.encode_load(request))) == request


def test_questions_survive_with_their_pixels():
    request = GenerateRequest(
        messages=(ChatMessage("system", "s"), ChatMessage("user", "Größe? 🙂", (0, 1))),
        images=(PageImage(2, 1, b"abcdef", 0.5), PageImage(1, 1, b"xyz")),
        max_new_tokens=7,
        temperature=0.5,
        seed=3,
        stop=("a", "b"),
        cold=True,
        dump_logits=Path("x.npz"),
        grammar='root ::= "yes"',
        breaks_loops=True,
    )
    data, blobs = wire_format.encode_generate(request)
    assert wire_format.decode_generate(through_json(data), blobs) == request


def test_a_missing_picture_is_noticed():
    request = GenerateRequest((), (PageImage(1, 1, b"xyz"),))
    data, _ = wire_format.encode_generate(request)
    with pytest.raises(ValueError):
        wire_format.decode_generate(through_json(data), [])


@pytest.mark.parametrize(
    "event",
    [ProgressEvent("looking", 1, 2), TokenEvent("ab"), EngineNoticeEvent("Restarted.")],
)
def test_events_survive(event):
    assert wire_format.decode_event(through_json(wire_format.encode_event(event))) == event


def test_results_survive():
    info = ModelInfo("n", "p", 1, "Q4_1", 100)
    loaded = LoadedModel(info, weights_bytes=1, kv_cache_bytes=2)
    assert wire_format.decode_loaded(through_json(asdict(loaded))) == loaded
    generation = Generation("t", "stop", 1, 2, 3, (4, 5), 0.1, 0.2, None, 0.3, None)
    assert wire_format.decode_generation(through_json(asdict(generation))) == generation
