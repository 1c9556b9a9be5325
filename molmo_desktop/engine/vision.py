# SPDX-License-Identifier: Apache-2.0
"""Pictures for the language model, through mtmd: preparing, encoding, evaluating.

A picture becomes a row of parts: tokens that announce it, and one or more chunks (an overview
and tiles, for some models). Each chunk is encoded once into embeddings, which are kept, least
recently used first out, so that coming back to a picture never encodes it again.

NOTE: Parts are made for each picture by itself. That is exact for every projector whose chunks
do not depend on their place in the prompt; mtmd has two that do (HunyuanVL, DeepSeek-V4).
"""

from __future__ import annotations

import ctypes
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from llama_cpp import llama_cpp as lib
from llama_cpp import mtmd_cpp as mtmd
from numpy.typing import NDArray

from molmo_desktop.core.errors import Cancelled, DocumentUnreadableError, EngineError
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.prefix_cache import PictureUnit, Unit
from molmo_desktop.engine.stored_files import StoredFiles

_CACHE_BYTES = 256 << 20
# Prepared but never encoded: cancelled, or held in the context already. Tens of MB each.
_MOST_WAITING = 8
_ASK_EVERY_NODES = 64
_MARKER = mtmd.mtmd_default_marker()


@dataclass
class _Chunk:
    """A chunk of one picture: mtmd's handle, and the embeddings once it was encoded."""

    unit: PictureUnit
    handle: int
    embeddings: NDArray[np.float32] | None = None


@dataclass
class _Picture:
    units: tuple[Unit, ...]
    chunks: list[_Chunk]

    @property
    def is_encoded(self) -> bool:
        return all(item.embeddings is not None for item in self.chunks)

    def byte_count(self) -> int:
        return sum(0 if item.embeddings is None else item.embeddings.nbytes for item in self.chunks)


class VisionModel:
    """A projector that belongs to a language model.

    Args:
        path: The mmproj file.
        model: llama.cpp's handle of the language model.
        thread_count: For encoding.
        image_min_tokens: Lower bound of tokens a picture may cost; 0 = the model's own.
        image_max_tokens: Upper bound; 0 = the model's own.
        offload: Use an accelerator where there is one.
        flash_attention: May be used.
        stored: Where encoded pictures are kept on the disk; None = nowhere.
        should_stop: Asked while a picture is encoded.

    Raises:
        ValueError: mtmd refuses the file; the log says why.
    """

    def __init__(
        self,
        path: Path,
        model: int,
        *,
        thread_count: int,
        image_min_tokens: int = 0,
        image_max_tokens: int = 0,
        offload: bool = True,
        flash_attention: bool = True,
        stored: StoredFiles | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.should_stop = should_stop
        self._stored = stored
        self._settings = f"{path.name}:{image_min_tokens}:{image_max_tokens}"
        self._embedding_length = int(lib.llama_model_n_embd_inp(model))
        self._pictures: OrderedDict[str, _Picture] = OrderedDict()
        self._chunks: dict[str, _Chunk] = {}
        self._nodes = 0
        self._watch_callback = lib.ggml_backend_sched_eval_callback(self._watch)
        params = mtmd.mtmd_context_params_default()
        params.use_gpu = offload
        params.print_timings = False
        params.n_threads = thread_count
        params.warmup = False
        if not flash_attention:
            params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.image_min_tokens = image_min_tokens or -1
        params.image_max_tokens = image_max_tokens or -1
        params.cb_eval = self._watch_callback
        self._context = mtmd.mtmd_init_from_file(str(path).encode(), model, params)
        if not self._context:
            raise ValueError(str(path))
        if not mtmd.mtmd_support_vision(self._context):
            self.close()
            raise ValueError(str(path))

    def close(self) -> None:
        """Free the projector and all pictures."""
        self.forget()
        if self._context:
            mtmd.mtmd_free(self._context)
            self._context = None

    def forget(self) -> None:
        """Drop every picture."""
        while self._pictures:
            self._drop(*self._pictures.popitem())

    def prepare(self, image: PageImage) -> tuple[Unit, ...]:
        """Return what a picture adds to the prompt; it is scaled and cut, not encoded yet.

        Raises:
            DocumentUnreadableError: The model cannot take this picture.
        """
        key = self._key(image)
        picture = self._pictures.get(key)
        if picture is None:
            picture = self._pictures[key] = self._cut(key, image)
            self._chunks.update((chunk.unit.key, chunk) for chunk in picture.chunks)
        self._pictures.move_to_end(key)
        return picture.units

    def is_encoded(self, unit: PictureUnit) -> bool:
        """Whether the embeddings of a chunk are held."""
        return self._chunks[unit.key].embeddings is not None

    def encode(self, unit: PictureUnit) -> None:
        """Compute the embeddings of a chunk, unless they are held.

        Raises:
            Cancelled: `should_stop` said so.
            EngineError: The encoder failed.
        """
        chunk = self._chunks[unit.key]
        if chunk.embeddings is not None:
            return
        self._nodes = 0
        result = mtmd.mtmd_encode_chunk(self._context, chunk.handle)
        if self.should_stop():
            raise Cancelled
        if result != 0:
            raise EngineError("The picture could not be encoded.", hint="Try a smaller picture.")
        output = mtmd.mtmd_get_output_embd(self._context)
        shape = (unit.token_count, self._embedding_length)
        chunk.embeddings = np.ctypeslib.as_array(output, shape).copy()
        self._let_pixels_go(chunk)

    def recall(self, unit: PictureUnit) -> bool:
        """Take the embeddings of a chunk from the disk; return whether they are held then."""
        stored = self._stored.read(_file_name(unit)) if self._stored is not None else None
        if stored is None or len(stored.data) != unit.token_count * self._embedding_length * 4:
            return False
        values = np.frombuffer(stored.data, np.float32)
        chunk = self._chunks[unit.key]
        chunk.embeddings = values.reshape(unit.token_count, self._embedding_length)
        self._let_pixels_go(chunk)
        return True

    def store(self, unit: PictureUnit, owner: str) -> None:
        """Keep the embeddings of a chunk on the disk, if they are held."""
        chunk = self._chunks.get(unit.key)
        if self._stored is not None and chunk is not None and chunk.embeddings is not None:
            self._stored.write(_file_name(unit), {"owner": owner}, [chunk.embeddings])

    def needs_one_batch(self, unit: PictureUnit) -> bool:
        """Whether the chunk's tokens look at each other, so that they cannot be split."""
        return bool(mtmd.mtmd_decode_use_non_causal(self._context, self._chunks[unit.key].handle))

    def evaluate(self, context: int, unit: PictureUnit, position: int, batch_size: int) -> int:
        """Put a chunk's embeddings into the context.

        Args:
            context: llama.cpp's handle.
            unit: A chunk that was encoded.
            position: Where it begins.
            batch_size: Tokens at once.

        Returns:
            llama.cpp's status, 0 for success.
        """
        chunk = self._chunks[unit.key]
        if chunk.embeddings is None:
            raise ValueError(f"chunk {unit.key} was not encoded")
        after = lib.llama_pos(0)
        return int(
            mtmd.mtmd_helper_decode_image_chunk(
                self._context,
                context,
                chunk.handle,
                chunk.embeddings.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
                position,
                0,
                batch_size,
                ctypes.byref(after),
                mtmd.mtmd_helper_post_decode_callback(),
                None,
            )
        )

    def trim(self) -> None:
        """Drop the pictures that were not used for longest, down to the bounds of memory."""
        waiting = [key for key, picture in self._pictures.items() if not picture.is_encoded]
        for key in waiting[:-_MOST_WAITING]:
            self._drop(key, self._pictures.pop(key))
        held = sum(picture.byte_count() for picture in self._pictures.values())
        while held > _CACHE_BYTES and len(self._pictures) > 1:
            key, picture = self._pictures.popitem(last=False)
            held -= picture.byte_count()
            self._drop(key, picture)

    def _let_pixels_go(self, chunk: _Chunk) -> None:
        """Keep only the sizes of a chunk: its prepared pixels have done their work."""
        placeholder = mtmd.mtmd_input_chunk_get_placeholder(chunk.handle)
        mtmd.mtmd_input_chunk_free(chunk.handle)
        chunk.handle = placeholder

    def _key(self, image: PageImage) -> str:
        digest = hashlib.blake2b(digest_size=16)
        digest.update(f"{self._settings}:{image.width_px}x{image.height_px}:".encode())
        digest.update(image.rgb)
        return digest.hexdigest()

    def _cut(self, key: str, image: PageImage) -> _Picture:
        """Let mtmd scale and cut a picture into chunks."""
        if min(image.width_px, image.height_px) < 1 or len(image.rgb) != (
            image.width_px * image.height_px * 3
        ):
            raise DocumentUnreadableError("The picture has no pixels.", hint="Try another file.")
        pixels = ctypes.cast(ctypes.c_char_p(image.rgb), ctypes.POINTER(ctypes.c_uint8))
        bitmap = mtmd.mtmd_bitmap_init(image.width_px, image.height_px, pixels)
        chunks = mtmd.mtmd_input_chunks_init()
        try:
            text = mtmd.mtmd_input_text(_MARKER, len(_MARKER), False, True)
            bitmaps = (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap)
            if mtmd.mtmd_tokenize(self._context, chunks, ctypes.byref(text), bitmaps, 1) != 0:
                raise DocumentUnreadableError(
                    "The model cannot take this picture.",
                    hint="Try it in another size or shape.",
                )
            return _collect(key, chunks)
        finally:
            mtmd.mtmd_input_chunks_free(chunks)
            mtmd.mtmd_bitmap_free(bitmap)

    def _drop(self, _key: str, picture: _Picture) -> None:
        for chunk in picture.chunks:
            self._chunks.pop(chunk.unit.key, None)
            mtmd.mtmd_input_chunk_free(chunk.handle)

    def _watch(self, _tensor: int, ask: bool, _user_data: int) -> bool:
        """Answer the encoder's scheduler, now and then: go on, or break off.

        An encoder cannot be interrupted otherwise, and may take many seconds.
        """
        if not ask:
            return not self.should_stop()
        self._nodes += 1
        return self._nodes % _ASK_EVERY_NODES == 0


def _file_name(unit: PictureUnit) -> str:
    return unit.key.replace(":", "-") + ".picture"


def _collect(key: str, chunks: int) -> _Picture:
    units: list[Unit] = []
    kept: list[_Chunk] = []
    for index in range(mtmd.mtmd_input_chunks_size(chunks)):
        handle = mtmd.mtmd_input_chunks_get(chunks, index)
        if mtmd.mtmd_input_chunk_get_type(handle) == mtmd.MTMD_INPUT_CHUNK_TYPE_TEXT:
            units.extend(_text_tokens(handle))
            continue
        unit = PictureUnit(
            key=f"{key}:{index}",
            token_count=int(mtmd.mtmd_input_chunk_get_n_tokens(handle)),
            position_count=int(mtmd.mtmd_input_chunk_get_n_pos(handle)),
        )
        units.append(unit)
        kept.append(_Chunk(unit, mtmd.mtmd_input_chunk_copy(handle)))
    return _Picture(tuple(units), kept)


def _text_tokens(handle: int) -> Sequence[int]:
    count = ctypes.c_size_t(0)
    tokens = mtmd.mtmd_input_chunk_get_tokens_text(handle, ctypes.byref(count))
    return [int(token) for token in tokens[: count.value]]
