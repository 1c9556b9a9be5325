# SPDX-License-Identifier: Apache-2.0
"""The use case: a question about some files becomes an answer with evidence, points and cost.

Everything here blocks and knows no Qt; the window calls it from a thread, the command line
directly. What the window can answer, the command line can too.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from pathlib import Path

from molmo_desktop.assistant.attachments import AttachmentReader, PageProgress
from molmo_desktop.assistant.crash_record import CrashRecord
from molmo_desktop.assistant.engine_record import EngineRecord
from molmo_desktop.assistant.grounding import ground, is_answerable
from molmo_desktop.assistant.intent import search_text, telling_part
from molmo_desktop.assistant.loading import (
    ModelLoader,
    first_given,
    forward_progress,
    ignore,
    model_files,
)
from molmo_desktop.assistant.memory import ConversationMemory
from molmo_desktop.assistant.pictures import PictureLoader
from molmo_desktop.assistant.plan import (
    Planner,
    ReadingPlan,
    is_small,
    reading_budget,
)
from molmo_desktop.assistant.points import PointTagFilter
from molmo_desktop.assistant.preflight import MemoryCheck, MemoryPreflight
from molmo_desktop.assistant.prompting import (
    SentTurn,
    build_messages,
    new_turn,
    with_answer,
)
from molmo_desktop.assistant.reading_speed import ReadingSpeed
from molmo_desktop.assistant.requests import (
    AskOptions,
    AskRequest,
    CoverageEvent,
    StageEvent,
    TextEvent,
)
from molmo_desktop.assistant.result import build_answer
from molmo_desktop.assistant.work import OnEvent, Work
from molmo_desktop.core.answer import (
    Answer,
)
from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import (
    ContextOverflowError,
    DocumentError,
    EngineError,
    SettingsError,
    UsageError,
)
from molmo_desktop.core.pages import Document, PageImage
from molmo_desktop.core.paths import AppPaths
from molmo_desktop.core.settings import Settings
from molmo_desktop.documents.reader import DocumentReader
from molmo_desktop.documents.recognised import PICTURE_SENTENCE
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import (
    ChatMessage,
    EngineEvent,
    GenerateRequest,
    Generation,
    LoadedModel,
    LoadRequest,
    TokenEvent,
)
from molmo_desktop.engine.stored_files import forget_all, forget_owner, stored_bytes, trim
from molmo_desktop.meters.memory import process_memory
from molmo_desktop.meters.meters import Meters
from molmo_desktop.meters.reading import LiveReading
from molmo_desktop.models.library import InstalledModel, ModelLibrary
from molmo_desktop.models.measured_memory import MeasuredMemory
from molmo_desktop.retrieval.extract import find_quote
from molmo_desktop.retrieval.index import PassageIndex

NOT_FOUND_TEXT = "The document does not seem to say this."
NOT_FOUND_TEXT_SEVERAL = "The documents do not seem to say this."
_TEMPLATE_TOKENS = 96
_CHARACTERS_PER_TOKEN = 3  # fewer than in most texts, to be on the safe side
_PICTURE_TOKENS_GUESS = 576  # until the model has looked at one


class Assistant:
    """Answers questions about files.

    Args:
        paths: Folders of the user; they exist.
        settings: Replaced as a whole when the user changes something.
    """

    def __init__(
        self,
        *,
        paths: AppPaths,
        settings: Settings,
        engine: EngineClient,
        reader: DocumentReader,
        index: PassageIndex,
        library: ModelLibrary,
        meters: Meters,
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.engine = engine
        self.library = library
        self.meters = meters
        self._reader = reader
        self._index = index
        self._attachments = AttachmentReader(reader, index)
        self._pictures = PictureLoader(reader)
        self._memory = ConversationMemory(paths.stored_states / "turns")
        self.crashes = CrashRecord(paths.crash_record_file)
        self._loader = ModelLoader(
            engine=engine,
            library=library,
            crashes=self.crashes,
            preflight=MemoryPreflight(
                library, MeasuredMemory(paths.measured_memory_file), lambda: self.settings
            ),
            settings=lambda: self.settings,
            states_folder=paths.stored_states,
        )
        self._speed = ReadingSpeed(paths.reading_speed_file)
        self._picture_tokens: dict[str, int] = {}
        self._one_at_a_time = threading.Lock()
        self._newest_key = ""

    # Files -----------------------------------------------------------------------------------

    def read(
        self,
        path: Path,
        *,
        on_progress: PageProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Document:
        """Return a file as a document; see `AttachmentReader.read`."""
        return self._attachments.read(path, on_progress=on_progress, cancel=cancel)

    def render(
        self, path: Path, page_number: int, *, max_px: int = 1600, cancel: CancelToken | None = None
    ) -> PageImage:
        """Return a page or picture as pixels, its longer side at most ``max_px``."""
        return self._reader.render(path, page_number, max_px=max_px, cancel=cancel)

    def warm_up(self) -> None:
        """Start the process that reads files, so that the first one need not wait for it."""
        self._reader.warm_up()

    def forget_documents(self) -> None:
        """Delete the kept texts of all files; the files stay, and are read anew when needed.

        What models have read of them goes too. Waits for an answer that is on its way.
        """
        with self._one_at_a_time:
            self._index.clear()
            self._attachments = AttachmentReader(self._reader, self._index)
        self.forget_states()

    def forget_states(self) -> None:
        """Delete what models have read, in memory too; the next question reads it anew.

        Waits for an answer that is on its way.

        Raises:
            SettingsError: A file cannot be deleted.
        """
        with self._one_at_a_time:
            self.engine.unload()
            self._memory.forget_all()
            try:
                forget_all(self.paths.stored_states)
            except OSError as error:
                raise SettingsError(
                    "What models have read could not be deleted.",
                    hint=f"Close other windows of the program, or delete "
                    f"{self.paths.stored_states} yourself.",
                    detail=str(error),
                ) from error

    def limit_states(self) -> None:
        """Delete what models have read beyond the limit of the settings."""
        with contextlib.suppress(OSError):  # the next answer tries again
            trim(self.paths.stored_states, self.settings.stored_state_limit_mb * 1_000_000)

    def forget_conversation(self, key: str) -> None:
        """Delete from the disk what models have read for one conversation.

        When it is the one that is being answered, or was last, what is still on its way to the
        disk is waited for and deleted too.
        """
        self._forget_on_disk(key)
        if key == self._newest_key:
            with self._one_at_a_time:
                self.engine.settle()
            self._forget_on_disk(key)

    def _forget_on_disk(self, key: str) -> None:
        self._memory.forget(key)
        forget_owner(self.paths.stored_states, key)

    def stored_state_bytes(self) -> int:
        """Return how much disk is taken by what models have read."""
        return stored_bytes(self.paths.stored_states)

    # Models ----------------------------------------------------------------------------------

    def installed_models(self) -> list[InstalledModel]:
        """Return the models that can be chosen."""
        return self.library.installed()

    def choose_model(
        self, options: AskOptions | None = None, *, wants_vision: bool = False
    ) -> InstalledModel:
        """Return the model that a question would use.

        Raises:
            ModelNotFoundError: There is none, or none of that name.
        """
        return self._loader.choose(options or AskOptions(), wants_vision=wants_vision)

    def load_model(
        self,
        options: AskOptions | None = None,
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
        return self._loader.load(
            options or AskOptions(), wants_vision=wants_vision, on_event=on_event, cancel=cancel
        )

    def load_request(self, model: InstalledModel, options: AskOptions | None = None) -> LoadRequest:
        """Return how a question would have a model loaded, memory not considered."""
        return self._loader.request_for(model, options or AskOptions())

    def check_memory(self, model: InstalledModel) -> MemoryCheck:
        """Say whether a model fits into the memory that is free now.

        Raises:
            ModelError: The file cannot be used.
        """
        return self._loader.check(model)

    def engine_record(self) -> EngineRecord:
        """Return what was learned from deaths of the engine."""
        return EngineRecord(self.engine.safe_settings, self.crashes.count)

    def reset_engine(self) -> None:
        """Forget that; waits for an answer that is on its way.

        Raises:
            SettingsError: The file cannot be written.
        """
        with self._one_at_a_time:
            self.crashes.clear()
            try:
                self.engine.forget_safe_settings()
            except OSError as error:
                raise SettingsError(
                    "The engine's safe settings could not be forgotten.",
                    hint=f"Check that {self.paths.config} can be written.",
                    detail=str(error),
                ) from error

    def unload_model(self) -> int | None:
        """Give the memory of the model back; the next question loads it again.

        Returns:
            The resident bytes of the engine that ended; None, and nothing happens, while a
            question is answered or when none is loaded.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            return None
        try:
            engine = process_memory(self.engine.pid) if self.engine.pid is not None else None
            self.engine.unload()
        finally:
            self._one_at_a_time.release()
        return engine.rss_bytes if engine is not None else None

    # Figures ---------------------------------------------------------------------------------

    def live_reading(self) -> LiveReading:
        """Return memory and power now."""
        return self.meters.sample()

    # Questions -------------------------------------------------------------------------------

    def ask(
        self,
        request: AskRequest,
        *,
        on_event: OnEvent | None = None,
        cancel: CancelToken | None = None,
    ) -> Answer:
        """Answer a question; one at a time, others wait.

        Returns:
            The answer. Stopped while it was being written, it holds what there was, with
            ``finish_reason`` "cancelled".

        Raises:
            DocumentError: A file cannot be read, or not by this model.
            ModelError: There is no usable model.
            EngineError: The engine failed; ``data["partial_text"]`` may hold a beginning.
            Cancelled: Stopped before anything was written.
        """
        if not request.question.strip():
            raise UsageError("There is no question.", hint="Type what you want to know.")
        work = Work(request, on_event or ignore, cancel or CancelToken())
        self._newest_key = request.conversation_key
        with self._one_at_a_time:
            work.cancel.raise_if_cancelled()
            span = self.meters.begin_span()
            try:
                answer = self._answer(work)
            finally:
                energy = span.end()
        return replace(answer, energy=energy)

    def _answer(self, work: Work) -> Answer:
        documents = self._read_all(work)
        request = work.request
        earlier = self._memory.recall(request.conversation_key, request.history, documents)
        loaded = self._load(work, documents, earlier)
        used = (*model_files(loaded), documents)
        try:
            answer = self._answer_with(work, documents, loaded, earlier)
        except EngineError as error:
            self.crashes.note_answering(error, *used, is_private=work.request.is_private)
            raise
        if answer.tokens.prompt:
            self.crashes.forget_answering(*used)
        return answer

    def _answer_with(
        self,
        work: Work,
        documents: list[Document],
        loaded: LoadedModel,
        earlier: list[SentTurn],
    ) -> Answer:
        """Answer with a model that is loaded."""
        if work.request.options.raw:
            return self._answer_raw(work, documents, loaded)
        if not loaded.info.has_vision:
            documents = self._recognise_pictures(work, documents)
        earlier = self._with_pictures_at_hand(work, loaded, earlier)
        plan = self._plan(work, documents, loaded, earlier)
        work.emit(CoverageEvent(plan.coverage))
        for document in plan.unseen:
            work.notice(
                f"{document.path.name} was left out: "
                f"the model {loaded.info.name} cannot look at pictures."
            )
        if not is_answerable(telling_part(work.request.question), plan):
            return self._abstain(work, plan, loaded, earlier)
        wants_quote = is_small(loaded.info) and not plan.is_whole_task
        quote = (
            find_quote(telling_part(work.request.question), plan.ranked) if wants_quote else None
        )
        turn = new_turn(work.request.question, plan, earlier, quote.text if quote else None)
        earlier = self._fit_history(work, loaded, earlier, turn)
        generation = self._generate(work, loaded, [*earlier, turn])
        turns = [*earlier, with_answer(turn, generation.text)]
        self._remember(work, turns)
        grounding = ground(generation.text, telling_part(work.request.question), plan, quote)
        return build_answer(work, plan, loaded, generation, grounding)

    def _answer_raw(self, work: Work, documents: list[Document], loaded: LoadedModel) -> Answer:
        """Answer with the question and the pictures alone."""
        plan = self._plan(work, [d for d in documents if d.is_picture], loaded, [])
        turn = SentTurn(work.request.question, work.request.question, pictures=plan.pictures)
        generation = self._generate(work, loaded, [turn])
        grounding = ground(generation.text, telling_part(work.request.question), plan)
        return build_answer(work, plan, loaded, generation, grounding)

    # Steps -----------------------------------------------------------------------------------

    def _read_all(self, work: Work) -> list[Document]:
        started = time.monotonic()
        documents = []
        for path in work.request.files:
            work.cancel.raise_if_cancelled()
            work.emit(StageEvent("reading", note=path.name))

            def report(done: int, total: int | None, name: str = path.name) -> None:
                work.emit(StageEvent("reading", done, total, name))

            document = self.read(path, on_progress=report, cancel=work.cancel)
            for warning in document.warnings:
                work.notice(f"{path.name}: {warning}")
            documents.append(document)
        work.read_s = time.monotonic() - started
        return documents

    def _recognise_pictures(self, work: Work, documents: list[Document]) -> list[Document]:
        """Return the documents; pictures with the text that can be recognised in them."""
        found = []
        for document in documents:
            if document.is_picture:
                work.emit(StageEvent("reading", note=document.path.name))
                document = self._attachments.recognise(document, cancel=work.cancel)
                if document.has_text:
                    work.notice(f"{document.path.name}: {PICTURE_SENTENCE}")
            found.append(document)
        return found

    def _load(self, work: Work, documents: list[Document], earlier: list[SentTurn]) -> LoadedModel:
        wants_vision = (
            work.request.options.mode == "picture"
            or any(document.is_picture or not document.has_text for document in documents)
            or any(turn.pictures for turn in earlier)
        )
        before = self.engine.loaded
        started = time.monotonic()
        loaded = self._loader.load(
            work.request.options,
            wants_vision=wants_vision,
            documents=documents,
            least_context=_least_context(work.request),
            on_event=work.hear,
            cancel=work.cancel,
        )
        work.load_s = 0.0 if loaded is before else time.monotonic() - started
        work.notice(loaded.notice if loaded is not before else "")
        return loaded

    def _plan(
        self,
        work: Work,
        documents: list[Document],
        loaded: LoadedModel,
        earlier: list[SentTurn],
    ) -> ReadingPlan:
        work.cancel.raise_if_cancelled()
        started = time.monotonic()
        if documents:
            work.emit(StageEvent("searching"))
        options = work.request.options
        info = loaded.info
        question_tokens = self._count(work, work.request.question)
        if question_tokens + 1 >= info.context_length:
            raise _question_too_long(question_tokens, info.context_length)
        used = question_tokens + sum(self._count(work, turn.text + turn.answer) for turn in earlier)
        free = info.context_length - self._max_new_tokens(work, loaded) - used - _TEMPLATE_TOKENS
        budget = reading_budget(
            info,
            max(free, 64),
            self._speed.tokens_per_s(info.path),
            self.settings.reading_patience_s,
        )
        last = work.request.history[-1].question if work.request.history else ""
        plan = Planner(self._index, lambda text: self._count(work, text)).plan(
            work.request.question,
            search_text(work.request.question, last),
            documents,
            model=info,
            budget=budget,
            mode=options.mode,
            page_numbers=options.pages,
        )
        work.retrieve_s = time.monotonic() - started
        return plan

    def _with_pictures_at_hand(
        self, work: Work, loaded: LoadedModel, earlier: list[SentTurn]
    ) -> list[SentTurn]:
        """Return the earlier turns without pictures that cannot be looked at any more."""
        found = []
        for turn in earlier:
            kept = []
            for picture in turn.pictures:
                name = picture.document.path.name
                if not loaded.info.has_vision:
                    work.notice(f"{loaded.info.name} cannot look at {name} from before.")
                    continue
                try:
                    self._pictures.load(picture, work.cancel)
                except DocumentError:
                    work.notice(f"{name} from before is gone and was left out.")
                else:
                    kept.append(picture)
            found.append(replace(turn, pictures=tuple(kept)))
        return found

    def _fit_history(
        self, work: Work, loaded: LoadedModel, earlier: list[SentTurn], turn: SentTurn
    ) -> list[SentTurn]:
        """Drop the oldest turns that no longer fit, and say so."""
        limit = loaded.info.context_length - self._max_new_tokens(work, loaded)
        kept = list(earlier)
        while kept and self._count_all(work, loaded, [*kept, turn]) > limit:
            kept.pop(0)
        if dropped := len(earlier) - len(kept):
            noun = "question was" if dropped == 1 else "questions were"
            work.notice(
                f"The {dropped} oldest {noun} left out, because the conversation no longer fits "
                "into the model's context."
            )
        return kept

    def _generate(self, work: Work, loaded: LoadedModel, turns: list[SentTurn]) -> Generation:
        messages, pictures = build_messages(turns)
        images = tuple(self._pictures.load(picture, work.cancel) for picture in pictures)
        tags = PointTagFilter()

        def forward(event: EngineEvent) -> None:
            if isinstance(event, TokenEvent):
                if work.first_token_s is None:
                    work.first_token_s = time.monotonic() - work.started_s
                    work.emit(StageEvent("writing"))
                if shown := tags.feed(event.text):
                    work.emit(TextEvent(shown))
            else:
                forward_progress(event, work.emit)

        options = work.request.options
        work.emit(StageEvent("looking" if images else "thinking"))
        generation = self.engine.generate(
            GenerateRequest(
                messages=messages,
                images=images,
                max_new_tokens=self._max_new_tokens(work, loaded),
                temperature=first_given(options.temperature, self.settings.temperature),
                seed=options.seed,
                cold=options.cold,
                owner=work.request.conversation_key,
                is_private=work.request.is_private,
                dump_logits=options.dump_logits,
                breaks_loops=not options.raw,
            ),
            on_event=forward,
            cancel=work.cancel,
        )
        if rest := tags.flush():
            work.emit(TextEvent(rest))
        self._loader.learn(loaded, generation)
        evaluated = (generation.prompt_tokens or 0) - (generation.cached_tokens or 0)
        self._speed.learn(loaded.info.path, evaluated, generation.prefill_s or 0.0)
        if pictures and generation.image_tokens:
            self._picture_tokens[loaded.info.path] = generation.image_tokens // len(pictures)
        return generation

    # Results ---------------------------------------------------------------------------------

    def _abstain(
        self, work: Work, plan: ReadingPlan, loaded: LoadedModel, earlier: list[SentTurn]
    ) -> Answer:
        """Say that the document does not say it, before the model can invent."""
        text = NOT_FOUND_TEXT if len(plan.documents) == 1 else NOT_FOUND_TEXT_SEVERAL
        work.emit(TextEvent(text))
        turn = SentTurn(work.request.question, f"Question: {work.request.question}", text)
        self._remember(work, [*earlier, turn])
        grounding = ground("", telling_part(work.request.question), plan)
        generation = Generation(text, "stop", 0, 0, 0, (), 0.0, 0.0, None, 0.0, None)
        return build_answer(work, plan, loaded, generation, grounding)

    def _remember(self, work: Work, turns: list[SentTurn]) -> None:
        keeps = self.settings.stored_state_limit_mb > 0 and not work.request.is_private
        self._memory.remember(work.request.conversation_key, turns, on_disk=keeps)

    # Counting --------------------------------------------------------------------------------

    def _max_new_tokens(self, work: Work, loaded: LoadedModel) -> int:
        """Return the longest answer; half of the context is kept for what is read."""
        asked = work.request.options.max_new_tokens
        wanted = first_given(asked, self.settings.max_new_tokens)
        most = max(1, loaded.info.context_length // 2)
        if asked is not None and asked > most:
            work.notice(f"The answer is limited to {most} tokens, half of the model's context.")
        return max(1, min(wanted, most))

    def _count(self, work: Work, text: str) -> int:
        if not text:
            return 0
        return self.engine.count_tokens((ChatMessage("user", text),), cancel=work.cancel)

    def _count_all(self, work: Work, loaded: LoadedModel, turns: list[SentTurn]) -> int:
        messages, pictures = build_messages(turns)
        per_picture = self._picture_tokens.get(loaded.info.path, _PICTURE_TOKENS_GUESS)
        text_tokens = self.engine.count_tokens(messages, cancel=work.cancel)
        return text_tokens + per_picture * len(pictures)

    def close(self) -> None:
        """End the engine and the reader, close the files."""
        self.engine.close()
        self._reader.close()
        self._index.close()
        self.meters.close()


def _least_context(request: AskRequest) -> int:
    """Return about how many tokens a question needs; half of a context is for the answer."""
    return 2 * (len(request.question) // _CHARACTERS_PER_TOKEN + _TEMPLATE_TOKENS)


def _question_too_long(token_count: int, context_length: int) -> ContextOverflowError:
    return ContextOverflowError(
        f"The question takes {token_count} tokens, but the model can take {context_length}.",
        hint="Raise the context length, or shorten it: a long text can be attached as a file.",
        token_count=token_count,
        context_length=context_length,
    )
