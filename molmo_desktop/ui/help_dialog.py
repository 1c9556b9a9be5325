# SPDX-License-Identifier: Apache-2.0
"""What the keys do, and what the program is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from molmo_desktop.ui.controls import label
from molmo_desktop.ui.theme import EDGE_PX, GROUP_PX, TIGHT_PX

SHORTCUTS = (
    ("Enter", "Ask"),
    ("Shift+Enter", "New line in the question"),
    ("Esc", "Stop the answer"),
    ("Ctrl+R", "Ask the last question again"),
    ("Ctrl+O", "Attach pictures or documents"),
    ("Ctrl+Shift+S", "Attach a picture of the screen, or of a part of it"),
    ("Ctrl+V", "Paste text, a picture or files"),
    ("Ctrl+N", "New conversation"),
    ("Ctrl+Shift+N", "New private conversation"),
    ("Ctrl+K", "Search the conversations"),
    ("F2", "Rename the conversation"),
    ("Delete", "Delete the chosen conversation"),
    ("Ctrl+L", "Go to the question"),
    ("Ctrl+B", "Show or hide the conversations"),
    ("Ctrl+Shift+M", "Choose a model"),
    ("Page up, Page down", "Turn the page that is shown"),
    ("+, -, 0", "Zoom the page, fit it"),
    ("Ctrl+,", "Settings"),
    ("F1", "This help"),
)


class HelpDialog(QDialog):
    """Lists the shortcuts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("helpDialog")
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(EDGE_PX, GROUP_PX, EDGE_PX, GROUP_PX)
        layout.setSpacing(GROUP_PX)
        layout.addWidget(label("Keyboard shortcuts", "title"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(EDGE_PX)
        grid.setVerticalSpacing(TIGHT_PX)
        for row, (keys, action) in enumerate(SHORTCUTS):
            grid.addWidget(label(keys, "heading"), row, 0)
            grid.addWidget(label(action), row, 1)
        layout.addLayout(grid)
        layout.addWidget(
            label(f"Molmo Desktop {_version()}. Nothing leaves this computer.", "caption")
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.close)
        layout.addWidget(buttons)


def _version() -> str:
    try:
        return version("molmo-desktop")
    except PackageNotFoundError:
        return ""
