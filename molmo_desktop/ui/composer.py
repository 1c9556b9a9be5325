# SPDX-License-Identifier: Apache-2.0
"""Where the question is typed: the field, the buttons, and the stage of the work."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.assistant.requests import StageEvent
from molmo_desktop.ui.controls import ElidedLabel, IconButton, button, keep_place, set_property
from molmo_desktop.ui.dropped import image_from, paths_from
from molmo_desktop.ui.theme import GAP_PX, TIGHT_PX

_MIN_LINES = 2
_MAX_LINES = 8
_HINT = "Enter asks · Shift+Enter new line"


class QuestionEdit(QPlainTextEdit):
    """A text field that grows with the question, sends with Enter, and takes pasted files.

    Attributes:
        submitted: Enter was pressed.
        files_pasted: Carries a list of paths.
        image_pasted: Carries a `QImage`.
        focus_changed: Whether the field has the focus now.
    """

    submitted = Signal()
    files_pasted = Signal(object)
    image_pasted = Signal(object)
    focus_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("questionEdit")
        self.setAccessibleName("Your question")
        self.setPlaceholderText("Ask about your files, or just ask")
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # the whole window takes drops
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(2)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send with Enter; Shift+Enter stays a new line."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if enter and not shift:
            self.submitted.emit()
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Whether something can be pasted."""
        return source.hasImage() or source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text as text, files and pictures as attachments."""
        if paths := paths_from(source):
            self.files_pasted.emit(paths)
        elif (image := image_from(source)) is not None:
            self.image_pasted.emit(image)
        else:
            super().insertFromMimeData(source)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame around the field."""
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame around the field."""
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def _fit(self) -> None:
        lines = max(_MIN_LINES, min(_MAX_LINES, round(self.document().size().height())))
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 6)


class Composer(QFrame):
    """The frame with the field, and under it the buttons and what is being done.

    Attributes:
        ask_wanted: Carries the question.
        stop_wanted, attach_wanted, capture_wanted: The buttons.
        files_pasted: Carries a list of paths.
        image_pasted: Carries a `QImage`.
        text_changed: The draft is another one.
    """

    ask_wanted = Signal(str)
    stop_wanted = Signal()
    attach_wanted = Signal()
    capture_wanted = Signal()
    files_pasted = Signal(object)
    image_pasted = Signal(object)
    text_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "composer")
        self._busy = False
        self.edit = QuestionEdit()
        self.attach_button = IconButton(
            "attach", "Attach pictures or documents", shortcut="Ctrl+O", size_px=20
        )
        self.attach_button.setObjectName("attachButton")
        self.capture_button = IconButton(
            "capture", "Take a picture of the screen", shortcut="Ctrl+Shift+S", size_px=20
        )
        self.capture_button.setObjectName("captureButton")
        self.stage = ElidedLabel(_HINT, mode=Qt.TextElideMode.ElideRight)
        self.stage.setProperty("role", "caption")
        self.stage.setMinimumWidth(60)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(3)
        self.progress.setAccessibleName("Progress")
        self.stop_button = button("Stop", words="Stop the answer")
        self.stop_button.setObjectName("stopButton")
        self.stop_button.setToolTip("Stop the answer (Esc)")
        self.ask_button = button("Ask", "primary")
        self.ask_button.setObjectName("askButton")
        self.ask_button.setToolTip("Ask (Enter)")
        self._lay_out()
        self._connect()
        self.set_busy(False)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(self.attach_button)
        row.addWidget(self.capture_button)
        row.addWidget(self.stage, 1)
        row.addWidget(self.stop_button)
        row.addWidget(self.ask_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, GAP_PX, GAP_PX)
        layout.setSpacing(TIGHT_PX)
        layout.addWidget(self.edit)
        layout.addWidget(self.progress)
        layout.addLayout(row)
        keep_place(self.progress)
        keep_place(self.stop_button)

    def _connect(self) -> None:
        self.edit.submitted.connect(self._submit)
        self.ask_button.clicked.connect(self._submit)
        self.stop_button.clicked.connect(self.stop_wanted)
        self.attach_button.clicked.connect(self.attach_wanted)
        self.capture_button.clicked.connect(self.capture_wanted)
        self.edit.files_pasted.connect(self.files_pasted)
        self.edit.image_pasted.connect(self.image_pasted)
        self.edit.textChanged.connect(self._on_text_changed)
        self.edit.focus_changed.connect(lambda on: set_property(self, "active", on))

    @property
    def text(self) -> str:
        """What is typed."""
        return self.edit.toPlainText()

    def set_text(self, text: str) -> None:
        """Replace what is typed; the cursor goes to the end."""
        self.edit.setPlainText(text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)

    def set_busy(self, busy: bool) -> None:
        """Show that an answer is being written; a question typed meanwhile stays in the field."""
        self._busy = busy
        self.stop_button.setVisible(busy)
        self.stop_button.setEnabled(busy)
        self.progress.setVisible(False)
        self._show_hint()

    def set_stopping(self) -> None:
        """Show that the stop was asked for."""
        self.stop_button.setEnabled(False)
        self.progress.setVisible(False)
        self.stage.set_full_text("Stopping…")

    def show_stage(self, event: StageEvent) -> None:
        """Show what is being done, and how far it is where that is known."""
        self.stage.set_full_text(event.sentence() + "…")
        self.progress.setVisible(bool(event.total))
        if event.total:
            self.progress.setRange(0, event.total)
            self.progress.setValue(event.done)

    def _submit(self) -> None:
        if self.text.strip() and not self._busy:
            self.ask_wanted.emit(self.text.strip())

    def _on_text_changed(self) -> None:
        self._show_hint()
        self.text_changed.emit()

    def _show_hint(self) -> None:
        has_text = bool(self.text.strip())
        self.ask_button.setEnabled(has_text and not self._busy)
        if self._busy and has_text:
            self.ask_button.setToolTip("Can be asked when this answer is finished")
        else:
            self.ask_button.setToolTip("Ask (Enter)")
        if not self._busy:
            self.stage.set_full_text(_HINT)
