# SPDX-License-Identifier: Apache-2.0
from multiprocessing import Pipe

import pytest

from molmo_desktop.core.wire import (
    MalformedMessageError,
    WireLimits,
    receive_message,
    send_message,
)


def test_text_and_blobs_arrive_as_sent():
    left, right = Pipe()
    with left, right:
        send_message(left, {"text": "grün 漢 \ud800"}, [b"abc", b""])
        send_message(left, {"text": "plain"})
        assert receive_message(right) == ({"text": "grün 漢 \ud800"}, [b"abc", b""])
        assert receive_message(right) == ({"text": "plain"}, [])


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"5", b'{"__blobs__": "x"}', b"\xff", b"[" * 99999]
)
def test_what_is_no_message_is_refused(text):
    left, right = Pipe()
    with left, right:
        left.send_bytes(text)
        with pytest.raises(MalformedMessageError):
            receive_message(right)


@pytest.mark.parametrize(
    ("message", "blobs"),
    [({"text": "x" * 100}, []), ({}, [b"abc", b"abc"]), ({}, [b"abcde"])],
)
def test_what_is_larger_than_allowed_is_refused(message, blobs):
    left, right = Pipe()
    with left, right:
        send_message(left, message, blobs)
        with pytest.raises(MalformedMessageError):
            receive_message(right, WireLimits(head_bytes=50, blob_count=1, blob_bytes=4))


def test_a_broken_pipe_is_not_taken_for_a_bad_message():
    left, right = Pipe()
    with right:
        left.close()
        with pytest.raises(EOFError):
            receive_message(right, WireLimits(50, 1, 4))
