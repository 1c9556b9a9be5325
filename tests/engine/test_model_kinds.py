# SPDX-License-Identifier: Apache-2.0
"""Reusing the held state is exact for every kind of memory.

Each kind is a tiny model with random weights (`random_models.py`). The logits of the last
prompt position must be the same with held state as without: after a follow-up, after an edited
turn, after a cancel in the middle, and with pictures asked about in changing order.
"""

import dataclasses
import itertools

import numpy as np
import pytest
import random_models as kinds
from conftest import TINY

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.events import LoadRequest, TokenEvent

TOLERANCE = (
    0.04  # of the standard deviation of the logits; a prompt cut elsewhere is rounded elsewhere
)
TEXTS = ["One two three.", "Tell me about the red bridge.", "And the blue one?", "Why?"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Writes a model of a kind and returns the request to load it."""
    folder = tmp_path_factory.mktemp("models")

    def write(name, model, projector=None):
        path = kinds.write(folder / f"{name}.gguf", *model, TINY / "model.gguf")
        mmproj = projector and kinds.write(folder / f"{name}.mmproj.gguf", *projector, None)
        return LoadRequest(name, path, mmproj, context_length=1024)

    return write


def assert_same(client, request, logits):
    """The request gives the same logits with what is held now as from nothing."""
    held, answer = logits(client, request)
    plain, cold = logits(client, dataclasses.replace(request, cold=True))
    assert cold.cached_tokens == 0
    assert plain.std() > 0.1
    np.testing.assert_allclose(held, plain, atol=TOLERANCE * plain.std())
    return answer


KINDS = {
    "sliding window": kinds.sliding_window,
    "recurrent": kinds.recurrent,
    "hybrid": kinds.hybrid,
    "delta net": kinds.delta_net,
    "two-dimensional": kinds.two_dimensional,
}


@pytest.mark.parametrize("kind", KINDS)
def test_text_conversations_are_exact(make_client, models, logits, ask, kind):
    client = make_client()
    client.load(models(kind, KINDS[kind]()))
    long_text = "The bridge was built of stone and wood. " * 8
    first = ask(long_text + TEXTS[0], max_new_tokens=40)
    client.generate(first)

    follow_up = ask(long_text + TEXTS[0], "Yes.", TEXTS[1], max_new_tokens=4)
    assert_same(client, follow_up, logits)

    client.generate(follow_up)
    edited = ask(long_text + TEXTS[0], "Yes.", TEXTS[2], max_new_tokens=4)
    assert_same(client, edited, logits)

    client.generate(edited)
    assert_same(client, ask(long_text[:100], max_new_tokens=1), logits)

    cancel = CancelToken()
    writing = ask(long_text, max_new_tokens=600, grammar='root ::= "a" root')
    stopped = client.generate(
        writing,
        on_event=lambda event: cancel.cancel() if isinstance(event, TokenEvent) else None,
        cancel=cancel,
    )
    assert stopped.finish_reason == "cancelled"
    assert_same(client, follow_up, logits)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cancel_in_the_middle_of_a_prompt_leaves_an_exact_state(
    make_client, models, logits, ask, kind
):
    client = make_client()
    client.load(models(kind, KINDS[kind]()))
    stopped = []
    for number in range(8):
        cancel = CancelToken()
        # Always another prompt: what the last one left must not spare this one its work.
        prompt = ask(f"{number} " + "The bridge was built of stone and wood. " * 45)
        progress = itertools.count()

        def stop(event, cancel=cancel, progress=progress, after=number % 4):
            if getattr(event, "stage", "") == "thinking" and next(progress) == after:
                cancel.cancel()

        answer = client.generate(prompt, on_event=stop, cancel=cancel)
        stopped.append(answer.finish_reason == "cancelled" and not answer.completion_ids)
        assert_same(client, dataclasses.replace(prompt, max_new_tokens=1), logits)
    assert any(stopped)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_new_is_evaluated(make_client, models, ask, kind):
    client = make_client()
    client.load(models(kind, KINDS[kind]()))
    question = "The bridge was built of stone and wood. " * 8
    first = client.generate(ask(question, max_new_tokens=8))
    again = client.generate(ask(question, max_new_tokens=8))
    assert again.cached_tokens == first.prompt_tokens - 1
    assert again.completion_ids == first.completion_ids
    follow_up = client.generate(ask(question, "red", TEXTS[1], max_new_tokens=1))
    assert follow_up.cached_tokens >= first.prompt_tokens - 1
    edited = client.generate(ask(question, "red", TEXTS[2], max_new_tokens=1))
    assert edited.cached_tokens >= first.prompt_tokens - 1


def pictures():
    """Four different pictures of different sizes."""
    draw = np.random.default_rng(3)
    for width, height in ((112, 112), (224, 112), (112, 168), (280, 280)):
        pixels = draw.integers(0, 256, (height, width, 3), np.uint8)
        yield PageImage(width, height, pixels.tobytes())


VISION_KINDS = {
    "two-dimensional": (kinds.two_dimensional, kinds.two_dimensional_projector),
    "seeing each other": (kinds.sliding_window, lambda: kinds.square_projector(16, 4)),
}


@pytest.mark.parametrize("kind", VISION_KINDS)
def test_pictures_in_changing_order_are_exact(make_client, models, logits, ask, kind):
    model, projector = (make() for make in VISION_KINDS[kind])
    client = make_client()
    client.load(models(f"{kind} pictures", model, projector))
    images = list(pictures())
    plain = [
        logits(client, ask(TEXTS[0], images=(image,), max_new_tokens=1, cold=True))[0]
        for image in images
    ]
    assert min(
        np.abs(a - b).max() / a.std() for a, b in itertools.combinations(plain, 2)
    ) > 5 * TOLERANCE  # fmt: skip
    for index in (0, 1, 2, 3, 1, 0, 3, 2, 0, 0):
        request = ask(TEXTS[0], images=(images[index],), max_new_tokens=3)
        held, _ = logits(client, request)
        np.testing.assert_allclose(held, plain[index], atol=TOLERANCE * plain[index].std())


@pytest.mark.parametrize("kind", VISION_KINDS)
def test_conversations_about_several_pictures_are_exact(make_client, models, logits, ask, kind):
    model, projector = (make() for make in VISION_KINDS[kind])
    client = make_client()
    client.load(models(f"{kind} pictures", model, projector))
    first, second, *_ = pictures()
    client.generate(ask(TEXTS[0], images=(first, second), max_new_tokens=20))
    follow_up = ask(TEXTS[0], "No.", TEXTS[1], images=(first, second), max_new_tokens=20)
    answer = assert_same(client, follow_up, logits)
    assert answer.cached_tokens > answer.image_tokens
    client.generate(follow_up)
    assert_same(client, ask(TEXTS[0], images=(second, first), max_new_tokens=2), logits)
    client.generate(follow_up)
    assert_same(client, ask(TEXTS[0], images=(first,), max_new_tokens=2), logits)


def test_two_dimensional_pictures_take_fewer_positions_than_tokens(make_client, models, ask):
    client = make_client()
    client.load(models("positions", kinds.two_dimensional(), kinds.two_dimensional_projector()))
    image = list(pictures())[3]
    answer = client.generate(ask(TEXTS[0], images=(image,), max_new_tokens=2))
    assert answer.image_tokens == (280 // 28) ** 2


def test_a_picture_larger_than_the_batch_is_evaluated_at_once(make_client, models, logits, ask):
    """Its tokens all see each other, and llama.cpp ends the process if they are split."""
    client = make_client()
    client.load(models("large", kinds.sliding_window(), kinds.square_projector(24, 1)))
    image = next(iter(pictures()))
    before = client.generate(ask(TEXTS[0], max_new_tokens=2))
    assert before.completion_ids
    answer = assert_same(client, ask(TEXTS[0], images=(image,), max_new_tokens=2), logits)
    assert answer.image_tokens == 24 * 24


def test_the_number_of_tokens_of_a_picture_can_be_bounded(make_client, models, ask):
    request = models("bounds", kinds.two_dimensional(), kinds.two_dimensional_projector())
    image = list(pictures())[3]
    counts = []
    for bounds in ({}, {"image_max_tokens": 36}, {"image_min_tokens": 400}):
        client = make_client()
        client.load(dataclasses.replace(request, **bounds))
        answer = client.generate(ask(TEXTS[0], images=(image,), max_new_tokens=1))
        counts.append(answer.image_tokens)
    own, few, many = counts
    assert few <= 36 < own < 400 <= many
