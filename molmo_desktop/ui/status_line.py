# SPDX-License-Identifier: Apache-2.0
"""The line at the bottom of the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from molmo_desktop.ui.controls import ElidedLabel, IconLabel
from molmo_desktop.ui.theme import GAP_PX

_HEIGHT_PX = 28


class OfflineBadge(QWidget):
    """Says whether the program may use the network."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("offlineBadge")
        self._icon = IconLabel("offline", "", "ok", 16)
        self._words = ElidedLabel("Offline")
        self._words.setProperty("role", "caption")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._icon)
        layout.addWidget(self._words)
        self.show_offline(True)

    def text(self) -> str:
        """Return the words of the badge."""
        return self._words.full_text

    def show_offline(self, offline: bool) -> None:
        """Say how it is."""
        if offline:
            self._icon.show_icon("offline", "Offline", "ok")
            self._words.set_full_text("Offline")
            words = "Offline: the program makes no network request, your files stay here"
        else:
            self._icon.show_icon("online", "Network allowed", "warning")
            self._words.set_full_text("Network allowed")
            words = "The program may use the network when you ask it to download a model"
        self._words.setFixedWidth(self._words.natural_width_px())
        self.setAccessibleName(words)
        self.setToolTip(words)


class StatusLine(QFrame):
    """What goes on, on the left; on the right whether the network may be used."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setFixedHeight(_HEIGHT_PX)
        self.words = ElidedLabel("Ready", mode=Qt.TextElideMode.ElideRight)
        self.words.setObjectName("statusLine")
        self.words.setProperty("role", "caption")
        self.badge = OfflineBadge()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 12, 0)
        layout.setSpacing(GAP_PX)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.badge)
        self.say("Ready")

    @property
    def text(self) -> str:
        """What is said."""
        return self.words.full_text

    def say(self, words: str) -> None:
        """Say what goes on."""
        self.words.set_full_text(words)
        self.words.setAccessibleName(f"Status: {words}")
