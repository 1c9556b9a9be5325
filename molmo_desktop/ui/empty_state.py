# SPDX-License-Identifier: Apache-2.0
"""What a newcomer sees: one sentence, examples that work, the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from molmo_desktop.core.samples import Example
from molmo_desktop.ui.controls import (
    CardButton,
    ElidedLabel,
    IconLabel,
    centred,
    follow_in_tab_order,
    label,
)
from molmo_desktop.ui.model_picker import words_of
from molmo_desktop.ui.theme import GAP_PX, GROUP_PX

if TYPE_CHECKING:
    from molmo_desktop.models.installed import InstalledModel

_DROP = "Drop a picture or a document, then ask"
_ASK = "Now ask something about it"
_EXAMPLES_MAX = 3
_EXAMPLES_PX = 420


class EmptyState(QWidget):
    """Shown while a conversation has no question yet.

    Attributes:
        example_chosen: Carries the `Example`.
    """

    example_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = label(_DROP, "title", wrap=True)
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._try = label("or try one of these", "caption")
        self._try.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._model = label("", "caption", wrap=True)
        self._model.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._model.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._examples = QWidget()
        self._examples_layout = QVBoxLayout(self._examples)
        self._examples_layout.setContentsMargins(0, 0, 0, 0)
        self._examples_layout.setSpacing(GAP_PX)
        self._has_files = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GROUP_PX)
        layout.addStretch(2)
        layout.addWidget(IconLabel("drop", "", "accent", 40), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._title)
        layout.addWidget(self._try)
        layout.addLayout(centred(self._examples, _EXAMPLES_PX))
        layout.addWidget(self._model)
        layout.addStretch(3)

    @property
    def example_buttons(self) -> list[CardButton]:
        """The examples, from the top."""
        return self._examples.findChildren(CardButton)

    @property
    def model_words(self) -> str:
        """What is said about the model."""
        return self._model.text()

    def show_examples(self, examples: list[Example]) -> None:
        """Offer questions that work on the samples."""
        for example in examples[:_EXAMPLES_MAX]:
            item = CardButton("evidence")
            item.setAccessibleName(f"{example.question} Ask it about {example.file.name}")
            inner = QVBoxLayout(item)
            inner.setContentsMargins(14, 9, 14, 9)
            inner.setSpacing(1)
            inner.addWidget(ElidedLabel(example.question, mode=Qt.TextElideMode.ElideRight))
            about = ElidedLabel(example.file.name)
            about.setProperty("role", "caption")
            inner.addWidget(about)
            item.clicked.connect(lambda _=False, chosen=example: self.example_chosen.emit(chosen))
            self._examples_layout.addWidget(item)
        follow_in_tab_order(self, self.example_buttons)
        self._show()

    def show_model(self, model: InstalledModel | None, models_folder: str) -> None:
        """Name the model that will answer, or say how to get one."""
        if model is not None:
            self._model.setText(f"Answers with {model.name} · {words_of(model)}")
        else:
            self._model.setText(
                "There is no model on this computer yet.\n"
                f"Put a .gguf model file into {models_folder}, or run: "
                "molmo-desktop models import FILE.gguf"
            )

    def set_has_files(self, has_files: bool) -> None:
        """Say what comes next once files are attached."""
        self._has_files = has_files
        self._show()

    def _show(self) -> None:
        self._title.setText(_ASK if self._has_files else _DROP)
        offers = bool(self.example_buttons) and not self._has_files
        self._examples.setVisible(offers)
        self._try.setVisible(offers)
