# SPDX-License-Identifier: Apache-2.0
"""The engine as the rest of the program sees it: load a model, ask it, survive its death.

Everything blocks and may be called from any thread; one call at a time reaches the engine.
There is no Qt here. A crash never reaches the caller's process: it becomes an
`EngineCrashedError`, and the next call starts a new engine with the same model.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import (
    Cancelled,
    EngineCrashedError,
    EngineError,
    OutOfMemoryError,
)
from molmo_desktop.core.exit_codes import is_crash
from molmo_desktop.engine import load_errors, wire_format
from molmo_desktop.engine.events import (
    ChatMessage,
    EngineEvent,
    EngineNoticeEvent,
    GenerateRequest,
    Generation,
    LoadedModel,
    LoadRequest,
)
from molmo_desktop.engine.process import EngineDied, EngineProcess
from molmo_desktop.engine.safe_settings import (
    FAST,
    SAFE,
    EngineSettings,
    SafeSettingsFile,
    SafeSettingsNote,
)

logger = logging.getLogger(__name__)

OnEvent = Callable[[EngineEvent], None]
_NOTICE = "The engine crashed with its fast settings and now uses safe ones, which may be slower."
# Counting takes milliseconds; a model's own chat template may go on without end.
_COUNT_LIMIT_S = 30.0


class EngineClient:
    """A model in a process of its own.

    Args:
        safe_settings_file: Remembers which settings work on this machine.
        log_folder: For the engine's log; None = kept only while it runs.
    """

    def __init__(self, *, safe_settings_file: Path, log_folder: Path | None = None) -> None:
        self._safe_file = SafeSettingsFile(safe_settings_file)
        self._log_folder = log_folder
        self._lock = threading.RLock()
        self._process: EngineProcess | None = None
        self._wanted: LoadRequest | None = None
        self._loaded: LoadedModel | None = None
        self._settings = FAST
        self._proved: set[str] = set()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The engine's process, None while none runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive else None

    @property
    def loaded(self) -> LoadedModel | None:
        """The model that is ready, None while there is none."""
        return self._loaded if self.pid is not None else None

    def load(
        self,
        request: LoadRequest,
        *,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
    ) -> LoadedModel:
        """Hold a model ready; nothing to do when it is.

        Another model's process is ended first, so that its memory is free.

        Raises:
            ModelError: The file is missing, damaged, unknown, or the projector does not belong.
            OutOfMemoryError: It does not fit, or the engine died of that.
            EngineCrashedError: The engine died, with safe settings too.
            Cancelled: As asked for.
        """
        with self._lock:
            self._refuse_if_closed()
            if self._wanted == request and self.loaded is not None:
                return self.loaded
            load_errors.check_file(request.model_path)
            if request.mmproj_path is not None:
                load_errors.check_file(request.mmproj_path)
            self._end_process()
            self._wanted = request
            return self._load_surviving(request, on_event, cancel)

    def count_tokens(
        self, messages: Sequence[ChatMessage], *, cancel: CancelToken | None = None
    ) -> int:
        """Return the tokens of the conversation's prompt; pictures are not counted.

        Raises:
            EngineError: No model was loaded, or the engine failed or took too long.
            Cancelled: As asked for, also when the engine no longer answers.
        """
        command = {"command": "count_tokens", "messages": wire_format.encode_messages(messages)}
        with self._lock:
            try:
                return self._count(command, cancel)
            except EngineDied as death:
                self._refuse_to_count_again(death, cancel)
                logger.info("The engine was gone when it was asked to count; it starts anew.")
            try:
                return self._count(command, cancel)
            except EngineDied as death:
                self._refuse_to_count_again(death, cancel)
                raise self._crash(death, "counting words") from death

    def _count(self, command: dict[str, Any], cancel: CancelToken | None) -> int:
        process = self._ready(None, cancel)
        if cancel is not None:
            cancel.raise_if_cancelled()
        result = process.call(command, cancel=cancel, limit_s=_COUNT_LIMIT_S)
        if cancel is not None:
            cancel.raise_if_cancelled()
        return int(result["token_count"])

    def _refuse_to_count_again(self, death: EngineDied, cancel: CancelToken | None) -> None:
        """Raise, unless the engine ended by itself."""
        if not death.by_us:
            return
        self._end_process()
        if self._closed or (cancel is not None and cancel.is_cancelled):
            raise Cancelled from death
        raise EngineError(
            "The engine took too long to prepare the question.",
            hint="Ask again, or choose another model.",
            detail=death.detail,
        ) from death

    def generate(
        self,
        request: GenerateRequest,
        *,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
    ) -> Generation:
        """Write one answer.

        Args:
            request: What to answer.
            on_event: Progress and pieces of text, called in the reader's thread.
            cancel: Ends the answer where it is.

        Returns:
            The answer; ``finish_reason`` is "cancelled" when it was cut short.

        Raises:
            ContextOverflowError: The prompt does not fit.
            OutOfMemoryError: Memory ran out; the engine was ended, so that it is free again.
            EngineCrashedError: The engine died; ``data["partial_text"]`` holds what was written.
            EngineError: No model was loaded, or the engine failed.
        """
        with self._lock:
            try:
                process = self._ready(on_event, cancel)
                return self._ask(process, request, on_event, cancel)
            except Cancelled:
                return _not_begun()
            except EngineDied as death:
                return self._after_death(death, request, on_event, cancel)

    def unload(self) -> None:
        """Give the memory back: the process ends. The next question loads the model again."""
        with self._lock:
            self._end_process()

    def settle(self) -> None:
        """Wait until the engine has written to the disk what it read for the last answer."""
        with self._lock:
            if self._process is not None and self._process.is_alive:
                with contextlib.suppress(EngineDied):
                    self._process.call({"command": "settle"})

    @property
    def safe_settings(self) -> SafeSettingsNote | None:
        """Why safe settings are in force on this machine, None while the fast ones are."""
        return self._safe_file.note()

    def forget_safe_settings(self) -> None:
        """Try the fast settings again the next time that a model is loaded.

        Raises:
            OSError: The file cannot be written.
        """
        with self._lock:
            self._safe_file.forget()
            if self._settings.is_safe:
                self._end_process()

    def close(self) -> None:
        """End the engine for good; a call in flight in another thread is cancelled."""
        self._closed = True
        if not self._lock.acquire(blocking=False):
            process = self._process
            if process is not None:
                process.kill()
            self._lock.acquire()
        try:
            self._end_process()
        finally:
            self._lock.release()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EngineError("The engine is closed.", hint="Start the program again.")

    def _ready(self, on_event: OnEvent | None, cancel: CancelToken | None) -> EngineProcess:
        """Return a process that holds the wanted model, starting it again if it is gone."""
        self._refuse_if_closed()
        if self._wanted is None:
            raise EngineError("No model is loaded.", hint="Choose a model first.")
        if self._process is None or self.loaded is None:
            self._end_process()
            self._load_surviving(self._wanted, on_event, cancel)
        if self._process is None:
            raise EngineError("No model is loaded.", hint="Choose a model first.")
        return self._process

    def _load_surviving(
        self, request: LoadRequest, on_event: OnEvent | None, cancel: CancelToken | None
    ) -> LoadedModel:
        """Load; if the fast settings kill the engine, load once more with safe ones."""
        settings = SAFE if self._safe_file.needs_safe() else FAST
        try:
            return self._load_once(request, settings, on_event, cancel)
        except EngineDied as death:
            self._end_process()
            if cancel is not None and cancel.is_cancelled:
                raise Cancelled from death
            if settings.is_safe or not _settings_may_be_guilty(death):
                raise self._crash(death, "loading the model") from death
            loaded = self._load_safely(request, on_event, cancel)
            self._remember_safe(death)
            return loaded

    def _load_safely(
        self, request: LoadRequest, on_event: OnEvent | None, cancel: CancelToken | None
    ) -> LoadedModel:
        """Load with safe settings after the fast ones crashed, and say so."""
        self._end_process()
        try:
            loaded = self._load_once(request, SAFE, on_event, cancel)
        except EngineDied as death:
            if cancel is not None and cancel.is_cancelled:
                raise Cancelled from death
            raise self._crash(death, "loading the model") from death
        self._loaded = loaded = replace(loaded, notice=_NOTICE)
        if on_event is not None:
            on_event(EngineNoticeEvent(_NOTICE))
        return loaded

    def _remember_safe(self, death: EngineDied) -> None:
        self._safe_file.remember(death.signal_name or f"exit code {death.exit_code}")

    def _load_once(
        self,
        request: LoadRequest,
        settings: EngineSettings,
        on_event: OnEvent | None,
        cancel: CancelToken | None,
    ) -> LoadedModel:
        self._refuse_if_closed()
        self._settings = settings
        self._proved = set()
        self._process = process = EngineProcess(self._log_folder)
        command = {
            "command": "load",
            "request": wire_format.encode_load(request),
            "settings": asdict(settings),
        }
        try:
            result = process.call(command, on_event=on_event, cancel=cancel)
        except EngineDied:
            raise
        except BaseException:
            self._end_process()
            raise
        self._loaded = wire_format.decode_loaded(result)
        return self._loaded

    def _ask(
        self,
        process: EngineProcess,
        request: GenerateRequest,
        on_event: OnEvent | None,
        cancel: CancelToken | None,
    ) -> Generation:
        data, blobs = wire_format.encode_generate(request)
        command = {"command": "generate", "request": data}
        try:
            result = process.call(command, blobs, on_event=on_event, cancel=cancel)
        except OutOfMemoryError:
            self._end_process()  # gives back what there is, and nobody knows what is half done
            raise
        generation = wire_format.decode_generation(result)
        if generation.first_token_s is not None:
            self._proved.add(_kind(request))
        return generation

    def _after_death(
        self,
        death: EngineDied,
        request: GenerateRequest,
        on_event: OnEvent | None,
        cancel: CancelToken | None,
    ) -> Generation:
        """Decide what the end of the engine means for the question that was asked."""
        if cancel is not None and cancel.is_cancelled:
            self._end_process()
            return _cut_off(death.partial_text)
        wanted, guilty = self._wanted, self._is_settings_death(death, request)
        # A process that died before it began was dead already when it was asked.
        if self._closed or wanted is None or (death.began and not guilty):
            raise self._crash(death, "answering") from death
        try:
            if guilty:
                self._load_safely(wanted, on_event, cancel)
            generation = self._ask(self._ready(on_event, cancel), request, on_event, cancel)
        except Cancelled:
            return _not_begun()
        except EngineDied as second:
            raise self._crash(second, "answering") from second
        if guilty:
            self._remember_safe(death)
        return generation

    def _is_settings_death(self, death: EngineDied, request: GenerateRequest) -> bool:
        """Whether this is a first evaluation that the fast settings may have killed."""
        return (
            _settings_may_be_guilty(death)
            and not self._settings.is_safe
            and not death.partial_text
            and _kind(request) not in self._proved
        )

    def _crash(self, death: EngineDied, doing: str) -> EngineError | Cancelled:
        self._end_process()
        if death.by_us and self._closed:
            return Cancelled()
        how = death.signal_name or f"exit code {death.exit_code}"
        logger.info("The engine ended with %s while it was %s.", how, doing)
        detail = f"{how}\n{death.detail}".strip()
        known = {"exit_code": death.exit_code, "partial_text": death.partial_text}
        if load_errors.tells_of_lack_of_memory(death.detail):
            return OutOfMemoryError(
                f"There was not enough memory while the engine was {doing}.",
                hint="Close other programs, attach fewer pages, or choose a smaller model.",
                detail=detail,
                **known,
            )
        return EngineCrashedError(
            f"The engine stopped unexpectedly while it was {doing}.",
            hint=_hint(death, doing),
            detail=detail,
            **known,
        )

    def _end_process(self) -> None:
        process, self._process, self._loaded = self._process, None, None
        if process is not None:
            with contextlib.suppress(OSError):
                process.close()


def _kind(request: GenerateRequest) -> str:
    return "pictures" if request.images else "text"


def _hint(death: EngineDied, doing: str) -> str:
    if death.signal_name == "SIGKILL" and not death.by_us:
        return "It may have run out of memory: close other programs, or choose a smaller model."
    if doing == "answering":
        return "Ask again: it starts anew by itself."
    return "Try again, or choose another model."


def _settings_may_be_guilty(death: EngineDied) -> bool:
    return (
        not death.by_us
        and is_crash(death.exit_code)
        and not load_errors.tells_of_lack_of_memory(death.detail)
    )


def _not_begun() -> Generation:
    """Return an answer that was stopped before anything was evaluated."""
    return Generation("", "cancelled", 0, 0, 0, (), 0.0, 0.0, None, 0.0, None)


def _cut_off(text: str) -> Generation:
    """Return what is known of an answer whose process had to be ended: what it had streamed."""
    return Generation(text, "cancelled", None, None, None, (), None, None, None, None, None)
