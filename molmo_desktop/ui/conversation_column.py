# SPDX-License-Identifier: Apache-2.0
"""The middle column: files, conversation, bars, composer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from molmo_desktop.ui.attachment_tray import AttachmentTray
from molmo_desktop.ui.bars import MessageBar, UndoBar
from molmo_desktop.ui.composer import Composer
from molmo_desktop.ui.empty_state import EmptyState
from molmo_desktop.ui.theme import EDGE_PX, GAP_PX, GROUP_PX
from molmo_desktop.ui.transcript import Transcript


class ConversationColumn(QWidget):
    """Puts the parts of a conversation below one another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conversationColumn")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(380)
        self.tray = AttachmentTray()
        self.empty_state = EmptyState()
        self.transcript = Transcript(self.empty_state)
        self.undo_bar = UndoBar()
        self.message_bar = MessageBar()
        self.composer = Composer()
        top = QVBoxLayout()
        top.setContentsMargins(EDGE_PX, GROUP_PX, EDGE_PX, 0)
        top.addWidget(self.tray)
        bottom = QVBoxLayout()
        bottom.setContentsMargins(GROUP_PX, GAP_PX, GROUP_PX, GROUP_PX)
        bottom.setSpacing(GAP_PX)
        for item in (self.undo_bar, self.message_bar, self.composer):
            bottom.addWidget(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.transcript, 1)
        layout.addLayout(bottom)
