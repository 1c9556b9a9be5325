# SPDX-License-Identifier: Apache-2.0
"""The passages of the chosen answer, each as a card that is a button."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from molmo_desktop.core.answer import Evidence
from molmo_desktop.services.answer_words import relevance_in_words
from molmo_desktop.ui.controls import (
    CardButton,
    ElidedLabel,
    follow_in_tab_order,
    label,
    set_property,
)
from molmo_desktop.ui.page_headings import without_mark
from molmo_desktop.ui.theme import GAP_PX, TIGHT_PX

_MAX_CHARACTERS = 320
_WORD = re.compile(r"\w[\w.,'’-]*\w|\w")
_TOO_COMMON_BELOW = 3
_PAUSE_MS = 15  # between two cards, so that everything else has its turn


class EvidenceCard(CardButton):
    """One passage: file and page, the words with what matched in bold, and why it is shown."""

    def __init__(self, number: int, evidence: Evidence, matched: frozenset[str]) -> None:
        super().__init__("evidence")
        self.evidence = evidence
        name = Path(evidence.file).name
        place = f"{name} · page {evidence.page}"
        relevance = relevance_in_words(evidence)
        heading = ElidedLabel(place)
        heading.setProperty("role", "heading")
        badge = label(str(number + 1), "badge")
        passage = label(wrap=True)
        passage.setTextFormat(Qt.TextFormat.RichText)
        passage.setText(bold_matches(_shortened(evidence), matched))
        why = label(relevance, "caption")
        top = QHBoxLayout()
        top.setSpacing(GAP_PX)
        top.addWidget(badge)
        top.addWidget(heading, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, GAP_PX, 12, GAP_PX)
        layout.setSpacing(TIGHT_PX)
        layout.addLayout(top)
        layout.addWidget(passage)
        layout.addWidget(why)
        self.setAccessibleName(
            f"Passage {number + 1}, {name}, page {evidence.page}. {relevance}. {evidence.text}"
        )
        self.setToolTip("Show it on the page")

    def hasHeightForWidth(self) -> bool:
        """The passage wraps: narrow cards are higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the card at that width."""
        layout = self.layout()
        return layout.heightForWidth(width) if layout is not None else -1


class EvidenceList(QScrollArea):
    """The cards of one answer.

    Attributes:
        chosen: A card was pressed; carries its `Evidence`.
        grown: Further cards were added: they come one after the other, so that the window goes on.
    """

    chosen = Signal(object)
    grown = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evidenceList")
        self.setAccessibleName("Evidence")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setAcceptDrops(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        content = QWidget()
        content.setProperty("role", "clear")
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(GAP_PX, 0, GAP_PX, GAP_PX)
        self._layout.setSpacing(GAP_PX)
        self._layout.addStretch()
        self._cards: list[EvidenceCard] = []
        self._waiting: list[Evidence] = []
        self._matched: frozenset[str] = frozenset()
        self._chosen: Evidence | None = None
        self._adding = QTimer(self)
        self._adding.timeout.connect(self._add_next)
        self.setWidget(content)

    @property
    def cards(self) -> tuple[EvidenceCard, ...]:
        """The cards from the top."""
        return tuple(self._cards)

    def show_evidence(self, evidence: list[Evidence], words: str) -> None:
        """Show the passages of an answer.

        Args:
            evidence: Those that the answer rests on come first.
            words: Question and answer; their words are bold where they stand in a passage.
        """
        for card in self._cards:
            self._layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._matched = matched_words(words)
        self._cards, self._waiting, self._chosen = [], list(evidence), None
        if evidence:
            self._add_next()
            self._adding.start(_PAUSE_MS)
        self.verticalScrollBar().setValue(0)

    def _add_next(self) -> None:
        """Add one more card, if there is one."""
        if not self._waiting:
            self._adding.stop()
            self.grown.emit()
            return
        item = self._waiting.pop(0)
        card = EvidenceCard(len(self._cards), item, self._matched)
        card.clicked.connect(lambda: self.chosen.emit(item))
        set_property(card, "chosen", item == self._chosen)
        self._layout.insertWidget(len(self._cards), card)
        follow_in_tab_order(self._cards[-1] if self._cards else self, [card])
        self._cards.append(card)

    def content_height(self) -> int:
        """Return how high all cards are together."""
        width = self.viewport().width() - 2 * GAP_PX
        return sum(card.heightForWidth(width) + GAP_PX for card in self._cards)

    def mark_chosen(self, evidence: Evidence) -> None:
        """Outline the card of the passage that the viewer shows."""
        self._chosen = evidence
        for card in self._cards:
            set_property(card, "chosen", card.evidence == evidence)
            if card.evidence == evidence:
                self.ensureWidgetVisible(card, 0, GAP_PX)


def matched_words(text: str) -> frozenset[str]:
    """Return the words of a text that are worth to be made bold, folded."""
    words = (match.group().casefold() for match in _WORD.finditer(text))
    return frozenset(
        word
        for word in words
        if word not in _COMMON and (len(word) >= _TOO_COMMON_BELOW or word.isdigit())
    )


def bold_matches(text: str, matched: frozenset[str]) -> str:
    """Return a text as rich text, with the matched words in bold and everything else escaped."""
    parts, end = [], 0
    for match in _WORD.finditer(text):
        parts.append(escape(text[end : match.start()]))
        word = escape(match.group())
        parts.append(f"<b>{word}</b>" if match.group().casefold() in matched else word)
        end = match.end()
    parts.append(escape(text[end:]))
    return "".join(parts).replace("\n", "<br>")


def _shortened(evidence: Evidence) -> str:
    lines = [without_mark(" ".join(line.split())) for line in evidence.text.splitlines()]
    # On a page with boxes the lines end where the page does; elsewhere they are rows or items.
    words = (" " if evidence.boxes else "\n").join(line for line in lines if line)
    return words if len(words) <= _MAX_CHARACTERS else words[:_MAX_CHARACTERS].rstrip() + "…"


# Too frequent to say anything about why a passage matches.
_COMMON = frozenset(
    {"the", "and", "for", "are", "was", "were", "has", "have", "had", "not", "but", "with"}
    | {"from", "this", "that", "what", "when", "where", "who", "whom", "which", "how", "why"}
    | {"does", "did", "can", "will", "shall", "may", "its", "into", "than", "then", "there"}
    | {"their", "they", "you", "your", "our", "any", "all", "much", "many"}
)
