# SPDX-License-Identifier: Apache-2.0
"""Which model answers, and how it gets into the engine without taking memory that is not there.

A model that will not fit is refused in a sentence before anything is loaded. Where a shorter
context makes it fit, and the user did not choose the context, that is done and said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from molmo_desktop.assistant.crash_record import CrashRecord
from molmo_desktop.assistant.preflight import MemoryCheck, MemoryPreflight
from molmo_desktop.assistant.requests import AskEvent, AskOptions, NoticeEvent, StageEvent
from molmo_desktop.assistant.work import OnEvent
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.pages import Document
from molmo_desktop.core.settings import Settings
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import (
    EngineEvent,
    EngineNoticeEvent,
    Generation,
    LoadedModel,
    LoadRequest,
    ProgressEvent,
    StoredStates,
)
from molmo_desktop.models.free_memory import held_bytes
from molmo_desktop.models.library import InstalledModel, ModelLibrary

_T = TypeVar("_T")

_LEAST_CONTEXT = 2048
_SMALLER_CONTEXTS = (6144, 4096, 3072, _LEAST_CONTEXT)


class ModelLoader:
    """Chooses a model and has the engine load it.

    Args:
        settings: Returns the settings as they are now.
        states_folder: Where the engine keeps what models have read.
    """

    def __init__(
        self,
        *,
        engine: EngineClient,
        library: ModelLibrary,
        crashes: CrashRecord,
        preflight: MemoryPreflight,
        settings: Callable[[], Settings],
        states_folder: Path,
    ) -> None:
        self._states_folder = states_folder
        self._engine = engine
        self._library = library
        self._crashes = crashes
        self._preflight = preflight
        self._settings = settings
        self._wanted: LoadRequest | None = None
        self._used: LoadRequest | None = None

    def choose(self, options: AskOptions, *, wants_vision: bool = False) -> InstalledModel:
        """Return the model that a question would use.

        Raises:
            ModelNotFoundError: There is none, or none of that name.
        """
        name = options.model or self._settings().model_name or None
        if name is None:
            return self._library.default(wants_vision=wants_vision)
        return self._library.resolve(name, options.mmproj)

    def check(self, model: InstalledModel) -> MemoryCheck:
        """Compare a model with the memory that is free now; what is loaded would make room.

        Raises:
            ModelError: The file cannot be used.
        """
        return self._preflight.check(model, reclaimed_bytes=held_bytes(self._engine.pid))

    def load(
        self,
        options: AskOptions,
        *,
        wants_vision: bool = False,
        documents: Sequence[Document] | None = None,
        least_context: int = 0,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
    ) -> LoadedModel:
        """Hold the model ready; quick when it is already.

        Args:
            options: Which model, and how.
            wants_vision: One that sees is preferred.
            documents: What a question is about, None while nothing is asked.
            least_context: Tokens that the question needs; the context is not lowered below.
            on_event: Progress, and what the user should know about the memory.
            cancel: Gives up.

        Raises:
            ModelError: The model cannot be used.
            OutOfMemoryError: It will not fit; `AskOptions.try_anyway` loads it all the same.
            RepeatedCrashError: The model or a document ended the engine twice; here too
                `AskOptions.try_anyway` goes on.
            EngineError: The engine failed.
            Cancelled: The user asked for it.
        """
        emit = on_event or ignore
        model = self.choose(options, wants_vision=wants_vision)
        files = (model.path, model.mmproj_path)
        if documents is not None and not options.try_anyway:
            self._crashes.refuse_answering(model.name, *files, documents)
        wanted = self.request_for(model, options)
        if self._used is None or not self._is_held(wanted, least_context):
            self._used = self._fitting(model, wanted, options, least_context, emit)
            self._wanted = wanted
        with self._crashes.loading(model.name, *files, try_anyway=options.try_anyway):
            return self._engine.load(
                self._used, on_event=lambda event: forward_progress(event, emit), cancel=cancel
            )

    def _is_held(self, wanted: LoadRequest, least_context: int) -> bool:
        """Whether the engine holds what is wanted, with a context that was not lowered too far."""
        if self._engine.loaded is None or self._used is None or self._wanted != wanted:
            return False
        return self._used == wanted or self._used.context_length >= least_context

    def learn(self, loaded: LoadedModel, generation: Generation) -> None:
        """Remember what an answer took of memory."""
        if self._used is not None:
            self._preflight.learn(self._used, loaded, generation)

    def _fitting(
        self,
        model: InstalledModel,
        wanted: LoadRequest,
        options: AskOptions,
        least_context: int,
        emit: OnEvent,
    ) -> LoadRequest:
        """Return the request as it fits into memory, and say what the user should know."""
        reclaimed_bytes = held_bytes(self._engine.pid)

        def check_with(context_length: int) -> MemoryCheck:
            return self._preflight.check(model, context_length, reclaimed_bytes=reclaimed_bytes)

        check = check_with(wanted.context_length)
        if check.verdict == "tight":
            emit(NoticeEvent(f"Memory is tight: {check.sentence()}"))
        if check.verdict != "will not fit":
            return wanted
        most = check.estimate.context_length
        for context_length in _SMALLER_CONTEXTS if wanted.context_length == 0 else ():
            if not max(least_context, _LEAST_CONTEXT) <= context_length < most:
                continue
            if check_with(context_length).verdict != "will not fit":
                emit(NoticeEvent(_lowered(check, context_length)))
                return replace(wanted, context_length=context_length)
        if not options.try_anyway:
            raise check.error()
        emit(NoticeEvent(f"Memory may run out: {check.sentence()}"))
        return wanted

    def request_for(self, model: InstalledModel, options: AskOptions) -> LoadRequest:
        """Return how a question with these options would have a model loaded."""
        settings = self._settings()
        return LoadRequest(
            name=model.name,
            model_path=model.path,
            mmproj_path=model.mmproj_path,
            context_length=first_given(options.context_length, settings.context_length),
            thread_count=first_given(options.thread_count, settings.thread_count),
            image_max_tokens=settings.image_max_tokens,
            flash_attention=settings.flash_attention,
            kv_cache_type="q8_0" if settings.kv_cache_type == "q8_0" else "f16",
            stored_states=self._stored_states(settings),
        )

    def _stored_states(self, settings: Settings) -> StoredStates | None:
        limit_bytes = settings.stored_state_limit_mb * 1_000_000
        return StoredStates(self._states_folder, limit_bytes) if limit_bytes else None


def _lowered(check: MemoryCheck, context_length: int) -> str:
    return (
        f"The context was lowered from {check.estimate.context_length} to {context_length} tokens, "
        f"because {check.sentence()}"
    )


def model_files(loaded: LoadedModel) -> tuple[Path, Path | None]:
    """Return the file of a model, and of its projector."""
    info = loaded.info
    return Path(info.path), Path(info.mmproj_path) if info.mmproj_path else None


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
