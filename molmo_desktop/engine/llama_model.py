# SPDX-License-Identifier: Apache-2.0
"""A language model in llama.cpp, with its context, its vocabulary and perhaps a projector.

Here it is loaded and one batch is evaluated; `generation.py` writes answers with it.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llama_cpp import llama_cpp as lib

from molmo_desktop.core.answer import ModelInfo
from molmo_desktop.core.errors import Cancelled, ModelLoadError
from molmo_desktop.engine import faults, load_errors, memory_use
from molmo_desktop.engine.batch import Pace, TokenBatch
from molmo_desktop.engine.events import LoadedModel, LoadRequest, StoredStates
from molmo_desktop.engine.hardware import best_thread_count
from molmo_desktop.engine.held_states import HeldStates
from molmo_desktop.engine.identity import state_key
from molmo_desktop.engine.lookup import MOST_GUESSED, Economy
from molmo_desktop.engine.native import NativeLog
from molmo_desktop.engine.prefix_cache import PrefixCache
from molmo_desktop.engine.prompt import ChatTemplate
from molmo_desktop.engine.safe_settings import EngineSettings
from molmo_desktop.engine.stored_files import StoredFiles
from molmo_desktop.engine.threads import ThreadCount
from molmo_desktop.engine.tokens import Tokenizer
from molmo_desktop.engine.vision import VisionModel

LONGEST_DEFAULT_CONTEXT = 8192
BATCH_TOKENS = 512
_ABORTED = 2


@dataclass(frozen=True)
class Watch:
    """How a long load or evaluation is followed.

    Attributes:
        should_stop: Asked often; true ends the work.
        on_progress: Called with percent while loading.
    """

    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[int], None] = lambda percent: None


class LlamaModel:
    """A model that is ready to answer.

    Args:
        request: What to load.
        settings: How llama.cpp works.
        log: llama.cpp's log, for reasons.
        watch: For progress and cancel while loading.

    Raises:
        ModelError: The file is missing, damaged, unknown, or the projector does not belong.
        OutOfMemoryError: It does not fit.
        Cancelled: `watch.should_stop` said so.
    """

    def __init__(
        self, request: LoadRequest, settings: EngineSettings, log: NativeLog, watch: Watch
    ) -> None:
        started = time.perf_counter()
        self._request = request
        self._settings = settings
        self._log = log
        self._watch = watch
        self._should_stop = watch.should_stop
        self._abort_callback = lib.ggml_abort_callback(lambda _data: self._should_stop())
        self.threads = ThreadCount(
            request.thread_count or best_thread_count(), adaptive=not request.thread_count
        )
        self._thread_count = self.threads.most
        self.guessing = Economy()
        self.vision: VisionModel | None = None
        self._context = 0
        self._model = self._load_weights()
        try:
            self.tokenizer = Tokenizer(self._model)
            self.template = self._load_template()
            self.context_length = self._choose_context_length()
            stored = self._stored_files()
            worth_s = self.stored_states.worth_s if self.stored_states else 0.0
            self.held = HeldStates(stored, worth_s)
            self.vision = self._load_vision(stored)
            self._open_context(BATCH_TOKENS)
            self._warm_up()
            if watch.should_stop():
                raise Cancelled
        except BaseException:
            self.close()
            raise
        self.load_s = time.perf_counter() - started

    @property
    def context(self) -> int:
        """llama.cpp's handle of the context."""
        return self._context

    @property
    def safe_settings(self) -> bool:
        """Whether conservative settings are in force."""
        return self._settings.is_safe

    @property
    def stored_states(self) -> StoredStates | None:
        """How what is read is kept on the disk; None = not at all."""
        wanted = self._request.stored_states
        return wanted if wanted is not None and wanted.limit_bytes > 0 else None

    def describe(self) -> LoadedModel:
        """Return what was loaded, with its sizes."""
        request = self._request
        projector_bytes = request.mmproj_path.stat().st_size if request.mmproj_path else None
        size_bytes = request.model_path.stat().st_size + (projector_bytes or 0)
        info = ModelInfo(
            name=request.name,
            path=str(request.model_path),
            parameters=int(lib.llama_model_n_params(self._model)),
            quantization=_text(lib.llama_ftype_name(lib.llama_model_ftype(self._model))),
            context_length=self.context_length,
            architecture=self.metadata("general.architecture"),
            has_vision=self.vision is not None,
            size_bytes=size_bytes,
            mmproj_path=str(request.mmproj_path) if request.mmproj_path else None,
        )
        return LoadedModel(
            info=info,
            weights_bytes=int(lib.llama_model_size(self._model)),
            kv_cache_bytes=self.kv_cache_bytes,
            projector_bytes=projector_bytes,
            compute_bytes=self.compute_bytes,
            thread_count=self.threads.most,
            load_s=self.load_s,
            safe_settings=self.safe_settings,
            repacked_bytes=self.repacked_bytes,
        )

    def metadata(self, key: str) -> str:
        """Return a value of the file's metadata as text; empty where there is none."""
        size = 1 << 10
        buffer = ctypes.create_string_buffer(size)
        found = lib.llama_model_meta_val_str(self._model, key.encode(), buffer, size)
        return buffer.value.decode("utf-8", "replace") if found >= 0 else ""

    def evaluate_tokens(self, tokens: Sequence[int], position: int, *, output_count: int) -> int:
        """Evaluate at most `batch_size` tokens, with the logits of the last so many.

        Returns:
            llama.cpp's status, 0 for success.
        """
        self.fit_threads()
        return self.batch.evaluate(self._context, tokens, position, output_count=output_count)

    def fit_threads(self) -> None:
        """Let the next evaluation use as many threads as fit the load of the machine."""
        count = self.threads.current()
        if count != self._thread_count:
            self._thread_count = count
            lib.llama_set_n_threads(self._context, count, count)

    def watch_evaluation(self, should_stop: Callable[[], bool] | None) -> None:
        """Let an evaluation be broken off in the middle; None = not any more.

        The callback is asked after every operation, a thousand times per batch. That is
        nothing beside a batch of a prompt, but 5 % of a single token.
        """
        if should_stop is None:
            if self._context:  # none when a wider one could not be made
                lib.llama_set_abort_callback(self._context, lib.ggml_abort_callback(), None)
            self._should_stop = lambda: False
        else:
            self._should_stop = should_stop
            lib.llama_set_abort_callback(self._context, self._abort_callback, None)

    def widen_batch(self, token_count: int) -> None:
        """Make sure that so many tokens can be evaluated at once; drops what is held."""
        if token_count > self.batch_size:
            self._free_context()
            self._open_context(1 << (token_count - 1).bit_length())

    def close(self) -> None:
        """Free everything."""
        self._free_context()
        if self.vision is not None:
            self.vision.close()
            self.vision = None
        if self._model:
            lib.llama_model_free(self._model)
            self._model = 0

    def _load_weights(self) -> int:
        path = self._request.model_path
        load_errors.check_file(path)
        faults.reach("load", safe=self.safe_settings)
        params = lib.llama_model_default_params()
        params.use_extra_bufts = self._settings.use_extra_bufts
        if not self._settings.offload:
            params.n_gpu_layers = 0
        callback = lib.llama_progress_callback(self._progress)
        params.progress_callback = callback
        mark = self._log.mark()
        model = lib.llama_model_load_from_file(str(path).encode(), params)
        if model:
            self.repacked_bytes = memory_use.repacked_bytes(self._log.since(mark))
            return int(model)
        if self._watch.should_stop():
            raise Cancelled
        raise load_errors.model_error(path, self._log.since(mark))

    def _progress(self, share: float, _user_data: int) -> bool:
        self._watch.on_progress(round(share * 100))
        return not self._watch.should_stop()

    def _load_template(self) -> ChatTemplate:
        source = lib.llama_model_chat_template(self._model, None)
        return ChatTemplate(
            _text(source),
            bos=self.tokenizer.bos(),
            eos=self.tokenizer.eos(),
            control_texts=self.tokenizer.control_texts,
        )

    def _choose_context_length(self) -> int:
        trained = int(lib.llama_model_n_ctx_train(self._model))
        wanted = self._request.context_length or LONGEST_DEFAULT_CONTEXT
        return min(wanted, trained) if trained > 0 else wanted  # a large number comes as below 0

    def _stored_files(self) -> StoredFiles | None:
        wanted = self.stored_states
        if wanted is None:
            return None
        key = state_key(self._request, self._settings)
        return StoredFiles(wanted.folder, key, wanted.limit_bytes)

    def _load_vision(self, stored: StoredFiles | None) -> VisionModel | None:
        path = self._request.mmproj_path
        if path is None:
            return None
        load_errors.check_file(path)
        mark = self._log.mark()
        try:
            return VisionModel(
                path,
                self._model,
                thread_count=self.threads.most,
                image_min_tokens=self._request.image_min_tokens,
                image_max_tokens=self._request.image_max_tokens,
                offload=self._settings.offload,
                flash_attention=self._request.flash_attention,
                stored=stored,
            )
        except ValueError as error:
            lines = self._log.since(mark)
            raise load_errors.projector_error(path, self._request.name, lines) from error

    def _open_context(self, batch_size: int) -> None:
        mark = self._log.mark()
        params = self._context_params(batch_size)
        context = lib.llama_init_from_model(self._model, params)
        if not context and params.type_k != lib.GGML_TYPE_F16:
            # Not every model's heads can be divided into blocks of that type.
            params.type_k = params.type_v = lib.GGML_TYPE_F16
            context = lib.llama_init_from_model(self._model, params)
        lines = self._log.since(mark)
        if not context:
            raise load_errors.memory_error("\n".join(lines[-8:]))
        self._context = int(context)
        if not lib.llama_get_memory(context) or not lib.llama_model_has_decoder(self._model):
            raise ModelLoadError(
                f"{self._request.model_path.name} is not a model that writes answers.",
                hint="Choose a chat model.",
            )
        self.batch_size = batch_size
        self.batch = TokenBatch(batch_size)
        self.pace = Pace(batch_size)
        self.kv_cache_bytes = memory_use.kv_cache_bytes(lines)
        self.compute_bytes = memory_use.compute_bytes(lines)
        model = self._model
        self.cache = PrefixCache(
            self._context,
            window=int(lib.llama_model_n_swa(model)),
            recurrent=lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model),
        )

    def _context_params(self, batch_size: int) -> lib.llama_context_params:
        params = lib.llama_context_default_params()
        params.n_ctx = self.context_length
        params.n_batch = batch_size
        params.n_ubatch = batch_size
        # Few rows of logits are ever read: saves vocabulary x batch floats of scratch.
        params.n_outputs_max = params.n_outputs_max_per_seq = MOST_GUESSED + 1
        params.n_threads = self._thread_count
        params.n_threads_batch = self._thread_count
        if not self._settings.offload:
            params.offload_kqv = False
            params.op_offload = False
        if not self._request.flash_attention:
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        elif self._request.kv_cache_type == "q8_0":
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_ENABLED
            params.type_k = params.type_v = lib.GGML_TYPE_Q8_0
        return params

    def _free_context(self) -> None:
        if self._context:
            lib.llama_free(self._context)
            self._context = 0

    def _warm_up(self) -> None:
        """Evaluate once, so that a machine that cannot do it shows now, and weights are read."""
        lib.llama_set_warmup(self._context, True)
        token = max(0, int(lib.llama_vocab_bos(self.tokenizer.vocab)))
        self.watch_evaluation(self._watch.should_stop)
        status = self.evaluate_tokens([token, token], 0, output_count=1)
        self.watch_evaluation(None)
        lib.llama_synchronize(self._context)
        lib.llama_set_warmup(self._context, False)
        self.cache.clear()
        if status == _ABORTED:
            raise Cancelled
        if status != 0:
            raise load_errors.memory_error(self._log.tail())


def _text(value: bytes | None) -> str:
    return value.decode("utf-8", "replace") if value else ""
