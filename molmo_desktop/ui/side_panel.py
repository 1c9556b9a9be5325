# SPDX-License-Identifier: Apache-2.0
"""The right column: the page, the evidence, the live figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QSplitter, QVBoxLayout, QWidget

from molmo_desktop.core.answer import Evidence, Point
from molmo_desktop.core.pages import Document
from molmo_desktop.services.document_service import DocumentService
from molmo_desktop.ui.controls import label, line
from molmo_desktop.ui.evidence_list import EvidenceList
from molmo_desktop.ui.live_panel import LivePanel
from molmo_desktop.ui.page_viewer import PageViewer
from molmo_desktop.ui.theme import GAP_PX, PANEL_MAX_PX, PANEL_MIN_PX

_EVIDENCE_SHARE = 0.42  # of the column, at most


class SidePanel(QFrame):
    """Shows where an answer comes from.

    Args:
        documents: Draws the pages.
        document_of: Returns what was read of an attached file, None when it is not there.
    """

    def __init__(
        self,
        documents: DocumentService,
        document_of: Callable[[Path], Document | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self.setMinimumWidth(PANEL_MIN_PX)
        self.setMaximumWidth(PANEL_MAX_PX)
        self._document_of = document_of
        self._waiting: Evidence | None = None
        self._points: tuple[Point, ...] = ()
        self.viewer = PageViewer(documents)
        self.evidence = EvidenceList()
        self.live = LivePanel()
        self._heading = label("Evidence", "heading")
        self._evidence_holder = QFrame()
        self._evidence_holder.setProperty("role", "surface")
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self._lay_out()
        self.evidence.chosen.connect(self.show_passage)
        self.evidence.grown.connect(self._fit_evidence)
        self.clear()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self._evidence_holder)
        column.setContentsMargins(0, GAP_PX, 0, 0)
        column.setSpacing(6)
        self._heading.setContentsMargins(12, 0, 12, 0)
        column.addWidget(self._heading)
        column.addWidget(self.evidence, 1)
        self.splitter.addWidget(self.viewer)
        self.splitter.addWidget(self._evidence_holder)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.viewer.setMinimumHeight(120)
        self._evidence_holder.setMinimumHeight(90)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.splitter, 1)
        layout.addWidget(line())
        layout.addWidget(self.live)

    def clear(self) -> None:
        """Show no file and no evidence."""
        self._waiting, self._points = None, ()
        self.show_evidence([], "")
        self.viewer.clear()

    # --- evidence --------------------------------------------------------------------------

    def show_evidence(self, evidence: list[Evidence], words: str) -> None:
        """Show the passages of an answer as cards; none hides the list."""
        self.evidence.show_evidence(evidence, words)
        self._evidence_holder.setVisible(bool(evidence))
        if not evidence:
            self.viewer.clear_marks()
        count = len(evidence)
        self._heading.setText("Evidence" if count < 2 else f"Evidence · {count} passages")
        if evidence:
            # After the cards have found their places.
            QTimer.singleShot(0, self, self._fit_evidence)

    def _fit_evidence(self) -> None:
        """Give the cards the room they need, and no more than their share."""
        height = self.splitter.height()
        wanted = self.evidence.content_height() + self._heading.sizeHint().height() + 18
        wanted = min(wanted, round(height * _EVIDENCE_SHARE))
        self.splitter.setSizes([height - wanted, wanted])

    def show_passage(self, evidence: Evidence) -> None:
        """Open the page of a passage, with the passage marked."""
        self.evidence.mark_chosen(evidence)
        document = self._document_of(Path(evidence.file))
        if document is None:
            self._waiting = evidence
            name = Path(evidence.file).name
            self.viewer.show_message(
                f"{name} is not attached or not read, so its page cannot be shown."
            )
            return
        self._waiting = None
        self.viewer.show_document(document, evidence.page, evidence=evidence, points=self._points)

    def show_points(self, points: Sequence[Point]) -> None:
        """Draw these points over the picture they belong to."""
        self._points = tuple(points)
        if not points:
            return
        document = self._document_of(Path(points[0].file))
        if document is not None:
            self.viewer.show_document(document, points[0].page, points=points)

    # --- files -----------------------------------------------------------------------------

    def show_file(self, document: Document) -> None:
        """Show a file from its first page."""
        self._waiting = None
        self.viewer.show_document(document, points=self._points)

    def on_document_ready(self, document: Document) -> None:
        """Show a file that was just read, where nothing else is shown or this was waited for."""
        waiting = self._waiting
        if waiting is not None and Path(waiting.file) == document.path:
            self.show_passage(waiting)
        elif self.viewer.document is None and waiting is None:
            self.show_file(document)

    def on_document_removed(self, paths: list[Path]) -> None:
        """Show nothing of a file that is not attached any more."""
        shown = self.viewer.document
        if shown is not None and shown.path not in paths:
            self.viewer.clear()
