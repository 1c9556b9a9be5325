# SPDX-License-Identifier: Apache-2.0
"""Which model answers, and how it gets into the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from molmo_desktop.assistant.requests import AskEvent, AskOptions, NoticeEvent, StageEvent
from molmo_desktop.assistant.work import OnEvent
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.settings import Settings
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import (
    EngineEvent,
    EngineNoticeEvent,
    LoadedModel,
    LoadRequest,
    ProgressEvent,
)
from molmo_desktop.models.library import InstalledModel, ModelLibrary

_T = TypeVar("_T")


class ModelLoader:
    """Chooses a model and has the engine load it.

    Args:
        settings: Returns the settings as they are now.
    """

    def __init__(
        self, *, engine: EngineClient, library: ModelLibrary, settings: Callable[[], Settings]
    ) -> None:
        self._engine = engine
        self._library = library
        self._settings = settings

    def choose(self, options: AskOptions, *, wants_vision: bool = False) -> InstalledModel:
        """Return the model that a question would use.

        Raises:
            ModelNotFoundError: There is none, or none of that name.
        """
        name = options.model or self._settings().model_name or None
        if name is None:
            return self._library.default(wants_vision=wants_vision)
        return self._library.resolve(name, options.mmproj)

    def load(
        self,
        options: AskOptions,
        *,
        wants_vision: bool = False,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
    ) -> LoadedModel:
        """Hold the model ready; quick when it is already.

        Raises:
            ModelError: The model cannot be used.
            EngineError: The engine failed.
            Cancelled: The user asked for it.
        """
        model = self.choose(options, wants_vision=wants_vision)
        request = self._request(model, options)
        emit = on_event or ignore
        return self._engine.load(
            request, on_event=lambda event: forward_progress(event, emit), cancel=cancel
        )

    def _request(self, model: InstalledModel, options: AskOptions) -> LoadRequest:
        settings = self._settings()
        return LoadRequest(
            name=model.name,
            model_path=model.path,
            mmproj_path=model.mmproj_path,
            context_length=first_given(options.context_length, settings.context_length),
            thread_count=first_given(options.thread_count, settings.thread_count),
            image_max_tokens=settings.image_max_tokens,
        )


def first_given(chosen: _T | None, otherwise: _T) -> _T:
    """Return what was chosen for one question, else what the settings say."""
    return otherwise if chosen is None else chosen


def ignore(_event: AskEvent) -> None:
    """Be nobody who wants to hear."""
    return


def forward_progress(event: EngineEvent, emit: OnEvent) -> None:
    """Pass on what the engine says about its progress."""
    if isinstance(event, ProgressEvent):
        emit(StageEvent(event.stage, event.done, event.total))
    elif isinstance(event, EngineNoticeEvent):
        emit(NoticeEvent(event.text))
