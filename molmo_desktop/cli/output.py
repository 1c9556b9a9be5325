# SPDX-License-Identifier: Apache-2.0
"""How results, progress and errors are printed."""

from __future__ import annotations

import json
import sys
from typing import Any

from molmo_desktop.assistant.requests import (
    AskEvent,
    CoverageEvent,
    NoticeEvent,
    StageEvent,
    TextEvent,
)
from molmo_desktop.core.answer import Answer
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import MolmoDesktopError


def prepare_streams() -> None:
    """Print UTF-8 whatever the terminal says; a windowed program has no streams at all."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def print_json(value: dict[str, Any]) -> None:
    """Print one object on one line."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def print_error(error: MolmoDesktopError) -> None:
    """Print an error as a sentence, on standard error."""
    print(f"molmo-desktop: {error}", file=sys.stderr, flush=True)


class Progress:
    """Shows the stage on a terminal and streams the answer; quiet where nobody watches.

    Args:
        stream_text: Print the answer while it is written.
        cancel: Ends the work when nobody reads the output any more.
    """

    def __init__(self, *, stream_text: bool, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._stream_text = stream_text
        self._is_terminal = sys.stderr.isatty()
        self._stage_width = 0
        self._is_in_line = False

    def __call__(self, event: AskEvent) -> None:
        """Take one event of the assistant."""
        try:
            self._show(event)
        except BrokenPipeError:  # nobody reads any more: there is no point in going on
            self._cancel.cancel()

    def _show(self, event: AskEvent) -> None:
        if isinstance(event, StageEvent):
            self._show_stage(event.sentence() + " …" if event.stage != "writing" else "")
        elif isinstance(event, NoticeEvent):
            self._show_stage("")
            self.end_line()
            print(f"Note: {event.text}", file=sys.stderr, flush=True)
        elif isinstance(event, TextEvent) and self._stream_text:
            self._show_stage("")
            print(event.text, end="", flush=True)
            self._is_in_line = True
        elif isinstance(event, CoverageEvent):
            return

    def _show_stage(self, text: str) -> None:
        if not self._is_terminal or (not text and not self._stage_width):
            return
        print(f"\r{text:<{self._stage_width}}\r{text}", end="", file=sys.stderr, flush=True)
        self._stage_width = len(text)

    def end_line(self) -> None:
        """End the line of the answer, if one is begun."""
        if self._is_in_line:
            self._is_in_line = False
            print(flush=True)

    def finish(self) -> None:
        """Clear the stage line."""
        self._show_stage("")


def print_answer_details(answer: Answer) -> None:
    """Print where an answer stands, and on standard error what it cost."""
    if answer.evidence and not answer.evidence[0].cited:
        print("  Nearest passages:")
    for number, item in enumerate(answer.evidence, start=1):
        lead = f"[{number}]" if item.cited else "-"
        text = " ".join(item.text.split())
        print(f"  {lead} {item.file}, page {item.page}: {text}")
    print(f"  {cost_line(answer)}", file=sys.stderr, flush=True)


def cost_line(answer: Answer) -> str:
    """Return "0.9 s · 41 tok/s · 12 J estimated · read 1 of 1 page"; unknown parts are left out."""
    parts = []
    if answer.timings.first_token_s is not None:
        parts.append(f"first word after {answer.timings.first_token_s:.1f} s")
    if answer.timings.decode_tokens_per_s is not None:
        parts.append(f"{answer.timings.decode_tokens_per_s:.0f} tok/s")
    if answer.energy.energy_j is not None:
        parts.append(f"{answer.energy.energy_j:.1f} J {answer.energy.kind}")
    if sentence := answer.coverage.sentence():
        parts.append(sentence)
    return " · ".join([*parts, answer.model.name])
