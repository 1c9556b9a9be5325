# SPDX-License-Identifier: Apache-2.0
"""Which models are there; the disk is looked at in a thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.models.installed import InstalledModel
from molmo_desktop.services.jobs import Job, Jobs


class ModelService(QObject):
    """Lists the models.

    Attributes:
        listed: Carries the list of `InstalledModel`, and the one that would answer a question
            about text, or None.
    """

    listed = Signal(object, object)

    def __init__(self, assistant: Assistant, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._assistant = assistant
        self._jobs = Jobs(self, thread_count=1)

    def refresh(self) -> None:
        """Look again; `listed` follows."""
        self._jobs.run(self._look, on_done=lambda found: self.listed.emit(*found))

    def close(self) -> None:
        """Wait for the thread."""
        self._jobs.close()

    def _look(self, _job: Job) -> tuple[list[InstalledModel], InstalledModel | None]:
        models = self._assistant.installed_models()
        try:
            return models, self._assistant.choose_model()
        except MolmoDesktopError:
            return models, None
