# SPDX-License-Identifier: Apache-2.0
"""The window: puts the columns together and connects them with the services.

What a question goes through is in `services/session.py` and `ui/answer_flow.py`, what happens to
files in `ui/file_flow.py`, to conversations in `ui/conversation_flow.py`, to models and figures in
`ui/model_flow.py`; what a part looks like is in the part. Here is only who tells whom.
"""

from __future__ import annotations

from pathlib import Path

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
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from molmo_desktop.core.pages import Document
from molmo_desktop.core.samples import Example, examples
from molmo_desktop.core.settings import Settings
from molmo_desktop.services.backstage import Backstage
from molmo_desktop.services.garbage import GarbageCollector
from molmo_desktop.services.notifier import Message
from molmo_desktop.ui import icons
from molmo_desktop.ui.answer_flow import AnswerFlow
from molmo_desktop.ui.controls import line
from molmo_desktop.ui.conversation_column import ConversationColumn
from molmo_desktop.ui.conversation_flow import ConversationFlow
from molmo_desktop.ui.drops import DropTarget
from molmo_desktop.ui.file_flow import FileFlow
from molmo_desktop.ui.model_flow import ModelFlow
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
_WARM_UP_MS = 400  # after the first paint
_WITHOUT_PAINT_MS = 1000  # a window that opens minimised is not painted


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
        self.setMinimumSize(820, 560)
        self._backstage = backstage
        self._themes = themes
        self._session = backstage.session
        self._panel_was_toggled = False
        self._is_painted = False
        self._garbage: GarbageCollector | None = None
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
        self.conversations = ConversationFlow(
            backstage, self.sidebars, self.column, self.panel, self.answers, self.status
        )
        self.models = ModelFlow(
            backstage, picker, self.panel.live, self.column.empty_state, self.status
        )
        self.drops = DropTarget(self, self.files.add_files, self.files.add_picture)
        self.capture = ScreenCapture(self, self._on_captured, backstage.notifier)
        self._actions = WindowActions(self, themes)
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
        composer.stop_wanted.connect(self.answers.stop)
        composer.attach_wanted.connect(self.choose_files)
        composer.capture_wanted.connect(self.capture.start)
        column.empty_state.example_chosen.connect(self.try_example)
        sidebar.list.delete_wanted.connect(self.delete_conversation)
        sidebar.list.export_wanted.connect(self.export_conversation)
        self.sidebars.new_wanted.connect(self.new_conversation)
        self.panel.live.collapse_button.clicked.connect(self._on_panel_toggled)

    def _connect_services(self) -> None:
        backstage = self._backstage
        self.answers.started.connect(self.answer_started)
        self.answers.finished.connect(self.models.on_answered)
        self.answers.finished.connect(self.answer_finished)
        self.answers.failed.connect(self.answer_failed)
        backstage.settings.changed.connect(self._on_settings_changed)
        backstage.notifier.message_given.connect(self.show_message)
        backstage.notifier.cleared.connect(self.column.message_bar.hide)

    def _begin(self) -> None:
        self.column.empty_state.show_examples(examples())
        self.status.badge.show_offline(self._backstage.assistant.settings.offline)
        self.panel.live.set_collapsed(not self._backstage.assistant.settings.panel_visible)
        self.conversations.begin()
        self._backstage.settings.report_loading()
        self.conversations.show_stored()

    # --- conversations ---------------------------------------------------------------------

    def new_conversation(self, *, is_private: bool = False) -> None:
        """Open a conversation that has not begun."""
        self.conversations.open_new(is_private=is_private)

    def open_conversation(self, conversation_id: int) -> None:
        """Open a conversation of the list."""
        self.conversations.open(conversation_id)

    def delete_conversation(self, conversation_id: int) -> None:
        """Delete a conversation; a bar offers to take it back."""
        self.conversations.delete(conversation_id)

    def export_conversation(self, conversation_id: int) -> None:
        """Write a conversation as Markdown to a file of the user's choice."""
        self.conversations.export(conversation_id, self)

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
            self.conversations.save_draft()

    def try_example(self, example: Example) -> None:
        """Attach a sample and ask about it."""
        self._session.attach([example.file])
        self.ask(example.question)

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
        from molmo_desktop.ui.help_dialog import HelpDialog

        HelpDialog(self).open()

    def show_settings(self) -> None:
        """Show what can be chosen."""
        # Dialogs are imported when they are wanted: a window opens before that.
        from molmo_desktop.ui.dialogs.settings_dialog import SettingsDialog

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
        if self._is_painted:
            self._backstage.meters.set_wanted(True)
        else:
            QTimer.singleShot(_WITHOUT_PAINT_MS, self, self._begin_work)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Begin with everything else once the window stands on the screen."""
        super().paintEvent(event)
        if not self._is_painted:
            QTimer.singleShot(0, self, self._begin_work)

    def _begin_work(self) -> None:
        if self._is_painted:
            return
        self._is_painted = True
        self._garbage = GarbageCollector(self._is_idle, self)
        QApplication.setWindowIcon(icons.app_icon())
        self._backstage.begin()
        self._backstage.meters.set_wanted(self.isVisible() and not self.isMinimized())
        QTimer.singleShot(_WARM_UP_MS, self, self._backstage.documents.warm_up)

    def _is_idle(self) -> bool:
        return not self.isActiveWindow() and not self._session.is_busy

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop to take readings."""
        super().hideEvent(event)
        self._backstage.meters.set_wanted(False)

    def changeEvent(self, event: QEvent) -> None:
        """Stop to take readings while the window is minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self._is_painted:
            self._backstage.meters.set_wanted(self.isVisible() and not self.isMinimized())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, then end threads and processes."""
        self.conversations.save_draft()
        self._state.save(self, self._splitters())
        self.hide()
        self._themes.let_go()
        self._backstage.close()
        if self._garbage is not None:
            self._garbage.close()
        super().closeEvent(event)
