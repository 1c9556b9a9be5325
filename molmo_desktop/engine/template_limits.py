# SPDX-License-Identifier: Apache-2.0
"""Bounds for what a chat template may cost.

Jinja2's sandbox keeps a template away from the machine, but not from endless loops and from
texts of gigabytes. Here its run gets a few seconds and, on Linux, a bounded amount of memory.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar

from jinja2 import TemplateError

_T = TypeVar("_T")

_LIMIT_S = 3.0
_LIMIT_BYTES = 512 << 20
_TEMPLATE = "<template>"  # what jinja2 calls the file of a template that came as text


class TemplateCostError(TemplateError):
    """The template takes too much time or memory."""


class _TooSlow(BaseException):
    """Arrives in the middle of the template; no handler inside may swallow it."""


def within_limits(work: Callable[[], _T]) -> _T:
    """Run a part of a template.

    Raises:
        TemplateCostError: It took too much time or memory.
        TemplateError: It failed, however it did.
    """
    try:
        with _memory_limit(), _TimeLimit():
            return work()
    except _TooSlow:
        raise TemplateCostError("it takes too long") from None
    except MemoryError:
        raise TemplateCostError("it takes too much memory") from None
    except TemplateError:
        raise
    except Exception as error:  # a stranger's program may fail in any way
        raise TemplateError(f"{type(error).__name__}: {error}") from error


class _TimeLimit:
    """Raises `_TooSlow` in the template's own lines.

    Tracing costs some microseconds a run, a thread that waits would cost hundreds.
    """

    def __enter__(self) -> None:
        self._give_up_at = time.monotonic() + _LIMIT_S
        self._before = sys.gettrace()
        sys.settrace(self._trace)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.settrace(self._before)

    def _trace(self, frame: FrameType, _event: str, _value: Any) -> Callable[..., Any] | None:
        if time.monotonic() > self._give_up_at:
            raise _TooSlow
        return self._trace if frame.f_code.co_filename == _TEMPLATE else None


@contextlib.contextmanager
def _memory_limit() -> Iterator[None]:
    """Let this process grow only a little; elsewhere than on Linux nothing is limited."""
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space_bytes() + _LIMIT_BYTES
    for known in (soft, hard):
        if known != resource.RLIM_INFINITY:
            limit = min(limit, known)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space_bytes() -> int:
    handle = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(handle, 64).split()[0]) * os.sysconf("SC_PAGE_SIZE")
    finally:
        os.close(handle)
