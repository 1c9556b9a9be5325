# SPDX-License-Identifier: Apache-2.0
"""The window: puts the columns together and connects them with the services.

What a question goes through is in `services/session.py` and `ui/answer_flow.py`, what happens to
files in `ui/file_flow.py`; what a part looks like is in the part. Here is only who tells whom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QHideEvent,
    QImage,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from molmo_desktop.core.pages import Document
from molmo_desktop.core.samples import Example, examples
from molmo_desktop.core.settings import Settings
from molmo_desktop.meters.reading import LiveReading
from molmo_desktop.models.installed import InstalledModel
from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.services.backstage import Backstage
from molmo_desktop.services.notifier import Message
from molmo_desktop.ui import icons
from molmo_desktop.ui.answer_flow import AnswerFlow
from molmo_desktop.ui.controls import line
from molmo_desktop.ui.conversation_column import ConversationColumn
from molmo_desktop.ui.dialogs.settings_dialog import SettingsDialog
from molmo_desktop.ui.drops import DropTarget
from molmo_desktop.ui.file_flow import FileFlow
from molmo_desktop.ui.help_dialog import HelpDialog
from molmo_desktop.ui.screen_capture import ScreenCapture
from molmo_desktop.ui.side_panel import SidePanel
from molmo_desktop.ui.sidebar_holder import SidebarHolder
from molmo_desktop.ui.status_line import StatusLine
from molmo_desktop.ui.theme import PANEL_MIN_PX, ThemeKeeper
from molmo_desktop.ui.window_actions import WindowActions
from molmo_desktop.ui.window_state import WindowState

_FIRST_WIDTH_PX, _FIRST_HEIGHT_PX = 1280, 800
_PANEL_ROWS_NEED_PX = 700
_COLUMN_NEEDS_PX = 480
_SAVE_DRAFT_MS = 1000  # after the last key
_WARM_UP_MS = 400  # after the first paint


class MainWindow(QMainWindow):
    """The whole program on the screen.

    Args:
        backstage: The services; closed together with the window.
        themes: Light and dark.

    Attributes:
        answer_started: A question was asked.
        answer_finished: Carries the ``ask --json`` object of an answer, also of one that was
            stopped while it was written.
        answer_failed: Carries the question and the error, as ``ask --json`` prints them.
    """

    answer_started = Signal()
    answer_finished = Signal(dict)
    answer_failed = Signal(dict)

    def __init__(self, backstage: Backstage, themes: ThemeKeeper) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setAccessibleName("Molmo Desktop")
        self.setWindowTitle("Molmo Desktop")
        self.setWindowIcon(icons.app_icon())
        self.setMinimumSize(820, 560)
        self._backstage = backstage
        self._themes = themes
        self._session = backstage.session
        self._default_model: InstalledModel | None = None
        self._panel_was_toggled = False
        self._is_warm = False
        self.sidebars = SidebarHolder()
        self.column = ConversationColumn()
        self.panel = SidePanel(backstage.documents, self._session.document_of)
        self.status = StatusLine()
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self._state = WindowState(backstage.assistant.paths.config)
        self._lay_out()
        picker = self.sidebars.sidebar.picker
        self.files = FileFlow(backstage, self.column, self.panel)
        self.answers = AnswerFlow(self._session, self.column, self.panel, picker, self.status)
        self.drops = DropTarget(self, self.files.add_files, self.files.add_picture)
        self.capture = ScreenCapture(self, self._on_captured, backstage.notifier)
        self._actions = WindowActions(self, themes)
        self._draft_timer = QTimer(self)
        self._draft_timer.setSingleShot(True)
        self._draft_timer.setInterval(_SAVE_DRAFT_MS)
        self._draft_timer.timeout.connect(self._save_draft)
        self._connect_parts()
        self._connect_services()
        self._begin()

    # --- building --------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.splitter.addWidget(self.column)
        self.splitter.addWidget(self.panel)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        content = QWidget()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebars)
        row.addWidget(self.splitter, 1)
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row, 1)
        layout.addWidget(line())
        layout.addWidget(self.status)
        self.setCentralWidget(content)
        if not self._state.restore(self, self._splitters()):
            size = QSize(_FIRST_WIDTH_PX, _FIRST_HEIGHT_PX)
            # A small screen must not cut the composer off; without a screen there is no limit.
            if QGuiApplication.platformName() != "offscreen":
                size = size.boundedTo(self.screen().availableSize())
            self.resize(size)
            self.splitter.setSizes([584, 456])

    def _splitters(self) -> dict[str, QSplitter]:
        return {"columns": self.splitter}

    def _connect_parts(self) -> None:
        composer, column, sidebar = self.column.composer, self.column, self.sidebars.sidebar
        composer.ask_wanted.connect(self.ask)
        composer.text_changed.connect(self._draft_timer.start)
        composer.stop_wanted.connect(self.answers.stop)
        composer.attach_wanted.connect(self.choose_files)
        composer.capture_wanted.connect(self.capture.start)
        column.empty_state.example_chosen.connect(self.try_example)
        sidebar.search_changed.connect(lambda _words: self._list_conversations())
        sidebar.list.chosen.connect(self.open_conversation)
        sidebar.list.renamed.connect(self._backstage.conversations.rename)
        sidebar.list.delete_wanted.connect(self.delete_conversation)
        sidebar.list.export_wanted.connect(self.export_conversation)
        sidebar.list.private_wanted.connect(self._session.set_private)
        sidebar.picker.model_chosen.connect(self._on_model_chosen)
        sidebar.picker.opened.connect(self._backstage.models.check)
        self.sidebars.new_wanted.connect(self.new_conversation)
        self.panel.live.collapse_button.clicked.connect(self._on_panel_toggled)

    def _connect_services(self) -> None:
        session, backstage = self._session, self._backstage
        session.opened.connect(self._on_opened)
        session.identified.connect(self._on_identified)
        session.private_changed.connect(self.column.private_line.setVisible)
        self.answers.started.connect(self.answer_started)
        self.answers.finished.connect(self._on_answered)
        self.answers.finished.connect(self.answer_finished)
        self.answers.failed.connect(self.answer_failed)
        backstage.conversations.changed.connect(self._list_conversations)
        backstage.models.listed.connect(self._on_models_listed)
        backstage.models.checked.connect(self.sidebars.sidebar.picker.show_checks)
        backstage.models.unloaded.connect(self._on_model_unloaded)
        backstage.meters.reading_taken.connect(self._on_reading)
        backstage.settings.changed.connect(self._on_settings_changed)
        backstage.notifier.message_given.connect(self.show_message)
        backstage.notifier.cleared.connect(self.column.message_bar.hide)

    def _begin(self) -> None:
        self.column.empty_state.show_examples(examples())
        self.status.badge.show_offline(self._backstage.assistant.settings.offline)
        self.panel.live.set_collapsed(not self._backstage.assistant.settings.panel_visible)
        self._backstage.models.refresh()
        self._session.open_new()
        self._list_conversations()
        self._backstage.settings.report_loading()
        self._backstage.conversations.report_opening()
        self.column.composer.edit.setFocus()

    # --- conversations ---------------------------------------------------------------------

    def new_conversation(self, *, is_private: bool = False) -> None:
        """Open a conversation that has not begun."""
        self._save_draft()
        self._session.open_new(is_private=is_private)
        self._list_conversations()
        self.column.composer.edit.setFocus()

    def open_conversation(self, conversation_id: int) -> None:
        """Open a conversation of the list."""
        self.sidebars.close_overlay()
        if conversation_id == self._session.conversation_id:
            return
        self._save_draft()
        self._session.open(conversation_id)
        self.column.composer.edit.setFocus()

    def delete_conversation(self, conversation_id: int) -> None:
        """Delete a conversation; a bar offers to take it back."""
        conversations = self._backstage.conversations
        running = self._session.running
        if running is not None and running.conversation_id == conversation_id:
            self.answers.stop()
        titles = {item.id: item.title for item in conversations.conversations()}
        conversations.delete(conversation_id)
        if conversation_id == self._session.conversation_id:
            self._session.open_new()
            self._list_conversations()
        self.column.composer.edit.setFocus()
        name = f"“{title}”" if (title := titles.get(conversation_id)) else "The conversation"

        def undo() -> None:
            conversations.restore(conversation_id)
            self.open_conversation(conversation_id)
            self._list_conversations()

        self.column.undo_bar.offer(f"{name} was deleted.", undo)

    def export_conversation(self, conversation_id: int) -> None:
        """Write a conversation as Markdown to a file of the user's choice."""
        text = self._backstage.conversations.export_markdown(conversation_id)
        if text is None:
            return
        dialog = QFileDialog(self, "Export the conversation", "conversation.md", "Markdown (*.md)")
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
            self.status.say(f"Exported to {path}")

    def _list_conversations(self) -> None:
        sidebar = self.sidebars.sidebar
        words = sidebar.search.text()
        found = self._backstage.conversations.conversations(words)
        sidebar.list.show_conversations(found, self._session.conversation_id)
        sidebar.say_nothing_found(bool(words.strip()), not found)

    def _on_identified(self, _conversation_id: int) -> None:
        # What was typed before the conversation began is in it now.
        self._backstage.conversations.save_draft(None, "")
        self._list_conversations()

    def _save_draft(self) -> None:
        self._draft_timer.stop()
        self._backstage.conversations.save_draft(
            self._session.conversation_id, self.column.composer.text
        )

    def _on_opened(self, messages: list[Any]) -> None:
        column, session = self.column, self._session
        column.private_line.setVisible(session.is_private)
        self.panel.clear()
        column.transcript.show_messages(messages)
        self.answers.show_running()
        column.composer.set_text(self._backstage.conversations.draft(session.conversation_id))
        column.message_bar.hide()
        last = column.transcript.last_answer
        if last is not None and last.answer is not None:
            self.answers.show_evidence(last)

    # --- files and questions ---------------------------------------------------------------

    def add_files(self, paths: list[Path]) -> None:
        """Attach files; what cannot be attached is named with the reason."""
        self.files.add_files(paths)

    def choose_files(self) -> None:
        """Let the user choose files to attach."""
        self.files.choose_files(self)

    def _on_captured(self, image: QImage) -> None:
        self.files.add_picture(image, "Screen")

    def ask(self, question: str) -> None:
        """Ask a question; while another is answered, the text stays where it is."""
        if self.answers.ask(question):
            self.column.composer.set_text("")
            self._save_draft()

    def try_example(self, example: Example) -> None:
        """Attach a sample and ask about it."""
        self._session.attach([example.file])
        self.ask(example.question)

    # --- models and figures ----------------------------------------------------------------

    def _on_models_listed(
        self, models: list[InstalledModel], default: InstalledModel | None
    ) -> None:
        chosen = self._session.model_name
        if chosen and chosen not in {model.name for model in models}:
            self._backstage.notifier.warning(
                f"The model {chosen} is not on this computer any more.",
                "Another one answers until you choose.",
            )
            self._session.model_name = chosen = ""
            self._backstage.settings.change(model_name="")
        self.sidebars.sidebar.picker.show_models(models, chosen)
        self._default_model = default
        self._show_chosen_model()

    def _on_answered(self, answer: dict[str, Any]) -> None:
        """Look for models again when one answered that came while the window was open."""
        name = (answer.get("model") or {}).get("name")
        if name and name not in {model.name for model in self.sidebars.sidebar.picker.models}:
            self._backstage.models.refresh()

    def _on_model_chosen(self, name: str) -> None:
        self._session.model_name = name
        self._show_chosen_model()
        self._backstage.settings.change(model_name=name)
        self.status.say(f"The next question goes to {name or 'the model that suits it'}")

    def _on_model_unloaded(self, freed_bytes: int) -> None:
        self.status.say(
            f"Model unloaded to free {bytes_in_words(freed_bytes)}; "
            "it loads again with the next question"
        )

    def _show_chosen_model(self) -> None:
        picker = self.sidebars.sidebar.picker
        model = next((m for m in picker.models if m.name == picker.chosen), self._default_model)
        self.panel.live.show_model(model)
        folder = self._backstage.assistant.paths.models
        self.column.empty_state.show_model(model, str(folder))

    def _on_reading(self, reading: LiveReading | None) -> None:
        if reading is None:
            self.panel.live.show_unknown()
            return
        loaded = self._backstage.assistant.engine.loaded
        self.panel.live.show_reading(reading, loaded)
        if loaded is not None and self._session.is_busy:
            self.panel.live.show_model(loaded.info)

    # --- the window itself -----------------------------------------------------------------

    @property
    def backstage(self) -> Backstage:
        """The services behind this window."""
        return self._backstage

    @property
    def document_shown(self) -> Document | None:
        """The file in the page viewer."""
        return self.panel.viewer.document

    def show_message(self, message: Message) -> None:
        """Show a message in the bar above the composer."""
        self.column.message_bar.show_message(message)

    def show_help(self) -> None:
        """Show what the keys do."""
        HelpDialog(self).open()

    def show_settings(self) -> None:
        """Show what can be chosen."""
        backstage = self._backstage
        SettingsDialog(
            backstage.settings, backstage.storage, backstage.assistant.paths, self
        ).open()

    def _on_settings_changed(self, settings: Settings) -> None:
        self._backstage.models.use_settings(settings)
        if settings.theme != self._themes.choice:
            self._themes.choose(settings.theme)
        if settings.panel_visible == self.panel.live.is_collapsed:
            self._panel_was_toggled = True
            self.panel.live.set_collapsed(not settings.panel_visible)

    def raise_with_files(self, paths: list[Path]) -> None:
        """Come to the front; another start of the program handed these files over."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if paths:
            self.add_files(paths)

    def _on_panel_toggled(self) -> None:
        self._panel_was_toggled = True
        self._backstage.settings.change(panel_visible=not self.panel.live.is_collapsed)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say what a drop would do."""
        self.drops.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Accept a drop anywhere."""
        self.drops.move(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget about the drop."""
        self.drops.leave()

    def dropEvent(self, event: QDropEvent) -> None:
        """Attach what is dropped."""
        self.drops.drop(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold what has no room."""
        super().resizeEvent(event)
        self.sidebars.fit(self.width())
        QTimer.singleShot(0, self, self._give_room)
        if not self._panel_was_toggled and self._backstage.assistant.settings.panel_visible:
            self.panel.live.set_collapsed(self.height() < _PANEL_ROWS_NEED_PX)

    def _give_room(self) -> None:
        """Take width from the panel before the conversation gets too narrow to read."""
        column_px, panel_px = self.splitter.sizes()
        lacking_px = min(_COLUMN_NEEDS_PX - column_px, panel_px - PANEL_MIN_PX)
        if lacking_px > 0:
            self.splitter.setSizes([column_px + lacking_px, panel_px - lacking_px])

    def showEvent(self, event: QShowEvent) -> None:
        """Take readings while somebody can see them."""
        super().showEvent(event)
        self._backstage.meters.set_wanted(True)
        if not self._is_warm:
            self._is_warm = True
            QTimer.singleShot(_WARM_UP_MS, self, self._backstage.documents.warm_up)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop to take readings."""
        super().hideEvent(event)
        self._backstage.meters.set_wanted(False)

    def changeEvent(self, event: QEvent) -> None:
        """Stop to take readings while the window is minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._backstage.meters.set_wanted(self.isVisible() and not self.isMinimized())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, then end threads and processes."""
        self._save_draft()
        self._state.save(self, self._splitters())
        self.hide()
        self._themes.let_go()
        self._backstage.close()
        super().closeEvent(event)
