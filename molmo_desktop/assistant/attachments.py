# SPDX-License-Identifier: Apache-2.0
"""Attachments become documents: read once, remembered by what is in the file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import DocumentError, DocumentNotFoundError, DocumentUnreadableError
from molmo_desktop.core.files import content_hash
from molmo_desktop.core.pages import Document, Page
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.documents.recognised import pages_to_recognise
from molmo_desktop.retrieval.index import PassageIndex

_log = logging.getLogger(__name__)
# Between two batches others get their turn with the reader.
_BATCH_PAGES = 8
PageProgress = Callable[[int, int | None], None]


class AttachmentReader:
    """Reads files through the reader process and keeps their text in the index."""

    def __init__(self, reader: DocumentReader, index: PassageIndex) -> None:
        self._reader = reader
        self._index = index
        # Documents whose remaining pages show no text; they are not looked at again.
        self._looked_at: set[str] = set()

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
        known = self._index.document(_hash_of(path))
        if known is not None:
            document = replace(known, path=path)
        else:
            document = self._reader.read(path, on_progress=on_progress, cancel=cancel)
            self._index.add(document)
        # Whether anyone needs the text of a picture depends on the model.
        if document.is_picture:
            return document
        return self.recognise(document, on_progress=on_progress, cancel=cancel)

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
        finally:
            if document is not before:
                self._index.add(document)
        self._looked_at.add(document.content_hash)
        return document


def _hash_of(path: Path) -> str:
    """Return the file's content hash, with a sentence for what is not a readable file."""
    if path.is_dir():
        raise DocumentNotFoundError(
            f"{path.name or path} is a folder.", hint="Choose one or more files instead."
        )
    try:
        return content_hash(path)
    except FileNotFoundError as error:
        raise DocumentNotFoundError(
            f"There is no file {path}.",
            hint="Check the name, or whether it was moved.",
            detail=str(error),
        ) from error
    except OSError as error:
        raise DocumentUnreadableError(
            f"{path.name} cannot be opened.",
            hint="Check that you may read this file and that its disk is connected.",
            detail=str(error),
        ) from error
