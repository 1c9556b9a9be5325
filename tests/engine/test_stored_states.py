# SPDX-License-Identifier: Apache-2.0
"""Coming back to what was read: another conversation in between, or another process.

What is put back must give exactly what evaluating everything gives, for every kind of memory,
and what is wrong on the disk must never be used.
"""

import dataclasses
import os

import numpy as np
import pytest
import random_models as kinds
from conftest import TINY

from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.events import LoadRequest, StoredStates
from molmo_desktop.engine.stored_files import forget_all, forget_owner, stored_bytes, trim

TOLERANCE = 0.04  # of the standard deviation of the logits
BRIDGE = "The bridge was built of stone and wood. " * 10
BOAT = "A boat went down the river to the sea. " * 10

KINDS = {
    "plain": kinds.two_dimensional,
    "sliding window": kinds.sliding_window,
    "recurrent": kinds.recurrent,
    "hybrid": kinds.hybrid,
    "delta net": kinds.delta_net,
}
VISION_KINDS = {
    "two-dimensional": (kinds.two_dimensional, kinds.two_dimensional_projector),
    "seeing each other": (kinds.sliding_window, lambda: kinds.square_projector(16, 4)),
}


@pytest.fixture
def states(tmp_path):
    """Everything that is read is worth keeping."""
    return StoredStates(tmp_path / "states", 1 << 28, worth_s=0.0)


@pytest.fixture
def model(tmp_path, states):
    """Writes a model of a kind and returns the request to load it."""

    def write(make, make_projector=None):
        path = kinds.write(tmp_path / "model.gguf", *make(), TINY / "model.gguf")
        mmproj = make_projector and kinds.write(tmp_path / "mmproj.gguf", *make_projector(), None)
        return LoadRequest("model", path, mmproj, context_length=1024, stored_states=states)

    return write


@pytest.fixture
def restarted(make_client):
    """A new engine with the model, as after a restart of the program."""

    def start(request, old=None):
        if old is not None:
            old.close()
        client = make_client()
        client.load(request)
        return client

    return start


def assert_close(held, plain):
    assert plain.std() > 0.1
    np.testing.assert_allclose(held, plain, atol=TOLERANCE * plain.std())


def a_picture(seed=3):
    pixels = np.random.default_rng(seed).integers(0, 256, (168, 224, 3), np.uint8)
    return PageImage(224, 168, pixels.tobytes())


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_restart_only_the_new_turn_is_evaluated(restarted, model, logits, ask, kind):
    request = model(KINDS[kind])
    client = restarted(request)
    first = client.generate(ask(BRIDGE, max_new_tokens=5))
    follow_up = ask(BRIDGE, first.text, "And then?", max_new_tokens=5)
    client = restarted(request, client)
    held, answer = logits(client, follow_up)
    plain, cold = logits(client, dataclasses.replace(follow_up, cold=True))
    assert answer.cached_tokens >= first.prompt_tokens - 1
    assert cold.cached_tokens == 0
    assert_close(held, plain)
    assert answer.completion_ids == cold.completion_ids


@pytest.mark.parametrize("kind", KINDS)
def test_another_conversation_in_between_costs_nothing(restarted, model, logits, ask, kind):
    client = restarted(dataclasses.replace(model(KINDS[kind]), stored_states=None))
    first = client.generate(ask(BRIDGE, max_new_tokens=5))
    other = client.generate(ask(BOAT, max_new_tokens=5))
    held, back = logits(client, ask(BRIDGE, first.text, "And then?", max_new_tokens=5))
    assert back.cached_tokens >= first.prompt_tokens - 1
    held_other, again = logits(client, ask(BOAT, other.text, "Where to?", max_new_tokens=5))
    assert again.cached_tokens >= other.prompt_tokens - 1
    for question, text, found in (
        (BRIDGE, (first.text, "And then?"), held),
        (BOAT, (other.text, "Where to?"), held_other),
    ):
        plain, _ = logits(client, ask(question, *text, max_new_tokens=5, cold=True))
        assert_close(found, plain)


@pytest.mark.parametrize("kind", VISION_KINDS)
def test_a_picture_is_not_encoded_again_after_a_restart(restarted, model, logits, ask, kind):
    request = model(*VISION_KINDS[kind])
    image = a_picture()
    client = restarted(request)
    first = client.generate(ask(BRIDGE, images=(image,), max_new_tokens=3))
    client = restarted(request, client)
    again = ask(BRIDGE, first.text, "Why?", images=(image,), max_new_tokens=3)
    held, answer = logits(client, again)
    assert answer.encode_s == 0
    assert answer.cached_tokens >= first.prompt_tokens - 1
    plain, cold = logits(client, dataclasses.replace(again, cold=True))
    assert cold.encode_s > 0
    assert_close(held, plain)


def test_a_picture_in_a_new_conversation_is_not_encoded_again(restarted, model, logits, ask):
    request = model(*VISION_KINDS["two-dimensional"])
    image = a_picture()
    client = restarted(request)
    client.generate(ask("What is this?", images=(image,), max_new_tokens=3))
    client = restarted(request, client)
    other = ask("A wholly different beginning.", images=(image,), max_new_tokens=1)
    held, answer = logits(client, other)
    assert answer.encode_s == 0
    plain, cold = logits(client, dataclasses.replace(other, cold=True))
    assert cold.encode_s > 0
    assert_close(held, plain)
    assert client.generate(ask("And this?", images=(a_picture(4),))).encode_s > 0


def test_a_private_conversation_leaves_nothing_on_the_disk(restarted, model, states, ask):
    request = model(*VISION_KINDS["two-dimensional"])
    client = restarted(request)
    private = ask(BRIDGE, images=(a_picture(),), max_new_tokens=3, is_private=True, owner="one")
    client.generate(private)
    client.generate(ask(BOAT, max_new_tokens=3, is_private=True))
    client.unload()
    assert stored_bytes(states.folder) == 0
    again = client.generate(private)
    assert again.cached_tokens == 0
    client.generate(ask(BOAT, max_new_tokens=3))
    client.unload()
    assert stored_bytes(states.folder) > 0


def test_a_damaged_state_is_dropped_and_read_anew(restarted, model, states, ask):
    request = model(KINDS["plain"])
    client = restarted(request)
    first = client.generate(ask(BRIDGE, max_new_tokens=5))
    client.close()
    (file,) = states.folder.rglob("*.state")
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(data)
    client = restarted(request)
    again = client.generate(ask(BRIDGE, max_new_tokens=5))
    assert again.cached_tokens == 0
    assert again.completion_ids == first.completion_ids
    client.close()
    assert restarted(request).generate(ask(BRIDGE, max_new_tokens=5)).cached_tokens > 0


@pytest.mark.parametrize("length", [0, 5, 40, 2000])
def test_a_cut_state_is_dropped(restarted, model, states, ask, length):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BRIDGE, max_new_tokens=1))
    client.close()
    (file,) = states.folder.rglob("*.state")
    file.write_bytes(file.read_bytes()[:length])
    assert restarted(request).generate(ask(BRIDGE, max_new_tokens=1)).cached_tokens == 0


@pytest.mark.parametrize(
    "changed", [{"kv_cache_type": "q8_0"}, {"flash_attention": False}, {"image_max_tokens": 8}]
)
def test_other_settings_do_not_share_states(restarted, model, ask, changed):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BRIDGE, max_new_tokens=1))
    client = restarted(dataclasses.replace(request, **changed), client)
    assert client.generate(ask(BRIDGE, max_new_tokens=1)).cached_tokens == 0


def test_another_model_under_the_same_name_does_not_share_states(restarted, model, ask):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BRIDGE, max_new_tokens=1))
    client.close()
    data = bytearray(request.model_path.read_bytes())
    data[-3] ^= 1
    request.model_path.write_bytes(data)
    assert restarted(request).generate(ask(BRIDGE, max_new_tokens=1)).cached_tokens == 0


def test_what_was_not_used_for_longest_is_deleted_first(restarted, model, states, ask):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BOAT, max_new_tokens=1))
    client.close()
    limit = int(stored_bytes(states.folder) * 2.5)
    request = dataclasses.replace(
        request, stored_states=dataclasses.replace(states, limit_bytes=limit)
    )
    texts = [BOAT, BRIDGE, BOAT.replace("boat", "ship"), BOAT.replace("river", "road")]
    client = restarted(request)
    for text in texts:
        client.generate(ask(text, max_new_tokens=1))
    client.close()
    assert 0 < stored_bytes(states.folder) <= limit
    client = restarted(request)
    kept = [client.generate(ask(t, max_new_tokens=1)).cached_tokens for t in texts[2:]]
    assert min(kept) > 100


def test_a_conversation_can_be_forgotten(restarted, model, states, ask):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BRIDGE, max_new_tokens=1, owner="bridge"))
    client.generate(ask(BOAT, max_new_tokens=1, owner="boat"))
    client.close()
    forget_owner(states.folder, "bridge")
    client = restarted(request)
    boat = client.generate(ask(BOAT, max_new_tokens=1, owner="boat"))
    assert boat.cached_tokens == boat.prompt_tokens - 1
    bridge = client.generate(ask(BRIDGE, max_new_tokens=1, is_private=True))
    assert bridge.cached_tokens < 32
    client.close()
    forget_all(states.folder)
    assert stored_bytes(states.folder) == 0


def test_a_folder_that_cannot_be_written_costs_no_answer(restarted, model, states, ask):
    states.folder.write_text("not a folder")
    client = restarted(model(KINDS["plain"]))
    assert client.generate(ask(BRIDGE, max_new_tokens=5)).completion_ids
    assert client.generate(ask(BRIDGE, max_new_tokens=5)).cached_tokens > 0


@pytest.mark.parametrize("header", [b"{}", b'{"units": 3, "checkpoints": 4}', b"[1]", b"{"])
def test_a_file_that_makes_no_sense_is_passed_over(restarted, model, states, ask, header):
    request = model(KINDS["plain"])
    client = restarted(request)
    client.generate(ask(BRIDGE, max_new_tokens=1))
    client.close()
    (file,) = states.folder.rglob("*.state")
    start = file.read_bytes()[:24]
    file.write_bytes(start + len(header).to_bytes(4, "little") + header)
    answer = restarted(request).generate(ask(BRIDGE, max_new_tokens=1))
    assert answer.cached_tokens == 0
    assert answer.completion_ids


def test_a_lower_limit_deletes_what_was_not_used_for_longest(tmp_path):
    for number in range(4):
        path = tmp_path / "model" / f"{number}.state"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + number, 1000 + number))
    trim(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.rglob("*.state")) == ["2.state", "3.state"]
    trim(tmp_path, 0)
    assert stored_bytes(tmp_path) == 0
    trim(tmp_path / "missing", 0)
