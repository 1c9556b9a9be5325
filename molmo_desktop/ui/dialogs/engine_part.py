# SPDX-License-Identifier: Apache-2.0
"""With which settings the engine works here, why, and the button that tries the fast ones again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.services.storage_service import StorageService
from molmo_desktop.ui.controls import button, label
from molmo_desktop.ui.theme import GAP_PX

if TYPE_CHECKING:
    from molmo_desktop.assistant.engine_record import EngineRecord


class EnginePart(QWidget):
    """A line about the engine; the button is there only when there is something to forget."""

    def __init__(self, storage: StorageService) -> None:
        super().__init__()
        self._storage = storage
        self.words = label("", "caption", wrap=True)
        self.again_button = button("Try fast settings again")
        row = QHBoxLayout()
        row.addWidget(self.again_button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_PX)
        layout.addWidget(self.words)
        layout.addLayout(row)
        self.again_button.hide()
        self.again_button.clicked.connect(self._reset)

    def look(self) -> None:
        """Find out what holds, and show it."""
        self._storage.engine_record(self._show)

    def _show(self, record: EngineRecord) -> None:
        self.words.setText(record.sentence())
        self.again_button.setText(
            "Forget crashes" if record.safe is None else "Try fast settings again"
        )
        self.again_button.setAccessibleName(self.again_button.text())
        self.again_button.setAccessibleDescription(record.sentence())
        self.again_button.setVisible(not record.is_empty)
        self.again_button.setEnabled(True)

    def _reset(self) -> None:
        self.again_button.setEnabled(False)
        self._storage.reset_engine(self.look, self._on_failed)

    def _on_failed(self, error: MolmoDesktopError) -> None:
        self.words.setText(str(error))
        self.again_button.setEnabled(True)
