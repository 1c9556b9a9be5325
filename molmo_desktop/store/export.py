# SPDX-License-Identifier: Apache-2.0
"""A conversation as Markdown, with the passages that its answers rest on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from molmo_desktop.store.records import AttachmentRecord, ConversationSummary, MessageRecord
from molmo_desktop.store.words import storable

_ENDINGS = {
    "writing": "still being written",
    "cancelled": "stopped by you",
    "failed": "failed",
    "interrupted": "interrupted: the program ended while this was written",
}


def conversation_as_markdown(
    conversation: ConversationSummary,
    attachments: Sequence[AttachmentRecord],
    messages: Sequence[MessageRecord],
) -> str:
    """Return the whole conversation as Markdown text that ends with a newline."""
    blocks = [f"# {conversation.title or 'Conversation'}", _date(conversation.created_at)]
    if attachments:
        blocks.append("\n".join(f"- `{item.name}`{_pages(item)}" for item in attachments))
    for message in messages:
        blocks += _question(message) if message.role == "user" else _answer(message)
    # A file's name may hold bytes that no text file can.
    return storable("\n\n".join(blocks) + "\n")


def _question(message: MessageRecord) -> list[str]:
    return ["## Question", message.text]


def _answer(message: MessageRecord) -> list[str]:
    heading = f"## Answer ({message.model_name})" if message.model_name else "## Answer"
    blocks = [heading]
    if message.text:
        blocks.append(message.text)
    if message.status in _ENDINGS:
        blocks.append(f"*({_ENDINGS[message.status]})*")
    if message.error:
        blocks.append(f"*{message.error.get('message', '')}*")
    if message.answer:
        blocks += _citations(message.answer)
        cost = _cost(message.answer)
        if cost:
            blocks.append(f"*{cost}*")
    return blocks


def _citations(answer: dict[str, Any]) -> list[str]:
    """Return numbered passages; the answer's own ones, not what merely stood near."""
    cited = [item for item in _dicts(answer.get("evidence")) if item.get("cited")]
    if not cited:
        return (
            ["*No passage of the attachments was found for this answer.*"]
            if (answer.get("found") is False)
            else []
        )
    lines = []
    for number, item in enumerate(cited, start=1):
        passage = " ".join(str(item.get("text", "")).split())
        name = Path(str(item.get("file", ""))).name
        lines.append(f"{number}. `{name}`, page {item.get('page', '?')}: “{passage}”")
    return ["### Where it comes from", "\n".join(lines)]


def _cost(answer: dict[str, Any]) -> str:
    energy = answer.get("energy")
    if not isinstance(energy, dict) or not isinstance(energy.get("energy_j"), int | float):
        return ""
    words = f"{energy['energy_j']:.3g} J ({energy.get('kind', 'not available')})"
    if isinstance(energy.get("carbon_g"), int | float):
        words += f", {energy['carbon_g']:.2g} g CO2e"
    return words


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _pages(item: AttachmentRecord) -> str:
    if item.is_picture or item.page_count is None:
        return ""
    return f", {item.page_count} page" + ("" if item.page_count == 1 else "s")


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
