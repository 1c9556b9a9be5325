# SPDX-License-Identifier: Apache-2.0
"""What an answer rests on: evidence located by us, points, and whether it was found at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from molmo_desktop.assistant.plan import ReadingPlan
from molmo_desktop.assistant.points import display_text, parse_points
from molmo_desktop.core.answer import Evidence, Point
from molmo_desktop.retrieval.evidence import locate, nearest
from molmo_desktop.retrieval.extract import Quote
from molmo_desktop.retrieval.support import answerable, unsupported_values


@dataclass(frozen=True)
class Grounding:
    """What was found for an answer; ``notices`` are sentences for the user."""

    found: bool
    evidence: tuple[Evidence, ...]
    points: tuple[Point, ...]
    notices: tuple[str, ...] = ()


def is_answerable(question: str, plan: ReadingPlan) -> bool:
    """Whether the documents say anything about the question; pictures always may."""
    if plan.mode not in ("whole", "retrieve") or plan.pictures or plan.is_whole_task:
        return True
    return answerable(question, plan.ranked)


def ground(answer: str, question: str, plan: ReadingPlan, quote: Quote | None = None) -> Grounding:
    """Locate an answer in what was read; an empty answer gets the nearest passages only.

    Args:
        answer: As the model wrote it.
        question: In the user's words.
        plan: What was read.
        quote: The line that most likely answers the question, found without the model.
    """
    points = _points(answer, plan)
    if plan.mode not in ("whole", "retrieve"):
        return Grounding(found=bool(answer.strip()), evidence=(), points=points)
    text = display_text(answer)
    documents = plan.documents
    cited = locate(text, question, documents, plan.passages) if text.strip() else []
    near = [] if cited else nearest(question, documents, plan.ranked)
    # What stands in a picture cannot be looked up in the text beside it.
    missing = (
        unsupported_values(text, documents, question=question) if text and not plan.pictures else []
    )
    found = bool(text.strip()) and (bool(cited) or plan.is_whole_task or bool(plan.pictures))
    notices = (*_missing_notice(missing), *_quote_notice(text, quote))
    return Grounding(found, tuple(cited or near), points, notices)


def _missing_notice(values: Sequence[str]) -> tuple[str, ...]:
    if not values:
        return ()
    listed = ", ".join(f"“{value}”" for value in values)
    verb = "does" if len(values) == 1 else "do"
    return (f"Not found in the document: {listed} {verb} not stand in what was read.",)


def _quote_notice(answer: str, quote: Quote | None) -> tuple[str, ...]:
    """Point at the line that was looked for when the answer says something else."""
    if quote is None or not quote.value or not answer.strip():
        return ()
    if _letters(quote.value) in _letters(answer):
        return ()
    line = " ".join(quote.text.split())
    return (f"Check this: the passage nearest to the question says: “{line}”",)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _points(answer: str, plan: ReadingPlan) -> tuple[Point, ...]:
    """Return the points of an answer; they lie in the first picture that was looked at."""
    if not plan.pictures:
        return ()
    picture = plan.pictures[0]
    return tuple(
        Point(str(picture.document.path), picture.page_number, p.x_percent, p.y_percent, p.label)
        for p in parse_points(answer)
    )
