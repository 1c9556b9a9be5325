# SPDX-License-Identifier: Apache-2.0
"""Text recognition by the optional package rapidocr, with the models that come in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from molmo_desktop.documents.ocr_lines import FoundWord

_MAX_THREADS = 4


def words(grey: Image.Image, beat: Callable[[], None]) -> list[FoundWord]:
    """Return the words of an image; the engine knows lines only, so that boxes are estimates."""
    beat()
    result = _engine()(np.asarray(grey.convert("RGB")), use_cls=False)
    if result.boxes is None or result.txts is None:
        return []
    scores = result.scores if result.scores is not None else [1.0] * len(result.txts)
    found: list[FoundWord] = []
    for line, (corners, text, score) in enumerate(
        zip(result.boxes, result.txts, scores, strict=True)
    ):
        xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        found.extend(
            _cut(str(text), (min(xs), min(ys), max(xs), max(ys)), 100 * float(score), line)
        )
    return found


def _cut(
    text: str, box: tuple[float, float, float, float], sure: float, line: int
) -> list[FoundWord]:
    """Return the words of a line; each gets the share of its box that its letters have."""
    x0, y0, x1, y1 = box
    step = (x1 - x0) / max(1, len(text))
    found = []
    at = 0
    for word in text.split():
        at = text.index(word, at)
        part = (x0 + at * step, y0, x0 + (at + len(word)) * step, y1)
        found.append(FoundWord(word, part, part, sure, line))
        at += len(word)
    return found


@lru_cache(maxsize=1)
def _engine() -> Any:
    """Return the engine; loading it takes a second or two."""
    from rapidocr import RapidOCR

    threads = max(1, min(_MAX_THREADS, (os.cpu_count() or 2) // 2))
    return RapidOCR(
        params={
            # The classifier turns whole lines of upright text round (CER 6.9 % instead of 0.3 %).
            "Global.use_cls": False,
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
