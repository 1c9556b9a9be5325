# SPDX-License-Identifier: Apache-2.0
"""The middle column: files, conversation, bars, composer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from molmo_desktop.ui.attachment_tray import AttachmentTray
from molmo_desktop.ui.bars import MessageBar, UndoBar
from molmo_desktop.ui.composer import Composer
from molmo_desktop.ui.controls import centred, line
from molmo_desktop.ui.empty_state import EmptyState
from molmo_desktop.ui.private_line import PrivateLine
from molmo_desktop.ui.theme import EDGE_PX, GAP_PX, GROUP_PX
from molmo_desktop.ui.transcript import Transcript


class ConversationColumn(QWidget):
    """Puts the parts of a conversation below one another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conversationColumn")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(380)
        self.private_line = PrivateLine()
        self.tray = AttachmentTray()
        self.empty_state = EmptyState()
        self.transcript = Transcript(self.empty_state)
        self.undo_bar = UndoBar()
        self.message_bar = MessageBar()
        self.composer = Composer()
        # Messages that scroll by end here, not in the middle of nowhere.
        self.tray_line = line()
        self.tray_line.hide()
        top, bottom = QWidget(), QWidget()
        above = QVBoxLayout(top)
        above.setContentsMargins(EDGE_PX, 12, EDGE_PX, 12)
        above.setSpacing(GAP_PX)
        above.addWidget(self.private_line)
        above.addWidget(self.tray)
        below = QVBoxLayout(bottom)
        below.setContentsMargins(EDGE_PX, GAP_PX, EDGE_PX, GROUP_PX)
        below.setSpacing(GAP_PX)
        for item in (self.undo_bar, self.message_bar, self.composer):
            below.addWidget(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(centred(top))
        layout.addWidget(self.tray_line)
        layout.addWidget(self.transcript, 1)
        layout.addLayout(centred(bottom))
