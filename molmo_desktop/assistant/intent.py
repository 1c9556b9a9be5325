# SPDX-License-Identifier: Apache-2.0
"""What kind of question it is, as far as reading depends on it."""

from __future__ import annotations

import re

_WHOLE_DOCUMENT = re.compile(
    r"\b(summar(y|ise|ize|ies)\w*|overview|outline|key points|main points|what is (this|it) about"
    r"|tell me about (this|the) (document|file)|describe (this|the) (document|file|text)"
    r"|list (all|every)|translate|comment on|zusammenfass\w*|fasse\b|résum\w*|resum\w*)",
    re.IGNORECASE,
)
_REFERS_BACK = re.compile(
    r"\b(it|its|they|them|their|he|she|his|her|this|that|these|those|there|then|and)\b",
    re.IGNORECASE,
)
_SHORT_WORDS = 5
# What a search can use of a question. People paste whole texts; the rest only costs time.
_SEARCH_CHARACTERS = 2000


def is_about_whole_document(question: str) -> bool:
    """Whether the question asks for all of the document, so that no single passage answers it."""
    return bool(_WHOLE_DOCUMENT.search(question))


def search_text(question: str, earlier_question: str) -> str:
    """Return what to search for: a follow-up ("and its price?") takes the earlier words along."""
    question = question[:_SEARCH_CHARACTERS]
    follows_up = len(question.split()) <= _SHORT_WORDS and _REFERS_BACK.search(question)
    return f"{question} {earlier_question}" if follows_up and earlier_question else question


def telling_part(question: str) -> str:
    """Return what of a question is compared with the documents."""
    return question[:_SEARCH_CHARACTERS]
