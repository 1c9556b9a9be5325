# SPDX-License-Identifier: Apache-2.0
"""Everything that works behind the window, put together and ended together."""

from __future__ import annotations

from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.services.ask_service import AskService
from molmo_desktop.services.conversation_service import ConversationService
from molmo_desktop.services.document_service import DocumentService
from molmo_desktop.services.meter_service import MeterService
from molmo_desktop.services.model_service import ModelService
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.services.session import Session


class Backstage:
    """The services of one window.

    Args:
        assistant: Closed together with the services.
    """

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.notifier = Notifier()
        self.conversations = ConversationService(assistant.paths.database_file, self.notifier)
        self.documents = DocumentService(assistant)
        self.asking = AskService(assistant)
        self.models = ModelService(assistant)
        self.meters = MeterService(assistant, assistant.settings.panel_interval_ms)
        self.session = Session(self.conversations, self.documents, self.asking)
        self.session.model_name = assistant.settings.model_name
        self._closed = False

    def close(self) -> None:
        """Save what is being written, then end threads and processes; harmless the second time."""
        if self._closed:
            return
        self._closed = True
        self.asking.stop()
        self.session.abandon()
        self.asking.close()
        self.documents.close()
        self.models.close()
        self.meters.close()
        self.assistant.close()
        self.conversations.close()
