# SPDX-License-Identifier: Apache-2.0
"""Where the program keeps its things.

``MOLMO_DESKTOP_HOME`` puts everything into one folder (tests always set it); otherwise the
system's own places are used. Nothing is ever written into the install folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

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
    def safe_settings_file(self) -> Path:
        """Engine settings that are known to work on this machine, JSON."""
        return self.config / "engine.json"

    @property
    def unreadable_files_file(self) -> Path:
        """Which files made a reader crash, JSON."""
        return self.config / "unreadable-files.json"

    def make(self) -> AppPaths:
        """Create the folders that are missing and return self."""
        for folder in (self.config, self.data, self.cache, self.logs, self.models):
            folder.mkdir(parents=True, exist_ok=True)
        return self


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
