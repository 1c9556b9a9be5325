# SPDX-License-Identifier: Apache-2.0
"""What a stored state depends on, beside the prompt: model, projector, settings, library."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from molmo_desktop.engine.events import LoadRequest
from molmo_desktop.engine.safe_settings import EngineSettings, machine_key

_SAMPLE_BYTES = 1 << 18
_SAMPLE_COUNT = 16


def state_key(request: LoadRequest, settings: EngineSettings) -> str:
    """Return a name for all states that can be used by a model that is loaded like this."""
    parts = {
        "machine": machine_key(),
        "model": file_key(request.model_path),
        "projector": request.mmproj_path and file_key(request.mmproj_path),
        "settings": vars(settings),
        "context_length": request.context_length,
        "flash_attention": request.flash_attention,
        "kv_cache_type": request.kv_cache_type,
        "image_tokens": [request.image_min_tokens, request.image_max_tokens],
    }
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def file_key(path: Path) -> str:
    """Return a digest of a file's size and of pieces of it, from the first byte to the last.

    Reading all of a model would take longer than reading the document again.
    """
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as stream:
        for number in range(_SAMPLE_COUNT):
            stream.seek(max(0, size - _SAMPLE_BYTES) * number // (_SAMPLE_COUNT - 1))
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()
