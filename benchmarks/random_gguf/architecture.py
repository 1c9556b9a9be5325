# SPDX-License-Identifier: Apache-2.0
"""Which tensors an architecture has: llama.cpp itself says so.

llama.cpp can make a model out of metadata alone and asks for the data of each tensor. Nothing
is given to it here; the names and shapes that it asks for are the answer. So every
architecture that it knows can be made, without a table of ours.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from random_gguf.gguf_file import Metadata, Tensor, head

# What llama.cpp accepts although no common model has it.
USUALLY_ABSENT = (r"scale$", r"^cls\.", r"^output\.bias$")


def tensors_of(metadata: Metadata, omit: Sequence[str] = ()) -> list[Tensor]:
    """Return the tensors of the model that the metadata describe, without types or values.

    Args:
        metadata: With the tokenizer, because the size of the vocabulary comes from it.
        omit: Patterns of names of optional tensors that this model does without.

    Raises:
        ValueError: llama.cpp does not accept the metadata; its log says why.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metadata.gguf"
        path.write_bytes(head(metadata))
        # llama.cpp ends its process at some wrong metadata.
        child = context.Process(target=_serve, args=(theirs, str(path)), daemon=True)
        child.start()
        theirs.close()
        try:
            named: list[tuple[str, tuple[int, ...]]] = ours.recv()
        except EOFError:
            named = []
        child.join()
        child.close()
        ours.close()
    if not named:
        raise ValueError(f"llama.cpp makes no {metadata['general.architecture']} of this")
    unwanted = re.compile("|".join([*USUALLY_ABSENT, *omit]))
    return [Tensor(name, shape) for name, shape in named if not unwanted.search(name)]


def _serve(connection: Connection, path: str) -> None:
    """Send the names and shapes that llama.cpp asks for."""
    os.environ["GGML_NO_BACKTRACE"] = "1"
    from llama_cpp import llama_cpp as lib

    def log(level: int, text: bytes, _data: object) -> None:
        if level == 4:  # errors
            sys.stderr.write(text.decode("utf-8", "replace"))

    callback = lib.llama_log_callback(log)
    lib.llama_log_set(callback, None)
    lib.llama_backend_init()
    native = _gguf_functions(lib._lib)
    metadata = native.gguf_init_from_file(path.encode(), _InitParams(True, None))
    found = native.gguf_init_empty()

    def take(tensor: int, _data: object) -> None:
        # Tensors that several layers share are asked for more than once.
        if native.gguf_find_tensor(found, native.ggml_get_name(tensor)) < 0:
            native.gguf_add_tensor(found, tensor)

    params = lib.llama_model_default_params()
    params.n_gpu_layers = 0
    # The memory of the weights is reserved but never touched, so it costs nothing.
    taker = lib.llama_model_set_tensor_data_t(take)
    if lib.llama_model_init_from_user(metadata, taker, None, params):
        connection.send(
            [
                (native.gguf_get_tensor_name(found, index).decode(), _shape(native, found, index))
                for index in range(native.gguf_get_n_tensors(found))
            ]
        )
    connection.close()


def _shape(native: ctypes.CDLL, found: int, index: int) -> tuple[int, ...]:
    lengths = list(native.gguf_get_tensor_ne(found, index)[:4])
    while len(lengths) > 1 and lengths[-1] == 1:
        lengths.pop()
    return tuple(lengths)


class _InitParams(ctypes.Structure):
    _fields_ = [("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p)]


def _gguf_functions(native: ctypes.CDLL) -> ctypes.CDLL:
    """Describe the functions of ggml that the binding does not."""
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
    for name, result, arguments in (
        ("gguf_init_from_file", pointer, [text, _InitParams]),
        ("gguf_init_empty", pointer, []),
        ("gguf_find_tensor", number, [pointer, text]),
        ("gguf_add_tensor", None, [pointer, pointer]),
        ("gguf_get_n_tensors", number, [pointer]),
        ("gguf_get_tensor_name", text, [pointer, number]),
        ("gguf_get_tensor_ne", ctypes.POINTER(number), [pointer, number]),
        ("ggml_get_name", text, [pointer]),
    ):
        function = getattr(native, name)
        function.restype, function.argtypes = result, arguments
    return native
