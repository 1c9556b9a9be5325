# SPDX-License-Identifier: Apache-2.0
"""The left column: new conversation, search, the conversations, the model."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from molmo_desktop.ui import icons
from molmo_desktop.ui.controls import IconButton, IconPushButton, label
from molmo_desktop.ui.conversation_list import ConversationList
from molmo_desktop.ui.model_picker import ModelPicker
from molmo_desktop.ui.theme import GAP_PX, RAIL_PX, SIDEBAR_PX, TIGHT_PX, current_theme

_SEARCH_MS = 150


class SearchEdit(QLineEdit):
    """A field with a magnifying glass."""

    def __init__(self) -> None:
        super().__init__()
        self._glass = self.addAction(QIcon(), QLineEdit.ActionPosition.LeadingPosition)
        self._draw_icon()

    def _draw_icon(self) -> None:
        self._drawn_in = current_theme().name
        self._glass.setIcon(icons.icon("search", current_theme().muted))

    def changeEvent(self, event: QEvent) -> None:
        """Redraw the icon in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._drawn_in != current_theme().name:
            self._draw_icon()


class Sidebar(QFrame):
    """The column as it is in a wide window, and opened over a narrow one.

    Attributes:
        new_wanted: The button was pressed.
        search_changed: Carries the words to look for.
        menu_wanted: The button with the dots was pressed; carries the button.
    """

    new_wanted = Signal()
    search_changed = Signal(str)
    menu_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setAccessibleName("Sidebar")
        self.setFixedWidth(SIDEBAR_PX)
        self.new_button = IconPushButton("new", "New conversation")
        self.new_button.setObjectName("newConversationButton")
        self.new_button.setToolTip("New conversation (Ctrl+N)")
        self.menu_button = IconButton("more", "More", size_px=20)
        self.search = SearchEdit()
        self.search.setObjectName("searchEdit")
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the conversations")
        self.search.setToolTip("Search the conversations (Ctrl+K)")
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self.list = ConversationList()
        self.nothing = label("", "caption", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.picker = ModelPicker()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SEARCH_MS)
        self._timer.timeout.connect(lambda: self.search_changed.emit(self.search.text()))
        self.search.textChanged.connect(self._timer.start)
        self.new_button.clicked.connect(self.new_wanted)
        self.menu_button.clicked.connect(lambda: self.menu_wanted.emit(self.menu_button))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(TIGHT_PX)
        top.addWidget(self.new_button, 1)
        top.addWidget(self.menu_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(GAP_PX)
        layout.addLayout(top)
        layout.addWidget(self.search)
        layout.addWidget(self.nothing)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.picker)

    def say_nothing_found(self, searched: bool, is_empty: bool) -> None:
        """Say why the list is empty."""
        self.nothing.setText("Nothing found" if searched else "Your conversations show here")
        self.nothing.setVisible(is_empty)


class Rail(QFrame):
    """What is left of the sidebar in a narrow window: its icons.

    Attributes:
        open_wanted: Show the sidebar.
        new_wanted: A new conversation.
        search_wanted: Show the sidebar and go to the search.
        menu_wanted: Carries the button.
    """

    open_wanted = Signal()
    new_wanted = Signal()
    search_wanted = Signal()
    model_wanted = Signal()
    menu_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setAccessibleName("Sidebar, collapsed")
        self.setFixedWidth(RAIL_PX)
        show = IconButton("sidebar", "Show the conversations", shortcut="Ctrl+B")
        new = IconButton("new", "New conversation", shortcut="Ctrl+N")
        search = IconButton("search", "Search the conversations", shortcut="Ctrl+K")
        model = IconButton("model", "Choose a model", shortcut="Ctrl+Shift+M")
        more = IconButton("more", "More")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 12, 10, 12)
        layout.setSpacing(GAP_PX)
        for item in (show, new, search):
            layout.addWidget(item)
        layout.addStretch()
        for item in (model, more):
            layout.addWidget(item)
        show.clicked.connect(self.open_wanted)
        new.clicked.connect(self.new_wanted)
        search.clicked.connect(self.search_wanted)
        model.clicked.connect(self.model_wanted)
        more.clicked.connect(lambda: self.menu_wanted.emit(more))
