# SPDX-License-Identifier: Apache-2.0
"""Attachments become documents: read once, remembered by what is in the file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import DocumentError
from molmo_desktop.core.files import content_hash
from molmo_desktop.core.pages import Document, Page
from molmo_desktop.documents.detect import check_file
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.documents.recognised import pages_to_recognise
from molmo_desktop.retrieval.index import PassageIndex

_log = logging.getLogger(__name__)
# Between two batches others get their turn with the reader.
_BATCH_PAGES = 8
_POLL_S = 0.2
_RECOGNITION_ENDED = "Text recognition ended early; pages without text were left out."
PageProgress = Callable[[int, int | None], None]


class AttachmentReader:
    """Reads files through the reader process and keeps their text in the index."""

    def __init__(self, reader: DocumentReader, index: PassageIndex) -> None:
        self._reader = reader
        self._index = index
        # Documents whose remaining pages show no text; they are not looked at again.
        self._looked_at: set[str] = set()
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def read(
        self,
        path: Path,
        *,
        on_progress: PageProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Document:
        """Return the file as a document; a file that was read before comes from the index.

        Raises:
            DocumentError: The file cannot be read; says why and what to do.
            Cancelled: The user asked for it.
        """
        check_file(path)
        key = content_hash(path, cancel)
        with self._one_reads(key, cancel):
            document = self._read_once(path, key, on_progress, cancel)
        # Whether anyone needs the text of a picture depends on the model.
        if document.is_picture:
            return document
        return self.recognise(document, on_progress=on_progress, cancel=cancel)

    def _read_once(
        self,
        path: Path,
        key: str,
        on_progress: PageProgress | None,
        cancel: CancelToken | None,
    ) -> Document:
        known = self._index.document(key)
        # For plain texts the extension tells what the same bytes mean.
        if known is not None and known.path.suffix.lower() == path.suffix.lower():
            return replace(known, path=path)
        document = self._reader.read(path, on_progress=on_progress, cancel=cancel)
        self._index.add(document)
        return document

    @contextmanager
    def _one_reads(self, key: str, cancel: CancelToken | None) -> Iterator[None]:
        """Let one caller at a time read the same content; the next finds it in the index."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        while not lock.acquire(timeout=_POLL_S):
            if cancel is not None:
                cancel.raise_if_cancelled()
        try:
            yield
        finally:
            lock.release()

    def recognise(
        self,
        document: Document,
        *,
        on_progress: PageProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Document:
        """Return the document with the text of its pages that are mere pictures.

        What was recognised is kept, also when it was stopped half-way. Without a program that
        recognises text the document stays as it is.

        Raises:
            Cancelled: The user asked for it.
        """
        numbers = pages_to_recognise(document)
        if not numbers or document.content_hash in self._looked_at:
            return document
        done = 0

        def count(_page: Page) -> None:
            nonlocal done
            done += 1
            if on_progress is not None:
                on_progress(done, len(numbers))

        if on_progress is not None:
            on_progress(0, len(numbers))
        before = document
        try:
            for start in range(0, len(numbers), _BATCH_PAGES):
                batch = numbers[start : start + _BATCH_PAGES]
                document = self._reader.recognise(document, batch, on_page=count, cancel=cancel)
        except DocumentError as error:
            # The document itself can be read: its other pages are of use without these.
            _log.info("text recognition ended early: %s", error.kind)
            return replace(document, warnings=(*document.warnings, _RECOGNITION_ENDED))
        finally:
            if document is not before:
                self._index.add(document)
        self._looked_at.add(document.content_hash)
        return document
