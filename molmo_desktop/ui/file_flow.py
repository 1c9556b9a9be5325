# SPDX-License-Identifier: Apache-2.0
"""What the window does with files: takes them, shows them, says what is wrong with them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from molmo_desktop.services.backstage import Backstage
from molmo_desktop.services.notifier import Message
from molmo_desktop.services.session import Attachment
from molmo_desktop.services.storage_service import pasted_folder
from molmo_desktop.ui.attachment_tray import Chip
from molmo_desktop.ui.conversation_column import ConversationColumn
from molmo_desktop.ui.dropped import file_dialog_filter, refusals_in_words, sort_out
from molmo_desktop.ui.side_panel import SidePanel


class FileFlow(QObject):
    """Attaches files and keeps chips and viewer in step with them."""

    def __init__(self, backstage: Backstage, column: ConversationColumn, panel: SidePanel) -> None:
        super().__init__()
        self._backstage = backstage
        self._session = backstage.session
        self._column = column
        self._panel = panel
        self._session.attachments_changed.connect(self._on_attachments_changed)
        self._session.attachment_changed.connect(self._on_attachment_changed)
        self._session.attachment_failed.connect(self._on_attachment_failed)
        column.composer.files_pasted.connect(self.add_files)
        column.composer.image_pasted.connect(self.add_picture)
        column.tray.opened.connect(self._on_chip_opened)
        column.tray.removed.connect(self._session.remove)
        column.tray.thumbnail_wanted.connect(self._on_thumbnail_wanted)

    def add_files(self, paths: list[Path]) -> None:
        """Attach files; what cannot be attached is named with the reason."""
        found = sort_out(paths)
        self._session.attach(list(found.accepted))
        if found.refused:
            has_folder = any(item.path.is_dir() for item in found.refused)
            self._backstage.notifier.warning(
                refusals_in_words(found.refused) + ".",
                "Add the files in the folder instead." if has_folder else "",
            )
        self._column.composer.edit.setFocus()

    def add_picture(self, image: QImage, what: str = "Pasted") -> None:
        """Keep a picture that came without a file as a file, and attach it."""
        self._backstage.documents.save_picture(
            image,
            what,
            pasted_folder(self._backstage.assistant.paths),
            lambda path: self.add_files([path]),
            self._backstage.notifier.error,
        )

    def choose_files(self, parent: QWidget) -> None:
        """Let the user choose files to attach."""
        dialog = QFileDialog(parent, "Attach pictures or documents", "", file_dialog_filter())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.add_files([Path(name) for name in names]))
        dialog.open()

    def _on_attachments_changed(self) -> None:
        attachments = self._session.attachments
        self._column.tray.show_attachments(attachments)
        self._column.tray_line.setVisible(bool(attachments))
        self._column.empty_state.set_has_files(bool(attachments))
        self._panel.on_document_removed([item.path for item in attachments])

    def _on_attachment_changed(self, attachment: Attachment) -> None:
        self._column.tray.refresh(attachment)
        if attachment.document is not None:
            self._panel.on_document_ready(attachment.document)

    def _on_attachment_failed(self, attachment: Attachment) -> None:
        error = attachment.error
        if error is not None:
            self._column.message_bar.show_message(
                Message("error", error.message, error.hint, error.detail),
                "Remove the file",
                lambda: self._session.remove(attachment),
            )

    def _on_chip_opened(self, attachment: Attachment) -> None:
        if attachment.document is not None:
            self._panel.show_file(attachment.document)
        elif attachment.state in ("failed", "missing"):
            self._session.read_again(attachment)

    def _on_thumbnail_wanted(self, chip: Chip) -> None:
        def show(image: QImage) -> None:
            if chip in self._column.tray.chips:
                chip.thumbnail.show_image(image)

        self._backstage.documents.thumbnail(chip.attachment.path, show)
