# SPDX-License-Identifier: Apache-2.0
"""The settings. A change holds at once; there is nothing to confirm."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.core.paths import AppPaths
from molmo_desktop.services.settings_service import SettingsService
from molmo_desktop.services.storage_service import StorageService
from molmo_desktop.ui.controls import button, frame, line
from molmo_desktop.ui.dialogs.engine_part import EnginePart
from molmo_desktop.ui.dialogs.fields import Page
from molmo_desktop.ui.dialogs.setting_pages import ModelPage, SettingPage, setting_pages
from molmo_desktop.ui.dialogs.storage_page import StoragePage
from molmo_desktop.ui.theme import GAP_PX

_WIDTH_PX, _HEIGHT_PX = 680, 480
_GROUPS_PX = 148


class SettingsDialog(QDialog):
    """Groups on the left, the fields of the chosen group on the right."""

    def __init__(
        self,
        settings: SettingsService,
        storage: StorageService,
        paths: AppPaths,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("settingsDialog")
        self.setWindowTitle("Settings")
        self.setAccessibleName("Settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._settings = settings
        self.storage_page = StoragePage(storage, paths)
        self.setting_pages = setting_pages(settings.change)
        self.engine_part = EnginePart(storage)
        next(page for page in self.setting_pages if isinstance(page, ModelPage)).add_part(
            self.engine_part
        )
        self._pages: list[Page] = [*self.setting_pages, self.storage_page]
        self.groups = QListWidget()
        self.groups.setObjectName("settingsGroups")
        self.groups.setAccessibleName("Groups of settings")
        self.groups.setFixedWidth(_GROUPS_PX)
        self.groups.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._stack = QStackedWidget()
        self.reset_button = button("Use the program's own values", "quiet")
        self.close_button = button("Close", "primary")
        self._lay_out()
        for page in self._pages:
            self.groups.addItem(page.title)
            self._stack.addWidget(page)
        self.groups.currentRowChanged.connect(self._show_page)
        self.reset_button.clicked.connect(self._reset)
        self.close_button.clicked.connect(self.accept)
        self.close_button.setDefault(True)
        for page in self.setting_pages:
            page.show_settings(settings.settings)
        self.groups.setCurrentRow(0)
        self.groups.setFocus()
        self.resize(_WIDTH_PX, _HEIGHT_PX)

    def _lay_out(self) -> None:
        side = frame("surface")
        groups = QVBoxLayout(side)
        groups.setContentsMargins(GAP_PX, 12, GAP_PX, 12)
        groups.addWidget(self.groups)
        top = QHBoxLayout()
        top.setSpacing(0)
        top.addWidget(side)
        top.addWidget(self._stack, 1)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(12, 10, 12, 10)
        buttons.addWidget(self.reset_button)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top, 1)
        layout.addWidget(line())
        layout.addLayout(buttons)

    @property
    def page(self) -> Page:
        """The group that is shown."""
        return self._pages[self._stack.currentIndex()]

    def field(self, key: str) -> Any:
        """Return the field of a value of `Settings`."""
        return next(page.fields[key] for page in self.setting_pages if key in page.fields)

    def show_group(self, title: str) -> None:
        """Show the group of that title."""
        self.groups.setCurrentRow([page.title for page in self._pages].index(title))

    def _show_page(self, row: int) -> None:
        self._stack.setCurrentIndex(row)
        self.reset_button.setVisible(isinstance(self.page, SettingPage))
        if self.page is self.storage_page:
            self.storage_page.measure()
        elif isinstance(self.page, ModelPage):
            self.engine_part.look()

    def _reset(self) -> None:
        if isinstance(self.page, SettingPage):
            self.page.reset()
