# SPDX-License-Identifier: Apache-2.0
"""Where the program keeps its things.

``MOLMO_DESKTOP_HOME`` puts everything into one folder (tests always set it); otherwise the
system's own places are used. Nothing is ever written into the install folder.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from molmo_desktop.core.errors import SettingsError

HOME_VARIABLE = "MOLMO_DESKTOP_HOME"


@dataclass(frozen=True)
class AppPaths:
    """Folders of one user; `make` creates them."""

    config: Path
    data: Path
    cache: Path
    logs: Path

    @property
    def settings_file(self) -> Path:
        """The settings, JSON."""
        return self.config / "settings.json"

    @property
    def database_file(self) -> Path:
        """Conversations and the energy ledger, SQLite."""
        return self.data / "conversations.db"

    @property
    def models(self) -> Path:
        """Models that the user downloaded or imported."""
        return self.data / "models"

    @property
    def index_file(self) -> Path:
        """Texts and passages of documents read before, SQLite; can be rebuilt from the files."""
        return self.cache / "documents.db"

    @property
    def stored_states(self) -> Path:
        """What models have read, to go on from after a restart; can be deleted at any time."""
        return self.cache / "states"

    @property
    def safe_settings_file(self) -> Path:
        """Engine settings that are known to work on this machine, JSON."""
        return self.config / "engine.json"

    @property
    def measured_memory_file(self) -> Path:
        """What models took when they were loaded here, JSON; found again when deleted."""
        return self.config / "memory.json"

    @property
    def crash_record_file(self) -> Path:
        """Which models and files ended the engine, JSON."""
        return self.config / "crashes.json"

    @property
    def reading_speed_file(self) -> Path:
        """How fast each model reads on this machine, JSON."""
        return self.config / "reading-speed.json"

    @property
    def unreadable_files_file(self) -> Path:
        """Which files made a reader crash, JSON."""
        return self.config / "unreadable-files.json"

    def make(self) -> AppPaths:
        """Create the folders that are missing, for the user's eyes only, and return self.

        Raises:
            SettingsError: A folder cannot be made or written.
        """
        for folder in (self.config, self.data, self.cache, self.logs, self.models):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise _unusable(folder, str(error)) from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise _unusable(folder, "no permission to write")
            if os.name == "posix":
                # Not ours to change on some drives, which then have rules of their own.
                with contextlib.suppress(OSError):
                    folder.chmod(0o700)
        return self


def _unusable(folder: Path, detail: str) -> SettingsError:
    return SettingsError(
        f"The program cannot keep its files in {folder}.",
        hint=f"Check that this folder can be written, or set {HOME_VARIABLE} to another one.",
        detail=detail,
    )


def app_paths() -> AppPaths:
    """Return the folders of this user, without creating them."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        root = Path(home).expanduser().absolute()
        return AppPaths(root / "config", root / "data", root / "cache", root / "logs")
    dirs = platformdirs.PlatformDirs("molmo-desktop", appauthor=False)
    return AppPaths(
        dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_log_path
    )
