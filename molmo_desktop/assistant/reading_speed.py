# SPDX-License-Identifier: Apache-2.0
"""How fast each model reads on this machine, learned from its answers and kept in a JSON file.

It decides how much of a document is read. Were it forgotten at each start, the same document
would be read in another way after it than before.
"""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

from molmo_desktop.core.files import write_atomically

logger = logging.getLogger(__name__)

_DEFAULT_TOKENS_PER_S = 150.0  # until this machine was measured; low on purpose
_LEAST_TOKENS = 64  # a shorter prompt says little
_NOTABLE_CHANGE = 0.1
_MOST_MODELS = 64


class ReadingSpeed:
    """Tokens of a prompt that each model evaluates in a second.

    Args:
        path: Remembers them; None = for this run only. An unreadable file counts as empty.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._tokens_per_s = _read(path) if path is not None else {}
        self._saved = dict(self._tokens_per_s)

    def learn(self, model_path: str, token_count: int, duration_s: float) -> None:
        """Take one measurement into account."""
        if token_count < _LEAST_TOKENS or duration_s <= 0:
            return
        new = token_count / duration_s
        old = self._tokens_per_s.pop(model_path, new)
        self._tokens_per_s[model_path] = 0.5 * old + 0.5 * new
        saved = self._saved.get(model_path, 0.0)
        if abs(self._tokens_per_s[model_path] - saved) > saved * _NOTABLE_CHANGE:
            self._save()

    def tokens_per_s(self, model_path: str) -> float:
        """Return the speed of a model, or a careful guess before its first answer."""
        return self._tokens_per_s.get(model_path, _DEFAULT_TOKENS_PER_S)

    def _save(self) -> None:
        if self._path is None:
            return
        newest = dict(list(self._tokens_per_s.items())[-_MOST_MODELS:])
        try:
            write_atomically(self._path, json.dumps({"tokens_per_s": newest}, indent=2) + "\n")
        except OSError as error:
            logger.info("The reading speed could not be kept: %s", error)
            return
        self._saved = newest


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["tokens_per_s"]
        speeds = {str(name): float(value) for name, value in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: value for name, value in speeds.items() if 0 < value < math.inf}
