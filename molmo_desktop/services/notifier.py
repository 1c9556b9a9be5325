# SPDX-License-Identifier: Apache-2.0
"""The one door through which a sentence reaches the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from molmo_desktop.core.errors import MolmoDesktopError

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Message:
    """What is shown in the bar above the composer.

    Attributes:
        text: What happened, one sentence.
        hint: What to do, one sentence; may be empty.
        detail: For a report, folded away; may be empty.
    """

    severity: Severity
    text: str
    hint: str = ""
    detail: str = ""


class Notifier(QObject):
    """Tells the window what to say; a new message takes the place of the old one.

    Attributes:
        message_given: Carries a `Message`.
        cleared: The last message no longer holds.
    """

    message_given = Signal(object)
    cleared = Signal()

    def info(self, text: str, hint: str = "", detail: str = "") -> None:
        """Say something good to know."""
        self.message_given.emit(Message("info", text, hint, detail))

    def warning(self, text: str, hint: str = "", detail: str = "") -> None:
        """Say what did not go as wished."""
        self.message_given.emit(Message("warning", text, hint, detail))

    def error(self, error: MolmoDesktopError) -> None:
        """Say what failed."""
        self.message_given.emit(Message("error", error.message, error.hint, error.detail))

    def clear(self) -> None:
        """Take the last message away."""
        self.cleared.emit()
