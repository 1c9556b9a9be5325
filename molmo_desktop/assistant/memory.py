# SPDX-License-Identifier: Apache-2.0
"""What was sent to the model in each conversation, so that the next question repeats it.

Only a prompt that begins to the letter as the last one did can go on from the model's state. The
newest conversations are held in memory; those that are not private are also kept on the disk,
beside the stored states that they belong to, for after a restart.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from molmo_desktop.assistant.plan import Picture
from molmo_desktop.assistant.points import display_text
from molmo_desktop.assistant.prompting import SentTurn
from molmo_desktop.assistant.requests import Turn
from molmo_desktop.core.files import write_atomically
from molmo_desktop.core.pages import Document
from molmo_desktop.retrieval.passages import Passage

logger = logging.getLogger(__name__)

_MOST_HELD = 16
_VERSION = 1


class ConversationMemory:
    """The turns of conversations as they were sent.

    Args:
        folder: For after a restart; None = in memory only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._turns: OrderedDict[str, list[SentTurn]] = OrderedDict()

    def recall(
        self, key: str, history: Sequence[Turn], documents: Sequence[Document] = ()
    ) -> list[SentTurn]:
        """Return the earlier turns; those edited since or not known any more as bare questions.

        Where the oldest were left out, because the conversation no longer fitted, they are again.

        Args:
            key: Of the conversation.
            history: What was asked and answered before.
            documents: The conversation's files, for the pictures that were looked at.
        """
        known = self._turns.get(key) or (self._load(key, documents) if history else [])
        dropped = len(history) - len(known)
        if known and dropped > 0 and all(map(_is_same, known, history[dropped:])):
            return list(known)  # the oldest did not fit any more, and would not now
        recalled: list[SentTurn] = []
        for number, turn in enumerate(history):
            same = number < len(known) and _is_same(known[number], turn)
            if not same:
                known = []
            recalled.append(known[number] if same else _as_bare_question(turn))
        return recalled

    def remember(self, key: str, turns: Sequence[SentTurn], *, on_disk: bool = True) -> None:
        """Keep the turns of a conversation; the longest unused one leaves memory."""
        if not key:
            return
        self._turns[key] = list(turns)
        self._turns.move_to_end(key)
        while len(self._turns) > _MOST_HELD:
            self._turns.popitem(last=False)
        if on_disk:
            self._save(key, turns)
        else:
            self._delete(key)

    def forget(self, key: str) -> None:
        """Forget a conversation, on the disk too."""
        self._turns.pop(key, None)
        self._delete(key)

    def forget_all(self) -> None:
        """Forget what is in memory; the files are deleted with the stored states."""
        self._turns.clear()

    def _file(self, key: str) -> Path | None:
        if self._folder is None or not key:
            return None
        return self._folder / f"{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}.json"

    def _save(self, key: str, turns: Sequence[SentTurn]) -> None:
        path = self._file(key)
        if path is None:
            return
        data = {"version": _VERSION, "turns": [_as_data(turn) for turn in turns]}
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, json.dumps(data, ensure_ascii=False))
        except OSError as error:
            logger.info("What was sent could not be kept: %s", error)

    def _load(self, key: str, documents: Sequence[Document]) -> list[SentTurn]:
        path = self._file(key)
        if path is None:
            return []
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["version"] != _VERSION:
                return []
            return [_from_data(turn, documents) for turn in data["turns"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _delete(self, key: str) -> None:
        path = self._file(key)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _as_data(turn: SentTurn) -> dict[str, Any]:
    pictures = [[item.document.content_hash, item.page_number] for item in turn.pictures]
    return {
        "question": turn.question,
        "text": turn.text,
        "answer": turn.answer,
        "passages": [asdict(passage) for passage in turn.passages],
        "pictures": pictures,
    }


def _from_data(data: dict[str, Any], documents: Sequence[Document]) -> SentTurn:
    """Rebuild a turn.

    Raises:
        KeyError: It looked at a picture that the conversation does not have any more.
    """
    by_hash = {document.content_hash: document for document in documents}
    return SentTurn(
        data["question"],
        data["text"],
        data["answer"],
        tuple(Passage(**passage) for passage in data["passages"]),
        tuple(Picture(by_hash[key], int(number)) for key, number in data["pictures"]),
    )


def _is_same(sent: SentTurn, turn: Turn) -> bool:
    return sent.question == turn.question and turn.answer in (
        sent.answer,
        display_text(sent.answer),
    )


def _as_bare_question(turn: Turn) -> SentTurn:
    return SentTurn(turn.question, turn.question, turn.answer)
