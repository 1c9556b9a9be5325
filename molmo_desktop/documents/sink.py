# SPDX-License-Identifier: Apache-2.0
"""Where a reader puts what it finds, page by page, and the limits of what it may put there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from molmo_desktop.core.pages import Origin, Page, WordBox
from molmo_desktop.documents import problems

MAX_PAGES = 20_000
MAX_TEXT_CHARS = 50_000_000
_BLANKS = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f", " "))


class Sink:
    """Takes the pages of one file in their order and numbers them.

    A subclass says in `_deliver` where they go. Keeps count, so that no file can make a text
    without end.

    Args:
        path: The file, for the sentence when it is too large.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.page_count = 0
        self._chars_left = MAX_TEXT_CHARS

    def expect(self, page_count: int) -> None:
        """Say how many pages will come, once it is known."""

    def beat(self) -> None:
        """Say that work goes on although no page is ready."""

    def warn(self, sentence: str) -> None:
        """Pass on a sentence for the user."""
        raise NotImplementedError

    def page(
        self,
        text: str,
        *,
        origin: Origin | None = None,
        width_pt: float = 0.0,
        height_pt: float = 0.0,
        words: Iterable[WordBox] = (),
        label: str = "",
    ) -> None:
        """Put the next page.

        Args:
            text: Its text; may be empty.
            origin: How the text was got; None = "text layer", or "none" without text.
            width_pt: Width of the upright page in points (pixels for a picture).
            height_pt: Likewise.
            words: Boxes, with offsets into ``text``.
            label: The page's own name.

        Raises:
            DocumentTooLargeError: More pages or text than a document may have.
        """
        self.page_count += 1
        self._chars_left -= len(text)
        if self.page_count > MAX_PAGES or self._chars_left < 0:
            raise problems.too_much_text(self.path)
        # One kind of blank: nobody searches for the others, and lengths stay as they are.
        text = text.translate(_BLANKS)
        if origin is None:
            origin = "text layer" if text.strip() else "none"
        self._deliver(Page(self.page_count, text, origin, width_pt, height_pt, tuple(words), label))

    def _deliver(self, page: Page) -> None:
        raise NotImplementedError
