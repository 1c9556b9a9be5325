# SPDX-License-Identifier: Apache-2.0
"""Puts the program with a window together: settings, services, window, last resorts.

The only place that knows all rooms. `create_app` builds without entering the event loop and may
be called several times in one process; `run` is what the command line calls.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox

from molmo_desktop.core.errors import MolmoDesktopError
from molmo_desktop.core.logs import set_up_logging
from molmo_desktop.core.paths import app_paths
from molmo_desktop.core.settings import load_settings
from molmo_desktop.documents.formats import format_of_extension
from molmo_desktop.services.backstage import Backstage
from molmo_desktop.services.late_assistant import late_assistant
from molmo_desktop.services.notifier import Notifier
from molmo_desktop.services.signals import EndingSignals
from molmo_desktop.services.single_instance import SingleInstance, hand_over
from molmo_desktop.ui.main_window import MainWindow
from molmo_desktop.ui.theme import ThemeKeeper

_SWITCH_S = 0.001

_logger = logging.getLogger("molmo_desktop.app")


def create_app(argv: Sequence[str]) -> tuple[QApplication, MainWindow]:
    """Build the program and show its window, without entering the event loop.

    Args:
        argv: As in ``sys.argv``: the program, then files to attach.

    Returns:
        The application, which is the running one if there is one, and the window. Closing the
        window ends everything that was started.
    """
    # Whoever works in a thread gives way to the window five times as quickly as usual.
    sys.setswitchinterval(_SWITCH_S)
    existing = QApplication.instance()
    application = (
        existing if isinstance(existing, QApplication) else QApplication(["molmo-desktop"])
    )
    application.setApplicationName("molmo-desktop")
    application.setApplicationDisplayName("Molmo Desktop")
    application.setDesktopFileName("molmo-desktop")
    paths = app_paths().make()
    loaded = load_settings(paths.settings_file)
    themes = ThemeKeeper(application, loaded.settings.theme)
    backstage = Backstage(late_assistant(paths, loaded.settings), loaded)
    window = MainWindow(backstage, themes)
    window.show()
    files = files_of(argv)
    if files:
        window.add_files(files)
    return application, window


def run(argv: Sequence[str]) -> int:
    """Run the program until its window is closed, and return the exit status.

    A second start hands its files to the first and ends at once.
    """
    paths = app_paths()
    files = files_of(argv)
    if hand_over(paths.data, files):
        return 0
    set_up_logging(paths.logs)
    try:
        application, window = create_app(argv)
    except MolmoDesktopError as error:
        return _refuse(error)
    instance = SingleInstance(paths.data, application)
    instance.files_received.connect(window.raise_with_files)
    instance.listen()
    install_last_resorts(window.backstage.notifier)
    signals = EndingSignals(QApplication.quit)
    status = application.exec()
    signals.close()
    instance.close()
    window.close()
    return status


def _refuse(error: MolmoDesktopError) -> int:
    """Say why the program cannot start, on the screen and in the terminal."""
    sys.stderr.write(f"{error}\n")
    box = QMessageBox(QMessageBox.Icon.Critical, "Molmo Desktop", error.message)
    box.setInformativeText(error.hint)
    box.exec()
    return 1


def files_of(argv: Sequence[str]) -> list[Path]:
    """Return the files of a command line.

    The first entry is the program, as in ``sys.argv``; a readable document in its place is taken
    for what it is.
    """
    entries = list(argv)
    if entries and not _is_document(entries[0]):
        entries = entries[1:]
    return [Path(entry) for entry in entries if not entry.startswith("-")]


def _is_document(entry: str) -> bool:
    path = Path(entry)
    return format_of_extension(path.suffix) is not None and path.is_file()


def install_last_resorts(notifier: Notifier) -> None:
    """Have errors that nobody foresaw logged and told, and the program go on."""

    def tell(error: BaseException, where: str) -> None:
        _logger.error("Unexpected error in %s", where, exc_info=error)
        notifier.warning(
            "Something unexpected went wrong, but your conversations are safe.",
            "You can go on; please report it with the details if it happens again.",
            f"{type(error).__name__}: {error}",
        )

    def on_exception(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, Exception):
            tell(error, "the window")
        else:
            sys.__excepthook__(kind, error, trace)

    def on_thread_exception(details: threading.ExceptHookArgs) -> None:
        if details.exc_value is not None:
            name = details.thread.name if details.thread else "a thread"
            tell(details.exc_value, name)

    sys.excepthook = on_exception
    threading.excepthook = on_thread_exception
    qInstallMessageHandler(_log_qt_message)


def _log_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    levels = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }
    _logger.log(levels.get(kind, logging.ERROR), "Qt: %s", text)
