# SPDX-License-Identifier: Apache-2.0
"""The messages that the model gets.

Append-only, so that the engine evaluates each part once: what a question needs to read is sent
with that question unless an earlier turn sent it already, and what was sent is never rewritten.
Wording was chosen with the starter model (135 million parameters): it quotes well when the
passage stands near the question, and reasons badly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from molmo_desktop.assistant.plan import Picture, ReadingPlan
from molmo_desktop.engine.events import ChatMessage
from molmo_desktop.retrieval.passages import Passage

SYSTEM_TEXT = (
    "You answer questions about a document. "
    "Answer with the exact words of the document, in one short sentence."
)


@dataclass(frozen=True)
class SentTurn:
    """A question as it was sent to the model, what went with it, and the model's answer."""

    question: str
    text: str
    answer: str = ""
    passages: tuple[Passage, ...] = ()
    pictures: tuple[Picture, ...] = ()


def new_turn(
    question: str, plan: ReadingPlan, earlier: Sequence[SentTurn], quote: str | None
) -> SentTurn:
    """Return the turn to send: the question, and of the plan what was not sent before."""
    sent = {passage for turn in earlier for passage in turn.passages}
    seen = {_picture_key(picture) for turn in earlier for picture in turn.pictures}
    passages = tuple(passage for passage in plan.passages if passage not in sent)
    pictures = tuple(item for item in plan.pictures if _picture_key(item) not in seen)
    reads = plan.mode in ("whole", "retrieve")
    text = _question_text(question, quote) if reads else question
    if passages:
        text = f"{_document_text(plan, passages)}\n\n{text}"
    return SentTurn(question, text, passages=passages, pictures=pictures)


def build_messages(
    turns: Sequence[SentTurn],
) -> tuple[tuple[ChatMessage, ...], tuple[Picture, ...]]:
    """Return the conversation as messages, and the pictures that they refer to by number."""
    messages: list[ChatMessage] = []
    pictures: list[Picture] = []
    if any(turn.passages for turn in turns):
        messages.append(ChatMessage("system", SYSTEM_TEXT))
    for number, turn in enumerate(turns):
        indices = tuple(range(len(pictures), len(pictures) + len(turn.pictures)))
        pictures += turn.pictures
        messages.append(ChatMessage("user", turn.text, indices))
        if number < len(turns) - 1:
            messages.append(ChatMessage("assistant", turn.answer))
    return tuple(messages), tuple(pictures)


def with_answer(turn: SentTurn, answer: str) -> SentTurn:
    """Return the turn with what the model answered."""
    return replace(turn, answer=answer)


def _question_text(question: str, quote: str | None) -> str:
    lead = f"{quote.strip()}\n\n" if quote else ""
    return f"{lead}Answer from the text above. {question}"


def _document_text(plan: ReadingPlan, passages: Sequence[Passage]) -> str:
    """Return the text that the model reads, each file named where there are several."""
    names = {document.content_hash: document.path.name for document in plan.documents}
    several = len(names) > 1
    parts: list[str] = []
    last = ""
    for passage in passages:
        if passage.content_hash != last:
            last = passage.content_hash
            parts.append(f"Document {names.get(last, '')}:" if several else "Document:")
        parts.append(passage.text.strip())
    return "\n".join(parts)


def _picture_key(picture: Picture) -> tuple[str, int]:
    return picture.document.content_hash, picture.page_number
