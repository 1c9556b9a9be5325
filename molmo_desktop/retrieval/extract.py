# SPDX-License-Identifier: Apache-2.0
"""A quotation that answers a question, without any model."""

from __future__ import annotations

from collections.abc import Sequence

from molmo_desktop.retrieval.passages import ScoredPassage


def quote_answer(question: str, ranked: Sequence[ScoredPassage]) -> str | None:
    """Return the best quotation for a question, None when unsure."""
    return None
