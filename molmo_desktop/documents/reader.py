# SPDX-License-Identifier: Apache-2.0
"""Reads documents and pictures in other processes, within limits of time and memory.

Whatever a file does there (crash, hang, eat memory), here it is one `DocumentError` with a
sentence, and the next file is read by a new process. No Qt; every call blocks, so callers
use a thread of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import DocumentError, MolmoDesktopError, error_from_dict
from molmo_desktop.core.exit_codes import is_crash
from molmo_desktop.core.pages import Document, Page, PageImage
from molmo_desktop.core.wire import MalformedMessageError
from molmo_desktop.documents import problems
from molmo_desktop.documents.child import (
    Child,
    ChildGoneError,
    ChildGreedyError,
    ChildSilentError,
    Message,
)
from molmo_desktop.documents.detect import check_file
from molmo_desktop.documents.formats import format_info, is_picture_format
from molmo_desktop.documents.messages import unpack_image, unpack_page
from molmo_desktop.documents.ocr_engines import engine_name
from molmo_desktop.documents.quarantine import Quarantine
from molmo_desktop.documents.recognised import with_recognised

ProgressCallback = Callable[[int, int | None], None]

# One reads while the other draws pages for the viewer.
_MAX_CHILDREN = 2
_HARD_STOP_FACTOR = 10
_IDLE_S = 300.0
_SLOT_POLL_S = 0.1


class DocumentReader:
    """The one door through which files come in.

    Safe for threads: up to two calls run at once, further ones wait. Processes are started on
    the first call, kept warm, and end by themselves when nothing was asked for some minutes.

    Args:
        memory_limit_bytes: What one process may use.
        timeout_s: Longest time without progress, per file. A file is given up after ten times
            as long even if it goes on.
        quarantine_file: JSON file that remembers which contents crashed a reader; None = only
            as long as this object lives.
    """

    def __init__(
        self,
        *,
        memory_limit_bytes: int = 2 << 30,
        timeout_s: float = 120,
        quarantine_file: Path | None = None,
    ) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._timeout_s = timeout_s
        self._quarantine = Quarantine(quarantine_file)
        self._idle: list[Child] = []
        self._busy: dict[Child, CancelToken] = {}
        self._slots = threading.Semaphore(_MAX_CHILDREN)
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the readers that run now."""
        with self._lock:
            children = [*self._idle, *self._busy]
        return tuple(child.pid for child in children if child.pid is not None)

    def warm_up(self) -> None:
        """Start a process now, so that the first file need not wait for it; returns at once."""
        with self._lock:
            if not self._idle and not self._busy and not self._is_closed:
                self._idle.append(self._new_child())

    def read(
        self,
        path: Path,
        *,
        on_progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
        force: bool = False,
    ) -> Document:
        """Return everything that can be read in a file.

        Args:
            path: The file.
            on_progress: Called in this thread with pages done and pages in all (None while
                unknown), at the start and after each page.
            cancel: Ends the reading at once.
            force: Try it although it made a reader crash before.

        Raises:
            DocumentError: In one of its kinds, with a sentence for the user.
            Cancelled: The token was set.
        """
        collected = _Collected(on_progress)
        head, _ = self._ask("read", path, cancel, collected.take, force=force)
        try:
            return collected.document(path, head)
        except MalformedMessageError as error:
            raise self._crashed(path, "read", error) from error

    def recognise(
        self,
        document: Document,
        page_numbers: Sequence[int],
        *,
        on_page: Callable[[Page], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> Document:
        """Return the document with pages whose text was recognised in their picture.

        Args:
            document: A PDF or a picture that was read.
            page_numbers: The pages to look at; those that show no text stay as they are.
            on_page: Called in this thread with each page.
            cancel: Ends the recognition at once.

        Raises:
            DocumentError: In one of its kinds.
            Cancelled: The token was set.
        """
        found: dict[int, Page] = {}

        def take(head: dict[str, Any], blobs: list[bytes]) -> None:
            if head.get("kind") == "page":
                page = unpack_page(head, blobs)
                found[page.number] = page
                if on_page is not None:
                    on_page(page)

        if not page_numbers or engine_name() is None:
            return document
        self._ask("recognise", document.path, cancel, take, page_numbers=list(page_numbers))
        return with_recognised(document, found)

    def render(
        self,
        path: Path,
        page_number: int,
        *,
        max_px: int = 1600,
        cancel: CancelToken | None = None,
    ) -> PageImage:
        """Return a page of a PDF, or a frame of a picture, as pixels.

        Args:
            path: The file.
            page_number: Counts from 1.
            max_px: Longest side; a page is drawn at this size, a picture is never enlarged.
            cancel: Ends the drawing at once.

        Raises:
            UnsupportedFormatError: The format has no pages that could be drawn.
            UsageError: There is no such page.
            DocumentError: In one of its other kinds.
            Cancelled: The token was set.
        """
        return self._image("render", path, page_number, max_px, cancel)

    def full_image(
        self, path: Path, page_number: int = 1, *, cancel: CancelToken | None = None
    ) -> PageImage:
        """Return a picture at its own size, upright (a page of a PDF at 150 dpi).

        Raises:
            As `render`.
        """
        return self._image("full_image", path, page_number, None, cancel)

    def close(self) -> None:
        """End all reader processes; calls that are in flight fail."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for child in idle:
            child.end()
        for child in busy:
            child.kill()

    def _image(
        self,
        operation: str,
        path: Path,
        page_number: int,
        max_px: int | None,
        cancel: CancelToken | None,
    ) -> PageImage:
        head, blobs = self._ask(
            operation, path, cancel, _ignore, page_number=page_number, max_px=max_px
        )
        try:
            return unpack_image(head, blobs)
        except MalformedMessageError as error:
            raise self._crashed(path, operation, error) from error

    def _ask(
        self,
        operation: str,
        path: Path,
        cancel: CancelToken | None,
        on_message: Callable[[dict[str, Any], list[bytes]], None],
        *,
        force: bool = False,
        **arguments: Any,
    ) -> Message:
        """Return the last reply to one request; every failure becomes an error of the tree."""
        cancel = cancel or CancelToken()
        cancel.raise_if_cancelled()
        check_file(path)
        if not force and self._quarantine.holds(path, operation):
            raise problems.quarantined(path)
        request = {"operation": operation, "path": str(path.absolute()), **arguments}
        try:
            head, blobs = self._ask_a_child(request, cancel, on_message)
        except ChildSilentError as error:
            raise problems.too_slow(path, self._timeout_s) from error
        except ChildGreedyError as error:
            raise problems.needs_memory(path, self._memory_limit_bytes) from error
        except ChildGoneError as error:
            cancel.raise_if_cancelled()
            raise self._gone(path, operation, error) from error
        except MalformedMessageError as error:
            cancel.raise_if_cancelled()
            raise self._crashed(path, operation, error) from error
        if force:
            self._quarantine.remove(path, operation)
        if head.get("kind") == "error":
            raise _reported(head)
        return head, blobs

    def _gone(self, path: Path, operation: str, error: ChildGoneError) -> DocumentError:
        """Put the end of a reader into words; only a crash at work is held against the file."""
        if self._is_closed:
            return problems.closing(path)
        if error.has_begun and is_crash(error.exit_code):
            return self._crashed(path, operation, error)
        if error.has_begun:
            return problems.ended_outside(path, str(error))
        return problems.not_started(path, str(error))

    def _crashed(self, path: Path, operation: str, error: Exception) -> DocumentError:
        """Remember that the file made a reader crash, and return the sentence about it."""
        self._quarantine.add(path, operation)
        return problems.crashed(path, str(error))

    def _ask_a_child(
        self,
        request: dict[str, Any],
        cancel: CancelToken,
        on_message: Callable[[dict[str, Any], list[bytes]], None],
    ) -> Message:
        """Ask a warm child; a new one when that is gone before it took the request."""
        self._wait_for_slot(cancel)
        try:
            while True:
                child, is_new = self._take(cancel)
                forget = cancel.on_cancel(partial(self._kill, child, cancel))
                is_healthy = False
                try:
                    reply = child.ask(request, timeout_s=self._timeout_s, on_message=on_message)
                    is_healthy = not reply[0].get("is_worn_out")
                    return reply
                except ChildGoneError as error:
                    if error.has_begun or is_new:
                        raise
                    cancel.raise_if_cancelled()
                finally:
                    forget()
                    self._release(child, is_healthy)
        finally:
            self._slots.release()

    def _wait_for_slot(self, cancel: CancelToken) -> None:
        while not self._slots.acquire(timeout=_SLOT_POLL_S):
            cancel.raise_if_cancelled()

    def _take(self, cancel: CancelToken) -> tuple[Child, bool]:
        """Return a child for one call, and whether it was started for it.

        Raises:
            ChildGoneError: It cannot be started, or the reader was closed.
        """
        child = self._take_idle(cancel)
        if child is not None:
            return child, False
        child = self._new_child()
        with self._lock:
            if not self._is_closed:
                self._busy[child] = cancel
                return child, True
        child.end()
        raise ChildGoneError(False, None)

    def _take_idle(self, cancel: CancelToken) -> Child | None:
        """Return a child that waits for work, None if there is none."""
        while True:
            with self._lock:
                if self._is_closed:
                    raise ChildGoneError(False, None)
                if not self._idle:
                    return None
                child = self._idle.pop()
                if child.is_alive:
                    self._busy[child] = cancel
                    return child
            child.end()

    def _new_child(self) -> Child:
        return Child(
            memory_limit_bytes=self._memory_limit_bytes,
            hard_stop_s=self._timeout_s * _HARD_STOP_FACTOR,
            idle_s=_IDLE_S,
        )

    def _release(self, child: Child, is_healthy: bool) -> None:
        """Keep a child for the next call, or end it."""
        with self._lock:
            self._busy.pop(child, None)
            if is_healthy and not self._is_closed:
                self._idle.append(child)
                return
        child.end()

    def _kill(self, child: Child, cancel: CancelToken) -> None:
        """End the child of a cancelled call, unless it serves another call by now."""
        with self._lock:
            if self._busy.get(child) is cancel:
                child.kill()


class _Collected:
    """What has come in of one document."""

    def __init__(self, on_progress: ProgressCallback | None) -> None:
        self._on_progress = on_progress
        self._pages: list[Page] = []
        self._warnings: list[str] = []
        self._page_count: int | None = None

    def take(self, head: dict[str, Any], blobs: list[bytes]) -> None:
        """Take one message in.

        Raises:
            MalformedMessageError: It is not one that a healthy reader sends.
        """
        kind = head.get("kind")
        if kind == "page":
            self._pages.append(unpack_page(head, blobs))
        elif kind == "expect":
            self._page_count = _page_count(head)
        elif kind == "warning":
            self._warnings.append(_sentence(head))
        if self._on_progress is not None and kind in ("page", "expect"):
            self._on_progress(len(self._pages), self._page_count)

    def document(self, path: Path, head: dict[str, Any]) -> Document:
        """Return the whole, once the last reply is there.

        Raises:
            DocumentUnreadableError: There was not a single page.
            MalformedMessageError: It is not a reply that a healthy reader sends.
        """
        name, digest = head.get("format"), head.get("content_hash")
        if not isinstance(name, str) or not isinstance(digest, str):
            raise MalformedMessageError("done: no format or hash")
        try:
            title = format_info(name).title
        except KeyError as error:
            raise MalformedMessageError("done: unknown format") from error
        if not self._pages:
            raise problems.damaged(path, title, "no pages")
        return Document(
            path=path,
            format=name,
            content_hash=digest,
            pages=tuple(self._pages),
            is_picture=is_picture_format(name),
            warnings=tuple(self._warnings),
        )


def _page_count(head: dict[str, Any]) -> int:
    count = head.get("page_count")
    if not isinstance(count, int):
        raise MalformedMessageError("expect: no number")
    return count


def _sentence(head: dict[str, Any]) -> str:
    sentence = head.get("sentence")
    if not isinstance(sentence, str):
        raise MalformedMessageError("warning: no text")
    return sentence


def _reported(head: dict[str, Any]) -> MolmoDesktopError:
    """Return the error that the reader reports, whatever else it may say."""
    error = head.get("error")
    return error_from_dict(error if isinstance(error, dict) else {})


def _ignore(head: dict[str, Any], blobs: list[bytes]) -> None:
    """Drop a message that a drawing does not need."""
