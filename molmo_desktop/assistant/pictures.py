# SPDX-License-Identifier: Apache-2.0
"""The pixels of the pictures that a conversation looks at."""

from __future__ import annotations

from collections import OrderedDict

from molmo_desktop.assistant.plan import Picture
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.pages import PageImage
from molmo_desktop.documents.reader import DocumentReader

_PAGE_PICTURE_PX = 1344  # long side of a page that is looked at; more costs tokens, not legibility
_KEPT_BYTES = 128_000_000


class PictureLoader:
    """Decodes pictures, and keeps the last ones: a follow-up question sends them again."""

    def __init__(self, reader: DocumentReader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, int], PageImage] = OrderedDict()

    def load(self, picture: Picture, cancel: CancelToken) -> PageImage:
        """Return the pixels of a picture or page.

        Raises:
            DocumentError: The file is gone or damaged.
            Cancelled: The user asked for it.
        """
        key = (picture.document.content_hash, picture.page_number)
        image = self._kept.get(key)
        if image is None:
            image = self._decode(picture, cancel)
            self._kept[key] = image
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(len(i.rgb) for i in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)
        return image

    def _decode(self, picture: Picture, cancel: CancelToken) -> PageImage:
        path, number = picture.document.path, picture.page_number
        if picture.document.is_picture:
            return self._reader.full_image(path, number, cancel=cancel)
        return self._reader.render(path, number, max_px=_PAGE_PICTURE_PX, cancel=cancel)
