# SPDX-License-Identifier: Apache-2.0
"""What the window does with conversations: begin, open, list, delete, export, keep drafts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from molmo_desktop.services.backstage import Backstage
from molmo_desktop.store.records import ConversationSummary
from molmo_desktop.ui.answer_flow import AnswerFlow
from molmo_desktop.ui.conversation_column import ConversationColumn
from molmo_desktop.ui.side_panel import SidePanel
from molmo_desktop.ui.sidebar_holder import SidebarHolder
from molmo_desktop.ui.status_line import StatusLine

_PAUSE_MS = 15
_SAVE_DRAFT_MS = 1000  # after the last key


class ConversationFlow(QObject):
    """Keeps the list, the open conversation and what is typed in step with the store."""

    def __init__(
        self,
        backstage: Backstage,
        sidebars: SidebarHolder,
        column: ConversationColumn,
        panel: SidePanel,
        answers: AnswerFlow,
        status: StatusLine,
    ) -> None:
        super().__init__()
        self._backstage = backstage
        self._session = backstage.session
        self._sidebars = sidebars
        self._column = column
        self._panel = panel
        self._answers = answers
        self._status = status
        self._draft_timer = QTimer(self)
        self._draft_timer.setSingleShot(True)
        self._draft_timer.setInterval(_SAVE_DRAFT_MS)
        self._draft_timer.timeout.connect(self.save_draft)
        self._connect()

    def _connect(self) -> None:
        sidebar, session = self._sidebars.sidebar, self._session
        self._column.composer.text_changed.connect(self._draft_timer.start)
        sidebar.search_changed.connect(lambda _words: self.list_all())
        sidebar.list.chosen.connect(self.open)
        sidebar.list.renamed.connect(self._backstage.conversations.rename)
        sidebar.list.private_wanted.connect(session.set_private)
        session.opened.connect(self._on_opened)
        session.identified.connect(self._on_identified)
        session.private_changed.connect(self._column.private_line.setVisible)
        self._backstage.conversations.changed.connect(self.list_all)
        self._backstage.conversations.found.connect(self._show_found)

    def begin(self) -> None:
        """Open a new conversation."""
        self._session.open_new()
        self._column.composer.edit.setFocus()

    def show_stored(self) -> None:
        """Show what is stored, as soon as the store is open."""
        if self._backstage.conversations.is_open():
            self._on_store_opened()
        else:
            self._backstage.conversations.opened.connect(self._on_store_opened)

    def _on_store_opened(self) -> None:
        self.list_all()
        self._backstage.conversations.report_opening()
        if self._session.conversation_id is None and not self._column.composer.text:
            self._column.composer.set_text(self._backstage.conversations.draft(None))

    def open_new(self, *, is_private: bool = False) -> None:
        """Open a conversation that has not begun."""
        self.save_draft()
        self._session.open_new(is_private=is_private)
        self.list_all()
        self._column.composer.edit.setFocus()

    def open(self, conversation_id: int) -> None:
        """Open a conversation of the list."""
        self._sidebars.close_overlay()
        if conversation_id == self._session.conversation_id:
            return
        self.save_draft()
        self._session.open(conversation_id)
        self._column.composer.edit.setFocus()

    def delete(self, conversation_id: int) -> None:
        """Delete a conversation; a bar offers to take it back."""
        conversations = self._backstage.conversations
        running = self._session.running
        if running is not None and running.conversation_id == conversation_id:
            self._answers.stop()
        titles = {item.id: item.title for item in conversations.conversations()}
        conversations.delete(conversation_id)
        if conversation_id == self._session.conversation_id:
            self._session.open_new()
            self.list_all()
        self._column.composer.edit.setFocus()
        name = f"“{title}”" if (title := titles.get(conversation_id)) else "The conversation"

        def undo() -> None:
            conversations.restore(conversation_id)
            self.open(conversation_id)
            self.list_all()

        self._column.undo_bar.offer(f"{name} was deleted.", undo)

    def export(self, conversation_id: int, window: QWidget) -> None:
        """Write a conversation as Markdown to a file of the user's choice."""
        text = self._backstage.conversations.export_markdown(conversation_id)
        if text is None:
            return
        dialog = QFileDialog(
            window, "Export the conversation", "conversation.md", "Markdown (*.md)"
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda name: self._write(Path(name), text))
        dialog.open()

    def _write(self, path: Path, text: str) -> None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            self._backstage.notifier.warning(
                f"{path.name} could not be written.", "Choose another folder.", str(error)
            )
        else:
            self._status.say(f"Exported to {path}")

    def list_all(self) -> None:
        """Show the conversations, or those in which the words of the search stand."""
        conversations, words = self._backstage.conversations, self._sidebars.sidebar.search.text()
        if words.strip():
            conversations.search(words)
        else:
            self._show_found(words, conversations.conversations())

    def _show_found(self, words: str, found: list[ConversationSummary]) -> None:
        sidebar = self._sidebars.sidebar
        if words == sidebar.search.text():
            sidebar.list.show_conversations(found, self._session.conversation_id)
            sidebar.say_nothing_found(bool(words.strip()), not found)

    def _on_identified(self, _conversation_id: int) -> None:
        # What was typed before the conversation began is in it now.
        self._backstage.conversations.save_draft(None, "")
        self.list_all()

    def save_draft(self) -> None:
        """Save what is typed but not asked."""
        self._draft_timer.stop()
        self._backstage.conversations.save_draft(
            self._session.conversation_id, self._column.composer.text
        )

    def _on_opened(self, messages: list[Any]) -> None:
        column, session = self._column, self._session
        column.private_line.setVisible(session.is_private)
        self._panel.clear()
        number = session.conversation_id
        conversations = self._backstage.conversations
        source = partial(conversations.messages, number) if number is not None else None
        column.transcript.show_messages(messages, source)
        self._answers.show_running()
        column.composer.set_text(self._backstage.conversations.draft(session.conversation_id))
        column.message_bar.hide()
        # Once the answer is on the screen: both together would take longer than a picture may.
        QTimer.singleShot(_PAUSE_MS, self, self._show_last_evidence)

    def _show_last_evidence(self) -> None:
        last = self._column.transcript.last_answer
        if last is not None and last.answer is not None:
            self._answers.show_evidence(last)
