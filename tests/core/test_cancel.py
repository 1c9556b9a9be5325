# SPDX-License-Identifier: Apache-2.0
"""A stop reaches everyone, wherever it comes from."""

from __future__ import annotations

import signal
import threading

import pytest

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled


def test_callbacks_run_once_and_late_ones_at_once():
    token, calls = CancelToken(), []
    token.on_cancel(lambda: calls.append("early"))
    forget = token.on_cancel(lambda: calls.append("forgotten"))
    forget()
    forget()
    token.cancel()
    token.cancel()
    token.on_cancel(lambda: calls.append("late"))
    assert calls == ["early", "late"]
    with pytest.raises(Cancelled):
        token.raise_if_cancelled()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timer signals of Unix")
def test_a_signal_in_the_midst_of_any_step_neither_hangs_nor_is_lost():
    """The handler runs between two steps of this thread, wherever those happen to be."""
    token, missed = CancelToken(), 0

    def handler(_number, _frame):
        token.cancel()

    before = signal.signal(signal.SIGALRM, handler)
    guard = threading.Timer(60, lambda: signal.pthread_kill(main, signal.SIGINT))
    main = threading.main_thread().ident
    guard.start()
    try:
        for step in range(300):
            token, called = CancelToken(), []
            signal.setitimer(signal.ITIMER_REAL, 0.0002 + step % 10 * 0.00005)
            while not token.is_cancelled:
                called.clear()
                forget = token.on_cancel(lambda seen=called: seen.append(1))
                stopped_before_forgetting = token.is_cancelled
                forget()
                missed += stopped_before_forgetting and called != [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        guard.cancel()
        guard.join()
    assert missed == 0
