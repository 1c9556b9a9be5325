# SPDX-License-Identifier: Apache-2.0
"""One question on its way through the assistant."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from molmo_desktop.assistant.requests import AskEvent, AskRequest, NoticeEvent
from molmo_desktop.core.cancel import CancelToken

OnEvent = Callable[[AskEvent], None]


@dataclass
class Work:
    """What is known so far about a question, and whom to tell.

    Attributes:
        started_s: On the monotonic clock.
        first_token_s: From the start to the first piece of text, None before that.
        notices: Sentences that were told and go with the answer.
    """

    request: AskRequest
    on_event: OnEvent
    cancel: CancelToken
    started_s: float = field(default_factory=time.monotonic)
    load_s: float = 0.0
    read_s: float = 0.0
    retrieve_s: float = 0.0
    first_token_s: float | None = None
    notices: list[str] = field(default_factory=list)

    def emit(self, event: AskEvent) -> None:
        """Report progress."""
        self.on_event(event)

    def hear(self, event: AskEvent) -> None:
        """Report what a step below says; its notices go with the answer."""
        if isinstance(event, NoticeEvent):
            self.notice(event.text)
        else:
            self.emit(event)

    def notice(self, sentence: str) -> None:
        """Tell the user a sentence, once."""
        if sentence and sentence not in self.notices:
            self.notices.append(sentence)
            self.on_event(NoticeEvent(sentence))
