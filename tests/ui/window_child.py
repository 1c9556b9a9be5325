# SPDX-License-Identifier: Apache-2.0
"""A program with a window that another process kills while it answers.

Says on standard output what it has reached: ``answered`` after the first question, ``writing``
with the engine's process id when part of the second answer is saved.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer

from molmo_desktop.app import create_app


def main() -> None:
    """Ask a short question, then a long one, and wait for the end."""
    application, window = create_app(["molmo-desktop"])
    asked_again = []

    def ask_long(_answer: object) -> None:
        print("answered", flush=True)
        asked_again.append(True)
        window.ask("Write a long story about a lighthouse.")

    def look() -> None:
        running = window.backstage.session.running
        if asked_again and running is not None and running.saved_length >= 40:
            print("writing", window.backstage.assistant.engine.pid, flush=True)
            timer.stop()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(10)
    window.answer_finished.connect(ask_long)
    window.ask("Say hello.")
    sys.exit(application.exec())


if __name__ == "__main__":
    main()
