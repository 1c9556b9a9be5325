# SPDX-License-Identifier: Apache-2.0
"""Page numbers in a sentence: "Page 3", "Pages 2, 5 to 9 and 12"."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_PARTS = 8
_NO_TEXT = re.compile(r"Pages? .* (?:has|have) no text\.")


def page_list(numbers: Sequence[int], noun: str = "Page") -> str:
    """Return the numbers with their noun; runs are joined, a long list ends in "others"."""
    parts = _runs(sorted(set(numbers)))
    if len(parts) > _MAX_PARTS:
        parts = [*parts[: _MAX_PARTS - 1], "others"]
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{noun if len(numbers) == 1 else noun + 's'} {joined}"


def no_text_sentence(numbers: Sequence[int]) -> str:
    """Return the sentence about pages without text."""
    return f"{page_list(numbers)} {'has' if len(numbers) == 1 else 'have'} no text."


def is_no_text_sentence(sentence: str) -> bool:
    """Whether a sentence is one of those."""
    return _NO_TEXT.fullmatch(sentence) is not None


def recognised_sentence(numbers: Sequence[int]) -> str:
    """Return the sentence about pages whose text was recognised."""
    return (
        f"{page_list(numbers)} {'was' if len(numbers) == 1 else 'were'} read by text recognition."
    )


def _runs(numbers: Sequence[int]) -> list[str]:
    """Return "3", "4 to 9" and the like for each run of neighbours; two stay two."""
    parts: list[str] = []
    start = 0
    for at in range(1, len(numbers) + 1):
        if at < len(numbers) and numbers[at] == numbers[at - 1] + 1:
            continue
        run = numbers[start:at]
        if len(run) > 2:
            parts.append(f"{run[0]} to {run[-1]}")
        else:
            parts.extend(str(number) for number in run)
        start = at
    return parts
