# SPDX-License-Identifier: Apache-2.0
"""Take the pictures in ``docs/images`` of the real window with the real engine.

Run it from a checkout that is set up::

    xvfb-run -s "-screen 0 1280x800x24" .venv/bin/python docs/make_screenshots.py

Nothing in the pictures is painted for them: the starter model answers a question about a sample
document, in a home folder of its own. Without a display add ``QT_QPA_PLATFORM=offscreen``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

from molmo_desktop.app import create_app
from molmo_desktop.core.samples import samples_folder
from molmo_desktop.ui.main_window import MainWindow

IMAGES = Path(__file__).parent / "images"
QUESTIONS = (
    ("lease.pdf", "How much is the deposit?"),
    ("invoice.pdf", "What is the total due?"),
)
LONG_QUESTION = "What does the lease say about pets, heating and repairs?"
ANSWER_S = 180.0


class Camera:
    """Drives the window and takes pictures of it.

    Args:
        application: Whose events are processed.
        window: Is driven and photographed.
        theme: "light" or "dark"; part of the file names.
    """

    def __init__(self, application: QApplication, window: MainWindow, theme: str) -> None:
        self._application = application
        self.window = window
        self._theme = theme
        self._ended = False
        window.answer_finished.connect(self._on_ended)
        window.answer_failed.connect(self._on_ended)

    def _on_ended(self, _answer: object) -> None:
        self._ended = True

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the window live for a while, or until something has happened."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not until():
            self._application.processEvents()
            time.sleep(0.005)

    def take(self, name: str, settle_s: float = 0.3) -> None:
        """Write what the window shows."""
        path = IMAGES / f"{name}-{self._theme}.png"
        self.wait(settle_s)
        # What changed in the last moment has its height before the picture is taken.
        for _ in range(3):
            self._application.sendPostedEvents()
        self.window.grab().save(str(path))
        print(path, file=sys.stderr)

    def start(self, question: str) -> None:
        """Type a question and press the button."""
        self._ended = False
        self.window.column.composer.set_text(question)
        self.window.column.composer.ask_button.click()

    def ask(self, question: str) -> None:
        """Ask and wait for the answer."""
        self.start(question)
        self.wait(ANSWER_S, lambda: self._ended)

    def attach(self, path: Path) -> None:
        """Add a file and wait until it is shown."""
        self.window.add_files([path])
        self.wait(30, lambda: self.window.panel.viewer.canvas.image is not None)


def take_pictures(theme: str, width: int, height: int, font: str) -> None:
    """Take the empty window, one that answers, and one that shows its evidence."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["MOLMO_DESKTOP_HOME"] = home
        settings = Path(home) / "config" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"version": 1, "theme": theme}), encoding="utf-8")
        if font:
            _use_font(font)
        application, window = create_app(["molmo-desktop"])
        window.resize(width, height)
        camera = Camera(application, window, theme)
        camera.wait(4)
        camera.take("empty")
        samples = samples_folder()
        if samples is None:
            raise SystemExit("The samples are missing.")
        for name, question in QUESTIONS:
            camera.window.new_conversation()
            camera.attach(samples / name)
            camera.ask(question)
        camera.wait(6)
        camera.take("evidence")
        window.new_conversation()
        camera.attach(samples / "lease.pdf")
        camera.start(LONG_QUESTION)
        running = window.backstage.session
        camera.wait(ANSWER_S, lambda: running.running is None or len(running.running.text) > 60)
        camera.take("answering", settle_s=0.1)
        window.close()
        window.deleteLater()


def _use_font(family: str) -> None:
    """Have the window believe that the system's font is another one."""
    application = QApplication.instance() or QApplication(["molmo-desktop"])
    font = application.font()
    font.setFamily(family)
    application.setProperty("systemFont", font)


def main() -> int:
    """Take all pictures, or those of one theme."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--theme", choices=("light", "dark"), help="only this one")
    parser.add_argument("--size", default="1280x800", help="of the window (default: %(default)s)")
    parser.add_argument("--font", default="", help="instead of the system's")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    width, height = map(int, options.size.split("x"))
    for theme in (options.theme,) if options.theme else ("light", "dark"):
        take_pictures(theme, width, height, options.font)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
