# SPDX-License-Identifier: Apache-2.0
from multiprocessing import Pipe

from molmo_desktop.core.wire import receive_message, send_message


def test_text_and_blobs_arrive_as_sent():
    left, right = Pipe()
    with left, right:
        send_message(left, {"text": "grün 漢 \ud800"}, [b"abc", b""])
        send_message(left, {"text": "plain"})
        assert receive_message(right) == ({"text": "grün 漢 \ud800"}, [b"abc", b""])
        assert receive_message(right) == ({"text": "plain"}, [])
