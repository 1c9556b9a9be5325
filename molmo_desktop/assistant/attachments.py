# SPDX-License-Identifier: Apache-2.0
"""Attachments become documents: read once, remembered by what is in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import DocumentNotFoundError, DocumentUnreadableError
from molmo_desktop.core.files import content_hash
from molmo_desktop.core.pages import Document
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.retrieval.index import PassageIndex

PageProgress = Callable[[int, int | None], None]


class AttachmentReader:
    """Reads files through the reader process and keeps their text in the index."""

    def __init__(self, reader: DocumentReader, index: PassageIndex) -> None:
        self._reader = reader
        self._index = index

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
            return replace(known, path=path)
        document = self._reader.read(path, on_progress=on_progress, cancel=cancel)
        self._index.add(document)
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
