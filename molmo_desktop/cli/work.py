# SPDX-License-Identifier: Apache-2.0
"""What every command that takes long needs: an assistant, and a polite end at Ctrl+C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.assistant.build import build_assistant
from molmo_desktop.core.cancel import CancelToken


@contextmanager
def open_assistant() -> Iterator[Assistant]:
    """Give an assistant, and end its processes afterwards."""
    assistant = build_assistant()
    try:
        yield assistant
    finally:
        assistant.close()


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[CancelToken]:
    """Turn the first Ctrl+C into a polite stop; the second one ends the program."""
    cancel = CancelToken()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if cancel.is_cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
