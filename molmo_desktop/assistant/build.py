# SPDX-License-Identifier: Apache-2.0
"""Puts an assistant together out of the rooms below."""

from __future__ import annotations

from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.core.paths import AppPaths, app_paths
from molmo_desktop.core.settings import Settings, load_settings
from molmo_desktop.documents.formats import READER_VERSION
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.meters.meters import Meters
from molmo_desktop.models.library import ModelLibrary
from molmo_desktop.retrieval.index import PassageIndex


def build_assistant(paths: AppPaths | None = None, settings: Settings | None = None) -> Assistant:
    """Return an assistant for this user; no process is started before it is needed."""
    paths = (paths or app_paths()).make()
    settings = settings or load_settings(paths.settings_file).settings
    engine = EngineClient(safe_settings_file=paths.safe_settings_file, log_folder=paths.logs)
    return Assistant(
        paths=paths,
        settings=settings,
        engine=engine,
        reader=DocumentReader(quarantine_file=paths.unreadable_files_file),
        index=PassageIndex(paths.index_file, reader_version=READER_VERSION),
        library=ModelLibrary(paths.models),
        meters=Meters(settings, lambda: engine.pid),
    )
