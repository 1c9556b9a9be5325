# SPDX-License-Identifier: Apache-2.0
"""The line above a private conversation: what that means, and what it does not."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from molmo_desktop.ui.controls import IconLabel, label
from molmo_desktop.ui.theme import GAP_PX

PRIVATE_SENTENCE = (
    "Private: the model's memory of what it has read is not kept on disk for next time. "
    "Questions, answers and the texts of files are saved as always."
)


class PrivateLine(QWidget):
    """A lock and a sentence; hidden in conversations that are not private."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("privateLine")
        self.setAccessibleName("Private conversation")
        self.setAccessibleDescription(PRIVATE_SENTENCE)
        self.words = label(PRIVATE_SENTENCE, "caption", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_PX)
        row.addWidget(IconLabel("lock", "Private"), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)
        self.hide()
