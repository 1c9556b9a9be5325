# SPDX-License-Identifier: Apache-2.0
"""The real tiny vision-language model looks at real pictures through the real engine process."""

import dataclasses
import itertools

import numpy as np
import pytest

from molmo_desktop.core.errors import DocumentUnreadableError
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, ProgressEvent

PICTURE_TOKENS = 64  # (112 / 14) squared
NAMES = [f"{task}_{number}" for task in ("colour", "shape") for number in range(1, 6)]


def test_the_model_is_known_to_see(tiny_client):
    loaded = tiny_client.loaded
    assert loaded.info.has_vision
    assert loaded.projector_bytes > 0
    assert loaded.info.mmproj_path.endswith("mmproj.gguf")


@pytest.mark.parametrize("name", NAMES)
def test_colours_and_shapes_are_seen(tiny_client, ask, picture, expected, name):
    entry = expected[name]
    request = ask(entry["question"], images=(picture(name),), max_new_tokens=16)
    assert tiny_client.generate(request).text == entry["answer"]


def test_pictures_are_announced_and_counted(tiny_client, ask, picture):
    events = []
    request = ask("What colour is the shape?", images=(picture("side_1"),), cold=True)
    answer = tiny_client.generate(request, on_event=events.append)
    stages = [event.stage for event in events if isinstance(event, ProgressEvent)]
    assert stages[0] == "looking"
    assert "thinking" in stages[1:]
    assert ProgressEvent("looking", 1, 1) in events
    assert answer.image_tokens == PICTURE_TOKENS
    assert answer.encode_s > 0


def test_a_second_question_about_a_picture_encodes_nothing(tiny_client, ask, picture, expected):
    image = picture("shape_of_1")
    first_question = "What colour is the shape?"
    first = tiny_client.generate(ask(first_question, images=(image,), cold=True))
    assert first.cached_tokens == 0
    events = []
    second = tiny_client.generate(
        ask(first_question, first.text, "How many shapes are there?", images=(image,)),
        on_event=events.append,
    )
    assert second.encode_s == 0
    assert second.cached_tokens >= first.prompt_tokens > PICTURE_TOKENS
    assert not [e for e in events if isinstance(e, ProgressEvent) and e.stage == "looking"]


def test_two_turns_about_one_picture_are_both_right(tiny_client, ask, picture, expected):
    right = 0
    for name in NAMES[:5]:
        image = picture(name)
        colour = tiny_client.generate(ask("What colour is the shape?", images=(image,)))
        again = tiny_client.generate(
            ask("What colour is the shape?", colour.text, "What colour is the shape?",
                images=(image,))
        )  # fmt: skip
        assert colour.text == expected[name]["answer"]
        right += again.text == expected[name]["answer"]
    assert right >= 4


def test_changing_pictures_never_answer_about_an_older_one(tiny_client, ask, picture, expected):
    names = NAMES[:4]
    order = [name for both in itertools.permutations(names, 2) for name in both]
    for name in order:
        request = ask("What colour is the shape?", images=(picture(name),), max_new_tokens=8)
        assert tiny_client.generate(request).text == expected[name]["answer"]


def test_coming_back_to_a_picture_does_not_encode_it_again(tiny_client, ask, picture):
    first, other = picture("where_1"), picture("where_2")
    tiny_client.generate(ask("What is this?", images=(first,), max_new_tokens=2, cold=True))
    tiny_client.generate(ask("What is this?", images=(other,), max_new_tokens=2))
    back = tiny_client.generate(ask("What is this?", images=(first,), max_new_tokens=2))
    assert back.encode_s == 0


def test_two_pictures_of_one_question_are_both_encoded(tiny_client, ask, picture):
    events = []
    images = (picture("two_images_1_0"), picture("two_images_1_1"))
    answer = tiny_client.generate(
        ask("What colour is the shape in the first image?", images=images, cold=True),
        on_event=events.append,
    )
    assert answer.image_tokens == 2 * PICTURE_TOKENS
    looking = [e for e in events if isinstance(e, ProgressEvent) and e.stage == "looking"]
    assert looking == [ProgressEvent("looking", 1, 2), ProgressEvent("looking", 2, 2)]


def test_the_same_picture_twice_is_encoded_once(tiny_client, ask, picture):
    events = []
    image = picture("point_1")
    tiny_client.generate(
        ask("Same?", images=(image, image), max_new_tokens=2, cold=True), on_event=events.append
    )
    assert ProgressEvent("looking", 1, 1) in events


def test_a_picture_in_a_later_turn_is_seen(tiny_client, picture, expected):
    name = NAMES[2]
    messages = (
        ChatMessage("user", "What colour is the shape?"),
        ChatMessage("assistant", "There is no image."),
        ChatMessage("user", "What colour is the shape?", (0,)),
    )
    answer = tiny_client.generate(GenerateRequest(messages, (picture(name),), max_new_tokens=8))
    assert answer.text == expected[name]["answer"]


def test_without_a_picture_the_model_says_so(tiny_client, ask):
    answer = tiny_client.generate(ask("What colour is the shape?", max_new_tokens=16))
    assert answer.text == "There is no image."


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (2000, 3), (640, 480)])
def test_pictures_of_any_size_are_taken(tiny_client, ask, size):
    width, height = size
    image = PageImage(width, height, b"\x80" * (width * height * 3))
    answer = tiny_client.generate(ask("What colour is the shape?", images=(image,)))
    assert answer.image_tokens == PICTURE_TOKENS


@pytest.mark.parametrize("image", [PageImage(0, 0, b""), PageImage(4, 4, b"short")])
def test_a_picture_without_its_pixels_is_refused(tiny_client, ask, image):
    with pytest.raises(DocumentUnreadableError):
        tiny_client.generate(ask("What is this?", images=(image,)))


def test_logits_with_a_held_picture_equal_those_without(tiny_client, ask, picture, tmp_path):
    image, other = picture("describe_1"), picture("describe_2")
    turns = ("What colour is the shape?", "red", "How many shapes are there?")

    def logits(name, request):
        path = tmp_path / f"{name}.npz"
        answer = tiny_client.generate(dataclasses.replace(request, dump_logits=path))
        with np.load(path) as dump:
            return dump["final_logits"], dump["input_ids"], answer

    request = ask(*turns, images=(image,), max_new_tokens=1)
    plain, ids, _ = logits("plain", dataclasses.replace(request, cold=True))
    assert list(ids).count(-1) == PICTURE_TOKENS
    tiny_client.generate(ask(turns[0], images=(other,), max_new_tokens=4))
    tiny_client.generate(ask(turns[0], images=(image,), max_new_tokens=4))
    held, _, answer = logits("held", request)
    assert answer.cached_tokens > PICTURE_TOKENS
    np.testing.assert_allclose(held, plain, atol=0.02 * plain.std())
