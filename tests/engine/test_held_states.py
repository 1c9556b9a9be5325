# SPDX-License-Identifier: Apache-2.0
"""Which states are put aside, and what gives way when there is not enough room for all of them."""

import os

import pytest

from molmo_desktop.engine import held_states
from molmo_desktop.engine.held_states import HeldStates
from molmo_desktop.engine.prefix_cache import HeldState, reach
from molmo_desktop.engine.stored_files import StoredFiles

STATE_BYTES = 100
TALKS = [tuple(range(number * 1000, number * 1000 + 200)) for number in range(4)]


class Context:
    """Stands for a context of llama.cpp: it counts how often it is copied."""

    def __init__(self):
        self.units = ()
        self.copies = 0

    def reach(self, wanted):
        return reach(self.units, None, wanted)

    def byte_count(self):
        return STATE_BYTES

    def save(self):
        self.copies += 1
        return HeldState(self.units, bytes(STATE_BYTES), None)

    def load(self, state):
        self.units = state.units
        return True


@pytest.fixture
def context():
    return Context()


def have(held, context, talk):
    """Go on with a conversation; return how many units of it were held."""
    held.bring(context, talk)
    found = context.reach(talk)
    context.units = talk
    return found


def test_the_state_that_is_wanted_does_not_make_room_for_another(context, monkeypatch):
    monkeypatch.setattr(held_states, "_MOST_MEMORY_BYTES", 2 * STATE_BYTES)
    held = HeldStates()
    for talk in TALKS[:3]:
        have(held, context, talk)
    assert have(held, context, TALKS[0]) == len(TALKS[0]) - 1
    assert have(held, context, TALKS[2]) == len(TALKS[2]) - 1
    assert have(held, context, TALKS[3]) == 0


def test_a_state_for_which_there_is_no_room_is_not_even_copied(context, monkeypatch):
    monkeypatch.setattr(held_states, "_MOST_MEMORY_BYTES", STATE_BYTES - 1)
    held = HeldStates()
    assert [have(held, context, talk) for talk in (*TALKS, TALKS[0])] == [0] * 5
    assert context.copies == 0


def test_a_state_that_is_too_large_for_the_disk_leaves_the_smaller_one_there(context, tmp_path):
    stored = StoredFiles(tmp_path, "model", limit_bytes=2000)
    held = HeldStates(stored)
    for end, size in ((100, STATE_BYTES), (200, 5000)):
        context.units = TALKS[0][:end]
        context.save = lambda size=size: HeldState(context.units, bytes(size), None)
        held.note(1.0, owner="one", is_private=False)
        held.store(context)
    (file,) = tmp_path.rglob("*.state")
    assert file.stat().st_size < 2000


def test_a_file_whose_length_is_wrong_is_not_used(tmp_path):
    stored = StoredFiles(tmp_path, "model", limit_bytes=2000)
    stored.write("one.picture", {"owner": "one"}, [os.urandom(100)])
    (file,) = tmp_path.rglob("*.picture")
    data = bytearray(file.read_bytes())
    data[24] ^= 1  # the length of the header
    file.write_bytes(data)
    assert stored.read("one.picture") is None
    assert not file.exists()
