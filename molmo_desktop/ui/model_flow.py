# SPDX-License-Identifier: Apache-2.0
"""What the window shows of models and figures: who answers, and what that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.services.backstage import Backstage
from molmo_desktop.ui.empty_state import EmptyState
from molmo_desktop.ui.live_panel import LivePanel
from molmo_desktop.ui.model_picker import ModelPicker
from molmo_desktop.ui.status_line import StatusLine

if TYPE_CHECKING:
    from molmo_desktop.meters.reading import LiveReading
    from molmo_desktop.models.installed import InstalledModel


class ModelFlow(QObject):
    """Keeps the list of models, the live figures and the empty state in step with the engine."""

    def __init__(
        self,
        backstage: Backstage,
        picker: ModelPicker,
        live: LivePanel,
        empty_state: EmptyState,
        status: StatusLine,
    ) -> None:
        super().__init__()
        self._backstage = backstage
        self._session = backstage.session
        self._picker = picker
        self._live = live
        self._empty_state = empty_state
        self._status = status
        self._default_model: InstalledModel | None = None
        models = backstage.models
        picker.model_chosen.connect(self._on_model_chosen)
        picker.opened.connect(models.check)
        models.listed.connect(self._on_models_listed)
        models.checked.connect(picker.show_checks)
        models.unloaded.connect(self._on_model_unloaded)
        backstage.meters.reading_taken.connect(self._on_reading)
        live.collapsed_changed.connect(backstage.meters.set_slow)

    def _on_models_listed(
        self, models: list[InstalledModel], default: InstalledModel | None
    ) -> None:
        chosen = self._session.model_name
        if chosen and chosen not in {model.name for model in models}:
            self._backstage.notifier.warning(
                f"The model {chosen} is not on this computer any more.",
                "Another one answers until you choose.",
            )
            self._session.model_name = chosen = ""
            self._backstage.settings.change(model_name="")
        self._picker.show_models(models, chosen)
        self._default_model = default
        self._show_chosen_model()

    def on_answered(self, answer: dict[str, Any]) -> None:
        """Look for models again when one answered that came while the window was open."""
        name = (answer.get("model") or {}).get("name")
        if name and name not in {model.name for model in self._picker.models}:
            self._backstage.models.refresh()

    def _on_model_chosen(self, name: str) -> None:
        self._session.model_name = name
        self._show_chosen_model()
        self._backstage.settings.change(model_name=name)
        self._status.say(f"The next question goes to {name or 'the model that suits it'}")

    def _on_model_unloaded(self, freed_bytes: int) -> None:
        self._status.say(
            f"Model unloaded to free {bytes_in_words(freed_bytes)}; "
            "it loads again with the next question"
        )

    def _show_chosen_model(self) -> None:
        picker = self._picker
        model = next((m for m in picker.models if m.name == picker.chosen), self._default_model)
        self._live.show_model(model)
        folder = self._backstage.assistant.paths.models
        self._empty_state.show_model(model, str(folder))

    def _on_reading(self, reading: LiveReading | None) -> None:
        if reading is None:
            self._live.show_unknown()
            return
        loaded = self._backstage.assistant.engine.loaded
        self._live.show_reading(reading, loaded)
        if loaded is not None and self._session.is_busy:
            self._live.show_model(loaded.info)
