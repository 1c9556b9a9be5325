# SPDX-License-Identifier: Apache-2.0
"""What a user does with the window while its event loop is watched.

Started as a program by ``smoothness.py``: the real window with its real engine and reader
processes, in the home of the environment. Prints one JSON object for each scene.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from molmo_desktop.app import create_app
from molmo_desktop.ui.main_window import MainWindow
from smooth.loop_watch import Gaps, LoopWatch

STARTER = "SmolLM2-135M-Instruct"
LONG_QUESTION = (
    "Write a long story about a lighthouse, with headings, lists and a table, as Markdown."
)
_LOOK_EVERY_MS = 25
_ANSWER_S = 240.0


class User:
    """Does things with the window and waits as a person would: the loop goes on meanwhile."""

    def __init__(self, window: MainWindow, options: argparse.Namespace) -> None:
        self.window = window
        self.options = options
        self.session = window.backstage.session
        self.ids = [int(item) for item in options.ids.split(",")]
        self._loop = QEventLoop()
        self._until: Callable[[], bool] = lambda: False
        self._deadline_s = 0.0
        self._timer = QTimer()
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let the loop run for a while, or until something has happened."""
        self._until = until
        self._deadline_s = time.perf_counter() + seconds
        self._timer.start()
        self._loop.exec()
        self._timer.stop()

    def _look(self) -> None:
        if self._until() or time.perf_counter() > self._deadline_s:
            self._loop.quit()

    def choose_model(self, name: str) -> None:
        """Choose a model in the list."""
        picker = self.window.sidebars.sidebar.picker
        self.wait(20, lambda: picker.findData(name) >= 0)
        picker.setCurrentIndex(picker.findData(name))

    def ask(self, question: str) -> None:
        """Ask and wait for the end of the answer."""
        self.window.ask(question)
        self.wait(_ANSWER_S, lambda: not self.session.is_busy)

    def type(self, text: str, pause_s: float = 0.05) -> None:
        """Type into the question, twenty letters a second."""
        for letter in text:
            QTest.keyClicks(self.window.column.composer.edit, letter)
            self.wait(pause_s)

    def turn_wheel(self, steps: int, towards: int) -> None:
        """Turn the wheel over the conversation, sixty notches a second."""
        viewport = self.window.column.transcript.viewport()
        middle = viewport.rect().center()
        for _ in range(steps):
            event = QWheelEvent(
                QPointF(middle),
                QPointF(viewport.mapToGlobal(middle)),
                QPoint(),
                QPoint(0, 120 * towards),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            )
            QApplication.sendEvent(viewport, event)
            self.wait(0.0)


def resting(user: User) -> None:
    """Nothing happens."""
    user.wait(3)


def loading(user: User) -> None:
    """A large model is loaded and says its first word."""
    user.window.new_conversation()
    user.choose_model(user.options.model)
    user.window.ask("Hello?")
    user.wait(
        _ANSWER_S,
        lambda: (
            not user.session.is_busy or bool(user.session.running and user.session.running.text)
        ),
    )
    user.window.answers.stop()
    user.wait(60, lambda: not user.session.is_busy)


def generating(user: User) -> None:
    """A long answer is written while the next question is typed."""
    user.window.new_conversation()
    user.choose_model(STARTER)
    user.window.ask(LONG_QUESTION)
    user.wait(60, lambda: bool(user.session.running and user.session.running.text))
    user.type("And what did the keeper of the lighthouse do then?")
    user.wait(_ANSWER_S, lambda: not user.session.is_busy)


def indexing(user: User) -> None:
    """A PDF of a thousand pages is attached, read, searched and asked about."""
    user.window.new_conversation()
    user.choose_model(STARTER)
    user.window.add_files([Path(user.options.pdf)])
    user.wait(240, lambda: all(item.state != "reading" for item in user.session.attachments))
    user.wait(1)
    user.ask("What was estimated for the pressure valve?")


def switching(user: User) -> None:
    """Conversations are opened one after the other, the longest one every fifth time."""
    for turn in range(40):
        number = 0 if turn % 5 == 0 else 1 + turn % (len(user.ids) - 1)
        user.window.open_conversation(user.ids[number])
        user.wait(0.2)


def scrolling(user: User) -> None:
    """The longest conversation is scrolled up and down."""
    user.window.open_conversation(user.ids[0])
    user.wait(0.5)
    user.turn_wheel(200, 1)
    user.turn_wheel(200, -1)


def typing(user: User) -> None:
    """A question is typed into a long conversation."""
    user.window.open_conversation(user.ids[0])
    user.wait(0.5)
    user.type("What did the committee agree on Tuesday, and what were the costs of it?")
    user.window.column.composer.set_text("")


def searching(user: User) -> None:
    """The conversations are searched while the words are typed."""
    search = user.window.sidebars.sidebar.search
    for letter in "bridge over winter":
        QTest.keyClicks(search, letter)
        user.wait(0.2)
    search.clear()
    user.wait(0.5)


SCENES: dict[str, Callable[[User], None]] = {
    scene.__name__: scene
    for scene in (
        resting,
        loading,
        generating,
        indexing,
        switching,
        scrolling,
        typing,
        searching,
    )
}


class Bare:
    """The bare window beside the program's."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "smooth.bare_window"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self) -> None:
        """Begin a stretch."""
        self._say("begin")

    def end(self) -> Gaps:
        """End the stretch and return what was seen."""
        self._say("end")
        assert self._process.stdout is not None
        return Gaps(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._say("quit")
        self._process.wait(timeout=10)

    def _say(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--only", "--ids", "--pdf", "--model"):
        parser.add_argument(name, default="")
    parser.add_argument("--blame", type=float, default=0.0)
    options = parser.parse_args()
    application, window = create_app(["molmo-desktop"])
    user = User(window, options)
    bare, watch = Bare(), LoopWatch(options.blame)
    user.wait(4)
    for name in options.only.split(","):
        bare.begin()
        watch.begin()
        if options.blame:
            print(f"=== {name}", file=sys.stderr, flush=True)
        SCENES[name](user)
        seen = {"scene": name, "window": asdict(watch.end()), "bare": asdict(bare.end())}
        print(json.dumps(seen), flush=True)
        user.wait(1)
    bare.close()
    window.close()
    del application
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
