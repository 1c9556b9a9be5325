# SPDX-License-Identifier: Apache-2.0
"""The bars above the composer: what happened and what to do, never a stack of dialogs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from molmo_desktop.services.notifier import Message
from molmo_desktop.ui.controls import IconButton, IconLabel, button, label, set_property
from molmo_desktop.ui.theme import GAP_PX, TIGHT_PX

_UNDO_MS = 30_000
_ICONS = {
    "info": ("info", "Note", "information"),
    "warning": ("warning", "Warning", "warning"),
    "error": ("error", "Error", "error"),
}


class MessageBar(QFrame):
    """One message: a sentence, what to do, details folded away. The next one replaces it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.setProperty("role", "bar")
        self.setProperty("severity", "info")
        self.setAccessibleName("Message")
        self._action: Callable[[], None] | None = None
        self._icon = IconLabel("info", "Note", "information", 20)
        self._text = label(wrap=True)
        self._hint = label("", "caption", wrap=True)
        self._details = QLabel()
        self._details.setTextFormat(Qt.TextFormat.PlainText)
        self._details.setProperty("role", "caption")
        self._details.setWordWrap(True)
        self._details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action_button = button("", words="Act on the message")
        self.details_button = button("Details", "quiet")
        self.copy_button = button("Copy details", "quiet")
        self.close_button = IconButton("close", "Close the message", size_px=16)
        self._lay_out()
        self.close_button.clicked.connect(self.hide)
        self.details_button.clicked.connect(self._toggle_details)
        self.copy_button.clicked.connect(self._copy)
        self.action_button.clicked.connect(self._act)
        self.hide()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._text)
        words.addWidget(self._hint)
        words.addWidget(self._details)
        buttons = QHBoxLayout()
        buttons.setSpacing(TIGHT_PX)
        for item in (self.action_button, self.details_button, self.copy_button):
            buttons.addWidget(item)
        buttons.addStretch()
        self._buttons = QWidget()
        self._buttons.setLayout(buttons)
        buttons.setContentsMargins(0, 6, 0, 0)
        words.addWidget(self._buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, GAP_PX, 6, GAP_PX)
        layout.setSpacing(GAP_PX)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def text(self) -> str:
        """What the bar says, hint included; empty while it is hidden."""
        return "" if self.isHidden() else f"{self._text.text()} {self._hint.text()}".strip()

    def show_message(
        self,
        message: Message,
        action_text: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        """Show a message.

        Args:
            message: What to say.
            action_text: On the button that does something about it; empty = no button.
            action: What the button does.
        """
        set_property(self, "severity", message.severity)
        self._icon.show_icon(*_ICONS[message.severity])
        self._text.setText(message.text)
        self._hint.setText(message.hint)
        self._hint.setVisible(bool(message.hint))
        self._details.setText(message.detail)
        self._details.hide()
        self.copy_button.hide()
        self.details_button.setVisible(bool(message.detail))
        self._action = action
        self.action_button.setText(action_text)
        self.action_button.setAccessibleName(action_text or "Act on the message")
        self.action_button.setVisible(action is not None)
        self._buttons.setVisible(action is not None or bool(message.detail))
        self.setAccessibleDescription(f"{message.text} {message.hint}".strip())
        self.show()

    def _toggle_details(self) -> None:
        shown = self._details.isHidden()
        self._details.setVisible(shown)
        self.copy_button.setVisible(shown)
        self.details_button.setText("Hide details" if shown else "Details")

    def _copy(self) -> None:
        parts = (self._text.text(), self._hint.text(), self._details.text())
        QGuiApplication.clipboard().setText("\n".join(part for part in parts if part))

    def _act(self) -> None:
        self.hide()
        if self._action is not None:
            self._action()


class UndoBar(QFrame):
    """Says what was deleted and brings it back for a while."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("undoBar")
        self.setProperty("role", "bar")
        self.setAccessibleName("Undo")
        self._undo: Callable[[], None] | None = None
        self._text = label()
        self.undo_button = button("Undo")
        self.close_button = IconButton("close", "Close", size_px=16)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, TIGHT_PX, 6, TIGHT_PX)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.undo_button)
        layout.addWidget(self.close_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.undo_button.clicked.connect(self._on_undo)
        self.close_button.clicked.connect(self.hide)
        self.hide()

    def offer(self, sentence: str, undo: Callable[[], None]) -> None:
        """Say what was done, and how to take it back, for half a minute."""
        self._text.setText(sentence)
        self._undo = undo
        self.show()
        self._timer.start(_UNDO_MS)

    def _on_undo(self) -> None:
        self.hide()
        if self._undo is not None:
            self._undo()
