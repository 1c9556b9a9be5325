# SPDX-License-Identifier: Apache-2.0
"""What the store hands out: plain, frozen records.

Times are seconds since 1970, UTC. Unknown numbers are None.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

MessageRole = Literal["user", "assistant"]
MessageStatus = Literal["saved", "writing", "finished", "cancelled", "failed", "interrupted"]
FinalStatus = Literal["finished", "cancelled", "failed"]


@dataclass(frozen=True)
class ConversationSummary:
    """One line of the conversation list.

    Attributes:
        title: Empty until the first question.
        updated_at: When the last question was asked or the last answer ended.
        attachment_names: File names without folders, in the order they were added.
        is_private: The model's state after reading is not to be kept on disk; what was asked
            and answered is saved all the same.
    """

    id: int
    title: str
    created_at: float
    updated_at: float
    attachment_names: tuple[str, ...] = ()
    is_private: bool = False


@dataclass(frozen=True)
class AttachmentRecord:
    """A file that belongs to a conversation; the file itself stays where it is.

    Attributes:
        content_hash: SHA-256 of the file's bytes when it was attached, hex.
        page_count: None when it was not read yet.
    """

    id: int
    conversation_id: int
    path: Path
    content_hash: str
    format: str
    page_count: int | None
    is_picture: bool
    added_at: float

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.path.name


@dataclass(frozen=True)
class MessageRecord:
    """A question or an answer.

    Attributes:
        text: Of an answer that did not end: as much as was saved of it.
        status: "saved" for a question.
        attachments: Files that the question was about.
        question_id: Of an answer: the question it answers.
        model_name: Of an answer; empty when unknown.
        answer: The ``ask --json`` object, None while there is none or if it cannot be read.
        error: Kind, message and hint of what went wrong, None if nothing did.
    """

    id: int
    conversation_id: int
    role: MessageRole
    text: str
    status: MessageStatus
    created_at: float
    attachments: tuple[Path, ...] = ()
    question_id: int | None = None
    model_name: str = ""
    answer: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True)
class LedgerRecord:
    """What one answer cost; it outlives its conversation and holds none of its words.

    Attributes:
        answer_id: None once the conversation is gone.
        finished_at: When the answer ended.
        kind: "measured", "estimated" or "not available".
        source: Of the energy figure, such as "rapl".
        duration_s: From the question to the end of the answer.
    """

    id: int
    answer_id: int | None
    finished_at: float
    model_name: str
    status: str
    energy_j: float | None
    above_idle_j: float | None
    kind: str
    source: str
    carbon_g: float | None
    grid_g_per_kwh: float | None
    duration_s: float | None
    prompt_tokens: int | None
    cached_tokens: int | None
    image_tokens: int | None
    completion_tokens: int | None
