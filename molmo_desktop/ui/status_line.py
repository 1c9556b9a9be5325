# SPDX-License-Identifier: Apache-2.0
"""The line at the bottom of the window."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from molmo_desktop.ui.controls import CardButton, ElidedLabel, IconLabel, label
from molmo_desktop.ui.theme import GAP_PX, GROUP_PX

_HEIGHT_PX = 28
_EXPLANATION_PX = 320
_NO_CONNECTIONS = (
    "No part of this program opens a connection to the network, so nothing was sent and nothing "
    "was fetched. Your files, questions and answers stay on this computer."
)


class OfflineBadge(CardButton):
    """Says whether the program may use the network; pressed, it says what that means."""

    def __init__(self) -> None:
        super().__init__("status")
        self.setObjectName("offlineBadge")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._icon = IconLabel("offline", "", "ok", 16)
        self._words = ElidedLabel("Offline")
        self._words.setProperty("role", "caption")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 0)
        layout.setSpacing(6)
        layout.addWidget(self._icon)
        layout.addWidget(self._words)
        for part in (self._icon, self._words):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.explanation: Explanation | None = None
        self.clicked.connect(self._explain)
        self.show_offline(True)

    def text(self) -> str:
        """Return the words of the badge."""
        return self._words.full_text

    def show_offline(self, offline: bool) -> None:
        """Say how it is."""
        if offline:
            self._icon.show_icon("offline", "Offline", "ok")
            words = "Offline · 0 connections"
        else:
            self._icon.show_icon("online", "Network allowed", "warning")
            words = "Network allowed · 0 connections"
        self._words.set_full_text(words)
        self._words.setFixedWidth(self._words.natural_width_px())
        self.setAccessibleName(words)
        self.setToolTip("What this means")

    def _explain(self) -> None:
        self.explanation = Explanation(_NO_CONNECTIONS, self)
        self.explanation.show_above(self)


class Explanation(QFrame):
    """A few sentences beside the widget they are about; a click or Esc closes it."""

    def __init__(self, sentences: str, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("role", "popup")
        self.setAccessibleName(sentences)
        self.words = label(sentences, wrap=True)
        self.words.setFixedWidth(_EXPLANATION_PX)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GROUP_PX, 12, GROUP_PX, 12)
        layout.addWidget(self.words)

    def show_above(self, widget: QWidget) -> None:
        """Open with the right edges in line."""
        self.adjustSize()
        corner = widget.mapToGlobal(QPoint(widget.width(), 0))
        self.move(corner.x() - self.width(), corner.y() - self.height() - GAP_PX)
        self.show()


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
        layout.setContentsMargins(12, 0, 6, 0)
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
