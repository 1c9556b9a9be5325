# SPDX-License-Identifier: Apache-2.0
"""One question, and one answer with everything under it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QGuiApplication, QMoveEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from molmo_desktop.core.answer import Evidence, Point
from molmo_desktop.services import answer_words
from molmo_desktop.store.records import MessageRecord
from molmo_desktop.ui.answer_text import AnswerText
from molmo_desktop.ui.controls import IconButton, button, follow_in_tab_order, frame, label
from molmo_desktop.ui.flow_layout import FlowLayout
from molmo_desktop.ui.theme import GAP_PX, TIGHT_PX

_COPIED_MS = 1500
_MAX_MARKS = 9


class QuestionView(QFrame):
    """What the user asked, and the files it was about where they are not the same as before.

    Attributes:
        moved: The view stands elsewhere; carries how many pixels further down.
    """

    moved = Signal(int)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.setProperty("role", "question")
        self.message_id: int | None = None  # in the store; None while it is new
        self._text = text
        words = QLabel(text)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        words.setAccessibleName(f"You asked: {text}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.addWidget(words)
        self.words = words

    def moveEvent(self, event: QMoveEvent) -> None:
        """Tell by how much."""
        super().moveEvent(event)
        self.moved.emit(event.pos().y() - event.oldPos().y())

    def focus_parts(self) -> list[QWidget]:
        """Return what can have the focus, in reading order."""
        return [self.words]

    def plain_text(self) -> str:
        """Return the question as one paragraph of the conversation."""
        return f"You: {self._text}"


class AnswerView(QWidget):
    """An answer while it is written and when it is done.

    Attributes:
        evidence_chosen: A mark was pressed; carries the number of the passage, from 0.
        again_wanted: The question is to be asked once more.
        moved: The view stands elsewhere; carries how many pixels further down.
    """

    moved = Signal(int)
    evidence_chosen = Signal(int)
    again_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.message_id: int | None = None
        self.answer: dict[str, Any] | None = None
        self.evidence: list[Evidence] = []
        self.points: list[Point] = []
        self._is_not_found = False
        self.text = AnswerText("Answer")
        self._note = frame("none")
        self._marks = QWidget()
        self._marks_layout = FlowLayout(self._marks, gap_px=6)
        self._marks.hide()
        self._problem = label("", "error", wrap=True)
        self._problem.hide()
        self._end = label("", "warning", wrap=True)
        self._end.hide()
        self._notices = label("", "caption", wrap=True)
        self._notices.hide()
        self.quiet_line = label("", "caption", wrap=True)
        self.copy_button = IconButton("copy", "Copy the answer", size_px=16)
        self.again_button = IconButton("again", "Ask again", shortcut="Ctrl+R", size_px=16)
        self._lay_out()
        self._reveal(False)
        self.copy_button.clicked.connect(self._copy)
        self.again_button.clicked.connect(self.again_wanted)
        self.set_running(True)

    def _lay_out(self) -> None:
        inner = QVBoxLayout(self._note)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self.text)
        self._note_layout = inner
        row = QHBoxLayout()
        row.setSpacing(TIGHT_PX)
        row.addWidget(self.quiet_line, 1)
        row.addWidget(self.copy_button)
        row.addWidget(self.again_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 0, 4, 0)
        layout.setSpacing(6)
        for widget in (self._note, self._problem, self._marks, self._end, self._notices):
            layout.addWidget(widget)
        layout.addLayout(row)

    def focus_parts(self) -> list[QWidget]:
        """Return what can have the focus while there are no marks, in reading order."""
        return [self.text, self.copy_button, self.again_button]

    def moveEvent(self, event: QMoveEvent) -> None:
        """Tell by how much."""
        super().moveEvent(event)
        self.moved.emit(event.pos().y() - event.oldPos().y())

    # --- while it is written ---------------------------------------------------------------

    def append_text(self, text: str) -> None:
        """Add a piece of the answer."""
        self.text.append_markdown(text)

    def set_running(self, running: bool) -> None:
        """Keep the actions away until there is something to act on."""
        self.copy_button.setEnabled(not running)
        self.again_button.setEnabled(not running)
        self._reveal(self.underMouse())

    # --- when it is done -------------------------------------------------------------------

    def show_end(
        self,
        status: str,
        answer: dict[str, Any] | None,
        *,
        text: str = "",
        error: dict[str, Any] | None = None,
    ) -> None:
        """Show how an answer ended.

        Args:
            status: As in the store: "finished", "cancelled", "failed" or "interrupted".
            answer: The ``ask --json`` object, None when there is none.
            text: What there is of the answer where there is no object.
            error: Message and hint, for an answer that failed.
        """
        self.answer = answer
        self.set_running(False)
        self.text.show_markdown(answer_words.shown_text(answer) if answer else text)
        self.text.setVisible(bool(self.text.markdown))
        self._say(self._end, answer_words.end_in_words(status, answer))
        if error is not None:
            self._say(self._problem, f"{error.get('message', '')} {error.get('hint', '')}".strip())
        if answer is None:
            return
        self.evidence = answer_words.evidence_of(answer)
        self.points = answer_words.points_of(answer)
        self._is_not_found = answer.get("found") is False
        if self._is_not_found:
            self._border_as_note()
        self._show_marks()
        self._say(self._notices, "\n".join(answer.get("notices") or ()))
        self.quiet_line.setText(answer_words.quiet_line(answer))

    def plain_text(self) -> str:
        """Return the answer and how it ended as one paragraph of the conversation."""
        parts = [self.text.markdown, self._problem.text(), self._end.text()]
        return "\n".join(part for part in parts if part)

    def _border_as_note(self) -> None:
        self._note.setProperty("role", "note")
        self._note.style().unpolish(self._note)
        self._note.style().polish(self._note)
        self._note_layout.setContentsMargins(12, GAP_PX, 12, TIGHT_PX)

    def _show_marks(self) -> None:
        marks = []
        for number, item in enumerate(self.evidence[:_MAX_MARKS]):
            if not (item.cited or self._is_not_found):
                continue
            place = f"{Path(item.file).name}, page {item.page}"
            mark = button(
                f"{number + 1}  {_shortened(place)}",
                "mark",
                words=f"Passage {number + 1}: {place}. Show it on the page.",
            )
            mark.setToolTip(f"{place}\n{item.text}"[:400])
            mark.clicked.connect(lambda _=False, index=number: self.evidence_chosen.emit(index))
            self._marks_layout.addWidget(mark)
            marks.append(mark)
        self._marks.setVisible(bool(marks))
        follow_in_tab_order(self.text, [*marks, self.copy_button, self.again_button])

    @staticmethod
    def _say(target: QLabel, text: str) -> None:
        target.setText(text)
        target.setVisible(bool(text))

    # --- actions ---------------------------------------------------------------------------

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the actions."""
        super().enterEvent(event)
        self._reveal(True)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the actions again; with the focus they stay."""
        super().leaveEvent(event)
        self._reveal(False)

    def _reveal(self, revealed: bool) -> None:
        for item in (self.copy_button, self.again_button):
            item.set_revealed(revealed and item.isEnabled())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.markdown)
        self.copy_button.set_icon_name("check")
        QTimer.singleShot(_COPIED_MS, self.copy_button, self._copied_was_seen)

    def _copied_was_seen(self) -> None:
        self.copy_button.set_icon_name("copy")


def plain_text_of(message: MessageRecord) -> str:
    """Return what the views' `plain_text` returns, without a view."""
    if message.role == "user":
        return f"You: {message.text}"
    answer, error = message.answer, message.error or {}
    parts = [
        answer_words.shown_text(answer) if answer else message.text,
        f"{error.get('message', '')} {error.get('hint', '')}".strip(),
        answer_words.end_in_words(message.status, answer),
    ]
    return "\n".join(part for part in parts if part)


def _shortened(text: str, limit: int = 36) -> str:
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half + 1 :]}"
