# SPDX-License-Identifier: Apache-2.0
"""From the bytes of tokens to text that may be shown: whole characters, no stop string.

A token may end in the middle of a UTF-8 sequence, and a stop string may be spread over several
tokens. So some text is held back until the next token decides.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Collects an answer and says which new part of it is safe to show.

    Attributes:
        text: The answer so far without what is held back; after `finish` all of it.
        stopped: A stop string was met; it and all that followed are not part of `text`.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self.text = ""
        self.stopped = False
        self._stop = tuple(item for item in stop if item)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""

    def feed(self, piece: bytes) -> str:
        """Take the bytes of one more token and return the text that became certain."""
        return self._add(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back, now that no more tokens come.

        Half a character at the very end becomes U+FFFD.
        """
        shown = self._add(self._decoder.decode(b"", final=True))
        if not self.stopped:
            self.text += self._held
            shown += self._held
        self._held = ""
        return shown

    def _add(self, new: str) -> str:
        if self.stopped:
            return ""
        text = self._held + new
        found = [place for place in (text.find(item) for item in self._stop) if place >= 0]
        if found:
            self.stopped = True
            shown, self._held = text[: min(found)], ""
        else:
            keep = self._possible_stop_length(text)
            shown, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self.text += shown
        return shown

    def _possible_stop_length(self, text: str) -> int:
        """Return the length of the longest end of the text that may grow into a stop string."""
        longest = min(len(text), max((len(item) - 1 for item in self._stop), default=0))
        for length in range(longest, 0, -1):
            end = text[-length:]
            if any(item.startswith(end) for item in self._stop):
                return length
        return 0
