# SPDX-License-Identifier: Apache-2.0
"""Everything that works behind the window, put together and ended together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from molmo_desktop.core.settings import LoadedSettings, Settings
from molmo_desktop.services.ask_service import AskService
from molmo_desktop.services.conversation_service import ConversationService
from molmo_desktop.services.document_service import DocumentService
from molmo_desktop.services.late_assistant import is_built
from molmo_desktop.services.meter_service import MeterService
from molmo_desktop.services.model_service import ModelService
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.services.session import Session
from molmo_desktop.services.settings_service import SettingsService
from molmo_desktop.services.storage_service import StorageService, pasted_folder

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant


class Backstage:
    """The services of one window.

    Args:
        assistant: Closed together with the services.
        loaded: The settings as they were read; None = as the assistant has them.
    """

    def __init__(self, assistant: Assistant, loaded: LoadedSettings | None = None) -> None:
        self.assistant = assistant
        self.notifier = Notifier()
        self.settings = SettingsService(
            assistant, self.notifier, loaded or LoadedSettings(assistant.settings)
        )
        self.storage = StorageService(assistant)
        self.conversations = ConversationService(assistant.paths.database_file, self.notifier)
        self.conversations.left_disk.connect(self.storage.forget_conversation)
        self.documents = DocumentService(assistant)
        self.asking = AskService(assistant)
        self.models = ModelService(assistant, self.asking)
        self.meters = MeterService(assistant, assistant.settings.panel_interval_ms)
        self.session = Session(self.conversations, self.documents, self.asking)
        self.session.model_name = assistant.settings.model_name
        self._state_limit_mb = assistant.settings.stored_state_limit_mb
        self.settings.changed.connect(self._on_settings_changed)
        self._closed = False

    def _on_settings_changed(self, settings: Settings) -> None:
        if settings.stored_state_limit_mb < self._state_limit_mb:
            self.storage.limit_states()
        self._state_limit_mb = settings.stored_state_limit_mb

    def begin(self) -> None:
        """Begin with what is not needed to show a window."""
        self.models.refresh()
        self.conversations.purge_pictures(pasted_folder(self.assistant.paths))

    def close(self) -> None:
        """Save what is being written, then end threads and processes; harmless the second time."""
        if self._closed:
            return
        self._closed = True
        self.asking.stop()
        self.session.save_now()
        # An engine that is stuck does not hear the stop; nobody waits for one that is gone.
        if is_built(self.assistant):
            self.assistant.engine.close()
        self.asking.close()
        # An answer that ended by itself while the window closed is one that ended.
        self.session.abandon()
        self.documents.close()
        self.models.close()
        self.storage.close()
        self.meters.close()
        self.assistant.close()
        self.conversations.close()
