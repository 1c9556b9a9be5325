# SPDX-License-Identifier: Apache-2.0
"""How requests, events and results of the engine look on the pipe (`core/wire.py`).

Everything is JSON; the pixels of pictures travel as blobs beside it, in the order of
`GenerateRequest.images`. Both ends are ours, but the text inside comes from strangers' files:
that is why nothing here is pickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from molmo_desktop.core.answer import ModelInfo
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.events import (
    ChatMessage,
    EngineEvent,
    EngineNoticeEvent,
    GenerateRequest,
    Generation,
    LoadedModel,
    LoadRequest,
    ProgressEvent,
    StoredStates,
    TokenEvent,
)

_EVENTS: dict[str, type[ProgressEvent] | type[TokenEvent] | type[EngineNoticeEvent]] = {
    "progress": ProgressEvent,
    "token": TokenEvent,
    "notice": EngineNoticeEvent,
}
_EVENT_NAMES = {kind: name for name, kind in _EVENTS.items()}


def encode_load(request: LoadRequest) -> dict[str, Any]:
    """Return the request as plain data."""
    data = asdict(request)
    data["model_path"] = str(request.model_path)
    data["mmproj_path"] = None if request.mmproj_path is None else str(request.mmproj_path)
    if request.stored_states is not None:
        data["stored_states"]["folder"] = str(request.stored_states.folder)
    return data


def decode_load(data: dict[str, Any]) -> LoadRequest:
    """Rebuild a request; the inverse of `encode_load`."""
    mmproj, states = data["mmproj_path"], data["stored_states"]
    rebuilt = {
        "model_path": Path(data["model_path"]),
        "mmproj_path": None if mmproj is None else Path(mmproj),
        "stored_states": states and StoredStates(**{**states, "folder": Path(states["folder"])}),
    }
    return LoadRequest(**{**data, **rebuilt})


def encode_messages(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Return the conversation as plain data."""
    return [asdict(message) for message in messages]


def decode_messages(data: Sequence[dict[str, Any]]) -> tuple[ChatMessage, ...]:
    """Rebuild a conversation; the inverse of `encode_messages`."""
    return tuple(ChatMessage(item["role"], item["text"], tuple(item["images"])) for item in data)


def encode_generate(request: GenerateRequest) -> tuple[dict[str, Any], list[bytes]]:
    """Return the request as plain data, and the pixels of its pictures."""
    data = {
        "messages": encode_messages(request.messages),
        "images": [[image.width_px, image.height_px, image.scale] for image in request.images],
        "max_new_tokens": request.max_new_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop),
        "cold": request.cold,
        "owner": request.owner,
        "is_private": request.is_private,
        "dump_logits": None if request.dump_logits is None else str(request.dump_logits),
        "grammar": request.grammar,
        "breaks_loops": request.breaks_loops,
        "guesses": request.guesses,
    }
    return data, [image.rgb for image in request.images]


def decode_generate(data: dict[str, Any], blobs: Sequence[bytes]) -> GenerateRequest:
    """Rebuild a request; the inverse of `encode_generate`."""
    images = tuple(
        PageImage(int(width), int(height), rgb, float(scale))
        for (width, height, scale), rgb in zip(data["images"], blobs, strict=True)
    )
    dump = data["dump_logits"]
    rest = {
        "messages": decode_messages(data["messages"]),
        "images": images,
        "stop": tuple(data["stop"]),
        "dump_logits": None if dump is None else Path(dump),
    }
    return GenerateRequest(**{**data, **rest})


def encode_event(event: EngineEvent) -> dict[str, Any]:
    """Return an event as plain data."""
    return {"event": _EVENT_NAMES[type(event)], **asdict(event)}


def decode_event(data: dict[str, Any]) -> EngineEvent:
    """Rebuild an event; the inverse of `encode_event`."""
    values = {key: value for key, value in data.items() if key != "event"}
    return _EVENTS[data["event"]](**values)


def decode_loaded(data: dict[str, Any]) -> LoadedModel:
    """Rebuild a loaded model from ``asdict``."""
    return LoadedModel(**{**data, "info": ModelInfo(**data["info"])})


def decode_generation(data: dict[str, Any]) -> Generation:
    """Rebuild a finished answer from ``asdict``."""
    return Generation(**{**data, "completion_ids": tuple(data["completion_ids"])})
