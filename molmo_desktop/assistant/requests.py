# SPDX-License-Identifier: Apache-2.0
"""What the assistant is asked, and what it reports while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from molmo_desktop.core.answer import Coverage

AskMode = Literal["auto", "whole", "retrieve", "picture"]
Stage = Literal["starting", "loading", "reading", "searching", "looking", "thinking", "writing"]


@dataclass(frozen=True)
class Turn:
    """A question and its answer earlier in the conversation."""

    question: str
    answer: str


@dataclass(frozen=True)
class AskOptions:
    """Options of one question; None = as the settings say.

    Attributes:
        pages: Only these pages of the attachments, counted from 1; empty = all.
        raw: The question and the pictures alone through the model's own template.
        cold: Use no stored state.
        dump_logits: Write the logits of the last prompt position to this .npz file.
        try_anyway: Do also what will probably fail, because the user knows and wants it.
    """

    model: str | None = None
    mmproj: Path | None = None
    context_length: int | None = None
    max_new_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    thread_count: int | None = None
    pages: tuple[int, ...] = ()
    mode: AskMode = "auto"
    cold: bool = False
    raw: bool = False
    dump_logits: Path | None = None
    try_anyway: bool = False


@dataclass(frozen=True)
class AskRequest:
    """One question about some files, within a conversation.

    Attributes:
        question: As the user typed it.
        files: Attachments in the order they were added.
        history: Earlier turns of the conversation, oldest first.
        conversation_key: Names the conversation, so that the engine may keep its state.
        is_private: The engine's state is not to be written to the disk.
    """

    question: str
    files: tuple[Path, ...] = ()
    history: tuple[Turn, ...] = ()
    options: AskOptions = field(default_factory=AskOptions)
    conversation_key: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class StageEvent:
    """The work entered a stage or moved on in it; ``total`` is None when unknown.

    ``note`` names what is worked on ("invoice.pdf"), empty when there is nothing to name.
    """

    stage: Stage
    done: int = 0
    total: int | None = None
    note: str = ""

    def sentence(self) -> str:
        """Return the stage in words: "Reading page 3 of 12 of report.pdf"."""
        words = {
            "starting": "Starting the engine",
            "loading": "Loading the model",
            "reading": "Reading",
            "searching": "Finding the right pages",
            "looking": "Looking at the picture",
            "thinking": "Thinking",
            "writing": "Writing",
        }[self.stage]
        if self.stage in ("loading", "thinking") and self.total:
            words += f" {min(100, round(100 * self.done / self.total))} %"
        elif self.stage == "reading" and self.total:
            words += f" page {max(1, self.done)} of {self.total}"
        elif self.stage == "looking" and self.total and self.total > 1:
            words = f"Looking at picture {max(1, self.done)} of {self.total}"
        if self.note:
            words += (
                f" of {self.note}" if self.stage == "reading" and self.total else f" {self.note}"
            )
        return words


@dataclass(frozen=True)
class TextEvent:
    """A piece of the answer, to be appended."""

    text: str


@dataclass(frozen=True)
class CoverageEvent:
    """What the model is about to read; comes before the first piece of text."""

    coverage: Coverage


@dataclass(frozen=True)
class NoticeEvent:
    """A sentence that the user should read now ("The engine was restarted with safe settings.")."""

    text: str


AskEvent = StageEvent | TextEvent | CoverageEvent | NoticeEvent
