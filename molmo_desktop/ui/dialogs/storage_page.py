# SPDX-License-Identifier: Apache-2.0
"""What the program keeps on the disk, where, and letting go of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.paths import AppPaths
from molmo_desktop.services.answer_words import bytes_in_words
from molmo_desktop.services.storage_service import StorageService, StorageSizes, pasted_folder
from molmo_desktop.ui.controls import button, frame, label
from molmo_desktop.ui.dialogs.fields import Page
from molmo_desktop.ui.theme import GAP_PX

_SIZE_PX = 72


@dataclass(frozen=True)
class _Forgetting:
    """What the user is asked before something is forgotten, and told after."""

    question: str
    done: str


_DOCUMENTS = _Forgetting(
    "Forget the text of all documents, and what models have read of them? They are read again "
    "when you ask about them.",
    "The text of all documents is forgotten.",
)
_STATES = _Forgetting(
    "Forget what models have read? The next question about a document or picture takes longer.",
    "What models have read is forgotten.",
)


class StoragePage(Page):
    """Sizes, folders, and the buttons that forget what was read."""

    def __init__(self, storage: StorageService, paths: AppPaths) -> None:
        super().__init__(
            "Storage",
            "Everything lies on this computer. The files you ask about stay where they are; "
            "kept is the text that was read in them and what models made of it, so that they open "
            "at once the next time.",
        )
        self._storage = storage
        self._sizes: dict[str, QLabel] = {}
        self.folder_buttons: dict[str, QPushButton] = {}
        table = QGridLayout()
        table.setHorizontalSpacing(GAP_PX)
        table.setVerticalSpacing(GAP_PX)
        table.setColumnStretch(0, 1)
        for row, (key, name, folder) in enumerate(_rows(paths)):
            table.addWidget(label(name), row, 0)
            size = label("…", "caption")
            size.setMinimumWidth(_SIZE_PX)  # so that nothing moves when the sizes come in
            size.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            table.addWidget(size, row, 1)
            opener = button("Open folder", "quiet", words=f"Open the folder of: {name}")
            opener.clicked.connect(lambda _=False, place=folder: open_folder(place))
            table.addWidget(opener, row, 2)
            self._sizes[key] = size
            self.folder_buttons[key] = opener
        self.forget_button = button("Forget read documents…")
        self.forget_states_button = button("Forget what models have read…")
        self._forgets = _DOCUMENTS
        self.sure_button = button("Forget them", "primary")
        self.keep_button = button("Keep them")
        self.words = label("", wrap=True)
        self._confirmation = frame("note")
        self._lay_out(table)
        self.forget_button.clicked.connect(lambda: self._ask(_DOCUMENTS))
        self.forget_states_button.clicked.connect(lambda: self._ask(_STATES))
        self.sure_button.clicked.connect(self._forget)
        self.keep_button.clicked.connect(self._keep)
        self._say("")

    def _lay_out(self, table: QGridLayout) -> None:
        row = QHBoxLayout(self._confirmation)
        row.setContentsMargins(12, GAP_PX, GAP_PX, GAP_PX)
        row.setSpacing(GAP_PX)
        row.addWidget(self.words, 1)
        row.addWidget(self.keep_button)
        row.addWidget(self.sure_button)
        forget = QHBoxLayout()
        forget.addWidget(self.forget_button)
        forget.addWidget(self.forget_states_button)
        forget.addStretch(1)
        at = self.column.count() - 1
        self.column.insertLayout(at, table)
        self.column.insertLayout(at + 1, forget)
        self.column.insertWidget(at + 2, self._confirmation)

    def measure(self) -> None:
        """Find out the sizes and show them."""
        self._storage.measure(self._show_sizes)

    def size_words(self, key: str) -> str:
        """Return the size that is shown for one of the kinds."""
        return self._sizes[key].text()

    def _show_sizes(self, sizes: StorageSizes) -> None:
        for key, shown in self._sizes.items():
            shown.setText(bytes_in_words(getattr(sizes, key)))

    def _ask(self, forgets: _Forgetting) -> None:
        self._forgets = forgets
        self._say(forgets.question, asks=True)
        self.keep_button.setFocus()

    def _keep(self) -> None:
        self._say("")
        self._focus_asked()

    def _forget(self) -> None:
        self._say("Forgetting… An answer that is being written is waited for.")
        forget = (
            self._storage.forget_documents
            if self._forgets is _DOCUMENTS
            else self._storage.forget_states
        )
        forget(self._on_forgotten, self._on_failed)

    def _on_forgotten(self) -> None:
        self._say(self._forgets.done)
        self._focus_asked()
        self.measure()

    def _focus_asked(self) -> None:
        is_documents = self._forgets is _DOCUMENTS
        (self.forget_button if is_documents else self.forget_states_button).setFocus()

    def _on_failed(self, error: MolmoDesktopError) -> None:
        self._say(str(error))

    def _say(self, sentence: str, *, asks: bool = False) -> None:
        self.words.setText(sentence)
        self._confirmation.setVisible(bool(sentence))
        self._confirmation.setAccessibleName(sentence)
        self.sure_button.setVisible(asks)
        self.keep_button.setVisible(asks)
        self.forget_button.setVisible(not asks)
        self.forget_states_button.setVisible(not asks)
        if sentence:
            # Once it is laid out: the question must not stand below the edge.
            QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(self._confirmation))


def open_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _rows(paths: AppPaths) -> list[tuple[str, str, Path]]:
    return [
        ("conversations", "Conversations", paths.database_file.parent),
        ("documents", "Text of read documents", paths.index_file.parent),
        ("states", "What models have read", paths.stored_states),
        ("pasted", "Pasted pictures", pasted_folder(paths)),
        ("models", "Models", paths.models),
        ("logs", "Logs", paths.logs),
    ]
