# SPDX-License-Identifier: Apache-2.0
"""What the engine lets go of, and what it survives, without a model."""

from collections import OrderedDict

import numpy as np

from molmo_desktop.engine import vision
from molmo_desktop.engine.llama_model import LlamaModel
from molmo_desktop.engine.prefix_cache import PictureUnit
from molmo_desktop.engine.vision import VisionModel


def _with_pictures(count, *, encoded):
    """Return a model of vision that has prepared pictures, some of them encoded."""
    model = VisionModel.__new__(VisionModel)
    model._pictures, model._chunks = OrderedDict(), {}
    for number in range(count):
        unit = PictureUnit(f"{number}:0", 4, 4)
        embeddings = np.zeros((4, 8), np.float32) if encoded(number) else None
        chunk = vision._Chunk(unit, number, embeddings)
        model._pictures[str(number)] = vision._Picture((unit,), [chunk])
        model._chunks[unit.key] = chunk
    return model


def test_pictures_that_are_never_encoded_do_not_pile_up(monkeypatch):
    freed = []
    monkeypatch.setattr(vision.mtmd, "mtmd_input_chunk_free", freed.append)
    model = _with_pictures(40, encoded=lambda number: number % 2 == 0)
    model.trim()
    assert len(freed) == 20 - vision._MOST_WAITING
    assert freed[:3] == [1, 3, 5]
    assert len(model._chunks) == len(model._pictures) == 20 + vision._MOST_WAITING


def test_a_context_that_could_not_be_made_is_not_touched():
    model = LlamaModel.__new__(LlamaModel)
    model._context = 0
    model.watch_evaluation(None)
    assert not model._should_stop()
