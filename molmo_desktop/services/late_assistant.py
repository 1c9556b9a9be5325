# SPDX-License-Identifier: Apache-2.0
"""The assistant of a window that stands before the assistant does.

What an assistant is made of (numbers, search, meters, the way to the engine) takes longer to
import than a window takes to paint. So the window gets something that holds the folders and the
settings, and becomes the assistant when somebody first wants anything else of it: a thread of
the services, once the window is there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from molmo_desktop.core.errors import Cancelled
from molmo_desktop.core.paths import AppPaths
from molmo_desktop.core.settings import Settings

if TYPE_CHECKING:
    from molmo_desktop.assistant.assistant import Assistant


def late_assistant(paths: AppPaths, settings: Settings) -> Assistant:
    """Return an assistant that is put together when it is first needed.

    Args:
        paths: Folders of the user; they exist.
        settings: As they were read.
    """
    return cast("Assistant", _LateAssistant(paths, settings))


class _LateAssistant:
    def __init__(self, paths: AppPaths, settings: Settings) -> None:
        self.paths = paths
        self._settings = settings
        self._built: Assistant | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Return what the assistant has, which is everything that is not here."""
        return getattr(self._assistant(), name)

    @property
    def settings(self) -> Settings:
        """The settings that hold now."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        # Without the lock: whoever chooses a colour must not wait for an assistant to be built.
        self._settings = settings
        if self._built is not None:
            self._built.settings = settings

    @property
    def is_built(self) -> bool:
        """Whether anything was wanted of the assistant yet."""
        return self._built is not None

    def close(self) -> None:
        """End what was begun; harmless the second time."""
        with self._lock:
            self._is_closed = True
            if self._built is not None:
                self._built.close()

    def _assistant(self) -> Assistant:
        with self._lock:
            if self._built is None:
                if self._is_closed:
                    raise Cancelled
                from molmo_desktop.assistant.build import build_assistant

                given = self._settings
                self._built = build_assistant(self.paths, given)
                if self._settings != given:  # changed meanwhile
                    self._built.settings = self._settings
                    self._built.meters.use_settings(self._settings)
            return self._built


def is_built(assistant: Assistant) -> bool:
    """Whether an assistant stands; asking it for anything builds it otherwise."""
    return not isinstance(assistant, _LateAssistant) or assistant.is_built
