# SPDX-License-Identifier: Apache-2.0
"""Changing settings: they hold at once, and are saved for the next start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from molmo_desktop.core.errors import SettingsError
from molmo_desktop.core.settings import LoadedSettings, Settings, save_settings
from molmo_desktop.services.late_assistant import is_built
from molmo_desktop.services.notifier import Notifier

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant

WHOLE_FILE = "the whole file"
_METERED = ("country", "idle_power_w", "full_load_cpu_power_w")
_NAMES = {
    "model_name": "the model",
    "context_length": "the context length",
    "max_new_tokens": "the longest answer",
    "temperature": "the creativity",
    "thread_count": "the threads",
    "image_max_tokens": "the picture detail",
    "flash_attention": "flash attention",
    "kv_cache_type": "the precision of what was read",
    "stored_state_limit_mb": "how much is kept on disk",
    "reading_patience_s": "the patience",
    "unload_after_minutes": "when the model is unloaded",
    "theme": "the colours",
    "panel_visible": "the live figures",
    "panel_interval_ms": "how often the live figures are renewed",
    "country": "the country",
    "idle_power_w": "the power at rest",
    "full_load_cpu_power_w": "the power at full load",
    "offline": "the network",
}


class SettingsService(QObject):
    """The one place that changes settings.

    Args:
        assistant: Answers with the new settings from the next question on.
        loaded: What the program started with.

    Attributes:
        changed: Carries the `Settings` that hold now.
    """

    changed = Signal(object)

    def __init__(
        self,
        assistant: Assistant,
        notifier: Notifier,
        loaded: LoadedSettings,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._assistant = assistant
        self._notifier = notifier
        self._loaded = loaded
        self._told_not_saved = False

    @property
    def settings(self) -> Settings:
        """What holds now."""
        return self._assistant.settings

    def change(self, **values: Any) -> None:
        """Change settings for now and for the next start."""
        before = self._assistant.settings
        after = before.changed(**values)
        if after == before:
            return
        self._assistant.settings = after
        if is_built(self._assistant) and any(
            getattr(before, name) != getattr(after, name) for name in _METERED
        ):
            self._assistant.meters.use_settings(after)
        self._save(after)
        self.changed.emit(after)

    def report_loading(self) -> None:
        """Tell the user what of the file could not be used, if there was any."""
        ignored = self._loaded.ignored
        if ignored == (WHOLE_FILE,):
            self._notifier.warning(
                "Your settings could not be read.", "The program's own values are used instead."
            )
        elif ignored:
            names = ", ".join(_NAMES.get(name, name) for name in ignored)
            self._notifier.warning(
                f"Some settings could not be used: {names}.",
                "The program's own values are used instead; you can choose anew in the settings.",
            )

    def _save(self, settings: Settings) -> None:
        if not self._loaded.writable:
            if not self._told_not_saved:
                self._told_not_saved = True
                self._notifier.warning(
                    "Your settings file was written by a newer version and is left as it is.",
                    "What you change now holds until the program ends.",
                )
            return
        try:
            self._keep_damaged_file()
            save_settings(self._assistant.paths.settings_file, settings)
        except SettingsError as error:
            self._notifier.error(error)

    def _keep_damaged_file(self) -> None:
        """Copy a file that could not be read before it is written over for the first time."""
        if self._loaded.ignored != (WHOLE_FILE,):
            return
        path = self._assistant.paths.settings_file
        try:
            shutil.copyfile(path, path.with_name(path.name + ".unusable"))
        except OSError as error:
            raise SettingsError(
                "The settings could not be saved.",
                hint=f"Check that {path.parent} can be written and that the disk is not full.",
                detail=str(error),
            ) from error
        self._loaded = LoadedSettings(self._loaded.settings)
