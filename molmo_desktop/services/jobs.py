# SPDX-License-Identifier: Apache-2.0
"""Blocking calls in threads, their results on the GUI thread.

Everything that reads a file or waits for a process goes through `Jobs`. Whatever a job returns
or raises reaches exactly one of its callbacks, in the thread that `Jobs` lives in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Signal

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import Cancelled, MolmoDesktopError

_logger = logging.getLogger(__name__)


class Job:
    """One call under way.

    Attributes:
        cancel_token: Asks the call to stop.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self.cancel_token = CancelToken()
        self._post = post
        self._on_progress: Callable[..., None] | None = None

    def cancel(self) -> None:
        """Ask the call to stop; it then ends with `Cancelled`."""
        self.cancel_token.cancel()

    def report(self, *values: Any) -> None:
        """Tell the progress callback how far the call is; may be used in any thread."""
        callback = self._on_progress
        if callback is not None and not self.cancel_token.is_cancelled:
            self._post(lambda: callback(*values))


class Jobs(QObject):
    """Runs jobs in a few threads.

    Args:
        thread_count: How many run at once; the others wait.
    """

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None, *, thread_count: int = 3) -> None:
        super().__init__(parent)
        self._executor = ThreadPoolExecutor(thread_count, thread_name_prefix="job")
        self._open: set[Job] = set()
        self._closed = False
        self._posted.connect(self._on_posted)

    def run(
        self,
        work: Callable[[Job], Any],
        *,
        on_done: Callable[[Any], None] | None = None,
        on_failed: Callable[[MolmoDesktopError], None] | None = None,
        on_progress: Callable[..., None] | None = None,
    ) -> Job:
        """Start a call.

        Args:
            work: Gets the job, for its cancel token and `Job.report`; runs in a thread.
            on_done: Gets what ``work`` returned.
            on_failed: Gets the error, `Cancelled` included. Without it an error is logged.
            on_progress: Gets what was given to `Job.report`.
        """
        job = Job(self._posted.emit)
        job._on_progress = on_progress
        if self._closed:
            return job
        self._open.add(job)
        self._executor.submit(self._work, job, work, on_done, on_failed)
        return job

    def close(self) -> None:
        """Cancel what runs, wait for it, and drop what has not been delivered."""
        self._closed = True
        for job in list(self._open):
            job.cancel()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._open.clear()

    def _work(
        self,
        job: Job,
        work: Callable[[Job], Any],
        on_done: Callable[[Any], None] | None,
        on_failed: Callable[[MolmoDesktopError], None] | None,
    ) -> None:
        try:
            job.cancel_token.raise_if_cancelled()
            result = work(job)
        except Exception as error:
            # The border of a thread: nothing may be lost here, whatever it is.
            known = as_known_error(error)
            self._posted.emit(lambda: self._end(job, lambda: _fail(known, on_failed)))
        else:
            self._posted.emit(lambda: self._end(job, lambda: on_done and on_done(result)))

    def _end(self, job: Job, deliver: Callable[[], object]) -> None:
        self._open.discard(job)
        deliver()

    def _on_posted(self, callback: Callable[[], None]) -> None:
        if not self._closed:
            callback()


def as_known_error(error: Exception) -> MolmoDesktopError:
    """Return the error as one with a sentence for the user; an unforeseen one is logged."""
    if isinstance(error, MolmoDesktopError):
        return error
    _logger.error("Unexpected error in a job", exc_info=error)
    return MolmoDesktopError(
        "Something went wrong inside the program.",
        hint="Try again; if it happens again, please report it with the details.",
        detail=f"{type(error).__name__}: {error}",
    )


def _fail(error: MolmoDesktopError, on_failed: Callable[[MolmoDesktopError], None] | None) -> None:
    if on_failed is not None:
        on_failed(error)
    elif not isinstance(error, Cancelled):
        _logger.warning("A job failed: %s", error.kind)
