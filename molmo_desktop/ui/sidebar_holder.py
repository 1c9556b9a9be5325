# SPDX-License-Identifier: Apache-2.0
"""Shows the sidebar beside the conversation, or, in a narrow window, over it on demand."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from molmo_desktop.ui.controls import set_property
from molmo_desktop.ui.sidebar import Rail, Sidebar
from molmo_desktop.ui.theme import RAIL_PX, SIDEBAR_COLLAPSES_BELOW_PX


class SidebarHolder(QWidget):
    """Holds the sidebar and the rail of icons, and decides which one there is room for.

    Attributes:
        new_wanted: A new conversation.
        menu_wanted: Carries the button below which the menu is to open.
    """

    new_wanted = Signal()
    menu_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sidebar = Sidebar()
        self.rail = Rail()
        self._is_narrow = False
        self._is_wanted = True
        self._veil: _Veil | None = None
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(self.rail)
        self._layout.addWidget(self.sidebar)
        self.rail.hide()
        for part in (self.sidebar, self.rail):
            part.new_wanted.connect(self._on_new_wanted)
            part.menu_wanted.connect(self.menu_wanted)
        self.rail.open_wanted.connect(self.open)
        self.rail.search_wanted.connect(self.go_to_search)
        self.rail.model_wanted.connect(self.go_to_models)

    @property
    def is_over(self) -> bool:
        """Whether the sidebar lies over the conversation now."""
        return self._veil is not None

    def fit(self, window_width_px: int) -> None:
        """Take the form that a window of that width has room for."""
        is_narrow = window_width_px < SIDEBAR_COLLAPSES_BELOW_PX
        if is_narrow != self._is_narrow:
            self.close_overlay()
            self._is_narrow = is_narrow
            self._show()
        elif self._veil is not None:
            self._place_overlay()

    def toggle(self) -> None:
        """Show or hide the sidebar."""
        if not self._is_narrow:
            self._is_wanted = not self._is_wanted
            self._show()
        elif self.is_over:
            self.close_overlay()
        else:
            self.open()

    def open(self) -> None:
        """Show the sidebar, over the conversation where there is no room beside it."""
        if not self._is_narrow:
            self._is_wanted = True
            self._show()
            return
        if self._veil is not None:
            return
        window_content = self.parentWidget()
        if window_content is None:
            return
        self._veil = _Veil(window_content)
        self._veil.pressed.connect(self.close_overlay)
        self._layout.removeWidget(self.sidebar)
        self.sidebar.setParent(window_content)
        set_property(self.sidebar, "over", True)
        self._place_overlay()
        self._veil.show()
        self.sidebar.show()
        self._veil.raise_()
        self.sidebar.raise_()
        self.sidebar.list.setFocus()

    def close_overlay(self) -> None:
        """Put the sidebar away again, if it lies over the conversation."""
        if self._veil is None:
            return
        self._veil.hide()
        self._veil.deleteLater()
        self._veil = None
        self.sidebar.hide()
        set_property(self.sidebar, "over", False)
        self._layout.addWidget(self.sidebar)

    def go_to_search(self) -> None:
        """Show the sidebar and let the user type what to look for."""
        self.open()
        self.sidebar.search.setFocus()
        self.sidebar.search.selectAll()

    def go_to_models(self) -> None:
        """Show the sidebar and open the list of models."""
        self.open()
        self.sidebar.picker.setFocus()
        self.sidebar.picker.showPopup()

    def _on_new_wanted(self) -> None:
        self.close_overlay()
        self.new_wanted.emit()

    def _show(self) -> None:
        beside = not self._is_narrow and self._is_wanted
        self.sidebar.setVisible(beside)
        self.rail.setVisible(not beside)

    def _place_overlay(self) -> None:
        if self._veil is None:
            return
        content = self._veil.parentWidget()
        if content is not None:
            self._veil.setGeometry(content.rect())
            self.sidebar.setGeometry(RAIL_PX, 0, self.sidebar.width(), self.height())


class _Veil(QWidget):
    """Lies between the open sidebar and the conversation; a press on it closes the sidebar."""

    pressed = Signal()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()
