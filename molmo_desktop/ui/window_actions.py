# SPDX-License-Identifier: Apache-2.0
"""What the keys and the menu of the window do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QActionGroup, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from molmo_desktop.ui.theme import ThemeKeeper

if TYPE_CHECKING:
    from molmo_desktop.ui.main_window import MainWindow

_THEMES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))


class WindowActions:
    """Installs shortcuts and opens the menu.

    Args:
        window: Whose methods are called.
        themes: For the choice between light and dark.
    """

    def __init__(self, window: MainWindow, themes: ThemeKeeper) -> None:
        self._window = window
        self._themes = themes
        column = window.column
        for keys, action in (
            ("Ctrl+N", window.new_conversation),
            ("Ctrl+Shift+N", self._new_private),
            ("Ctrl+O", window.choose_files),
            ("Ctrl+K", window.sidebars.go_to_search),
            ("Ctrl+B", window.sidebars.toggle),
            ("Ctrl+R", window.answers.ask_again),
            ("Ctrl+L", column.composer.edit.setFocus),
            ("Ctrl+Shift+M", window.sidebars.go_to_models),
            ("Ctrl+V", self._paste),
            ("Ctrl+Shift+S", window.capture.start),
            ("Ctrl+,", window.show_settings),
            ("Esc", self._escape),
            ("F1", window.show_help),
            ("F2", self._rename),
        ):
            QShortcut(QKeySequence(keys), window).activated.connect(action)
        window.sidebars.menu_wanted.connect(self.show_menu)

    def show_menu(self, below: QWidget) -> None:
        """Open the menu of the window below a button."""
        window = self._window
        menu = QMenu(window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        _add(menu, "Attach files…", "Ctrl+O", window.choose_files)
        _add(menu, "Picture of the screen…", "Ctrl+Shift+S", window.capture.start)
        _add(menu, "Rename the conversation", "F2", self._rename)
        current = window.backstage.session.conversation_id
        export = _add(
            menu,
            "Export the conversation…",
            "",
            lambda: window.export_conversation(current) if current is not None else None,
        )
        export.setEnabled(current is not None)
        menu.addSeparator()
        _add(menu, "New private conversation", "Ctrl+Shift+N", self._new_private)
        private = _add(menu, "Private conversation", "", self._toggle_private)
        private.setCheckable(True)
        private.setChecked(window.backstage.session.is_private)
        menu.addSeparator()
        unload = _add(menu, "Unload the model now", "", window.backstage.models.unload)
        unload.setEnabled(window.backstage.models.can_unload)
        menu.addMenu(self._theme_menu(menu))
        _add(menu, "Settings…", "Ctrl+,", window.show_settings)
        menu.addSeparator()
        _add(menu, "Keyboard shortcuts", "F1", window.show_help)
        menu.popup(below.mapToGlobal(QPoint(0, below.height() + 2)))

    def _theme_menu(self, parent: QMenu) -> QMenu:
        menu = QMenu("Colours", parent)
        group = QActionGroup(menu)
        for choice, words in _THEMES:
            action = QAction(words, menu, checkable=True)
            action.setChecked(self._themes.choice == choice)
            action.triggered.connect(lambda _=False, chosen=choice: self._choose_theme(chosen))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def _choose_theme(self, choice: str) -> None:
        self._themes.choose(choice)
        self._window.backstage.settings.change(theme=choice)

    def _new_private(self) -> None:
        self._window.new_conversation(is_private=True)

    def _toggle_private(self) -> None:
        session = self._window.backstage.session
        session.set_private(session.conversation_id, not session.is_private)

    def _paste(self) -> None:
        """Paste files and pictures from anywhere; text goes into the question."""
        mime = QGuiApplication.clipboard().mimeData()
        if not self._window.drops.take(mime) and mime.hasText():
            edit = self._window.column.composer.edit
            edit.setFocus()
            edit.insertPlainText(mime.text())

    def _escape(self) -> None:
        if self._window.sidebars.is_over:
            self._window.sidebars.close_overlay()
        else:
            self._window.answers.stop()

    def _rename(self) -> None:
        self._window.sidebars.open()
        self._window.sidebars.sidebar.list.rename_current()


def _add(menu: QMenu, text: str, keys: str, action: Any) -> QAction:
    item = QAction(f"{text}\t{keys}" if keys else text, menu)
    item.triggered.connect(lambda _=False: action())
    menu.addAction(item)
    return item
