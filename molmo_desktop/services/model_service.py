# SPDX-License-Identifier: Apache-2.0
"""Which models are there, whether they fit, and when one is put out of memory.

The disk is looked at in a thread. A model that was not asked anything for some time is unloaded:
its process ends, so that the memory really comes back. No timer runs while none is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.settings import Settings
from molmo_desktop.services.ask_service import AskService
from molmo_desktop.services.jobs import Job, Jobs

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant
    from molmo_desktop.assistant.preflight import MemoryCheck
    from molmo_desktop.models.installed import InstalledModel

_MINUTE_MS = 60_000


class ModelService(QObject):
    """Lists the models, compares them with the memory that is free, and unloads.

    Args:
        asking: Tells when a question begins and ends.

    Attributes:
        listed: Carries the list of `InstalledModel`, and the one that would answer a question
            about text, or None.
        checked: Carries a `MemoryCheck` for each usable model, by its name.
        unloaded: Carries how many bytes that gave back.
    """

    listed = Signal(object, object)
    checked = Signal(object)
    unloaded = Signal(object)

    def __init__(
        self, assistant: Assistant, asking: AskService, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._assistant = assistant
        self._asking = asking
        self._jobs = Jobs(self, thread_count=1)
        self._is_checking = False
        self._unload_after_minutes = assistant.settings.unload_after_minutes
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._idle.timeout.connect(self.unload)
        asking.started.connect(self._idle.stop)
        asking.answered.connect(self._on_ended)
        asking.failed.connect(self._on_ended)

    @property
    def can_unload(self) -> bool:
        """Whether a model is in memory that no question needs now."""
        return self._assistant.engine.pid is not None and not self._asking.is_busy

    @property
    def is_waiting_to_unload(self) -> bool:
        """Whether a model is loaded that will be unloaded if nothing is asked."""
        return self._idle.isActive()

    def refresh(self) -> None:
        """Look again; `listed` and `checked` follow."""
        self._jobs.run(self._look, on_done=self._on_listed)

    def check(self) -> None:
        """Compare the models with the memory that is free now; `checked` follows."""
        if not self._is_checking:
            self._is_checking = True
            self._jobs.run(self._check, on_done=self._on_checked, on_failed=self._on_not_checked)

    def unload(self) -> None:
        """Put the model out of memory, unless a question is being answered."""
        self._idle.stop()
        if not self._asking.is_busy:
            self._jobs.run(lambda _job: self._assistant.unload_model(), on_done=self._on_unloaded)

    def use_settings(self, settings: Settings) -> None:
        """Wait as long as the user wants from now on."""
        if settings.unload_after_minutes != self._unload_after_minutes:
            self._unload_after_minutes = settings.unload_after_minutes
            self._wait_anew()

    def _wait_anew(self) -> None:
        if self._unload_after_minutes and self.can_unload:
            self._idle.start(self._unload_after_minutes * _MINUTE_MS)
        else:
            self._idle.stop()

    def close(self) -> None:
        """Wait for the thread."""
        self._idle.stop()
        self._jobs.close()

    def _on_ended(self, _result: object) -> None:
        self._wait_anew()
        self.check()

    def _on_unloaded(self, freed_bytes: int | None) -> None:
        if freed_bytes is None:  # a question came first, or nothing was loaded
            self._wait_anew()
            return
        self.unloaded.emit(freed_bytes)
        self.check()

    def _on_listed(self, found: tuple[list[InstalledModel], InstalledModel | None]) -> None:
        self.listed.emit(*found)
        self.check()

    def _on_checked(self, checks: dict[str, MemoryCheck]) -> None:
        self._is_checking = False
        self.checked.emit(checks)

    def _on_not_checked(self, _error: MolmoDesktopError) -> None:
        self._is_checking = False

    def _look(self, _job: Job) -> tuple[list[InstalledModel], InstalledModel | None]:
        models = self._assistant.installed_models()
        try:
            return models, self._assistant.choose_model()
        except MolmoDesktopError:
            return models, None

    def _check(self, job: Job) -> dict[str, MemoryCheck]:
        checks = {}
        for model in self._assistant.installed_models():
            job.cancel_token.raise_if_cancelled()
            if model.problem:
                continue
            try:
                checks[model.name] = self._assistant.check_memory(model)
            except MolmoDesktopError:  # the file is gone meanwhile
                continue
        return checks
