# SPDX-License-Identifier: Apache-2.0
"""A part of the screen becomes a picture of the conversation."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPixmap

from molmo_desktop.ui.screen_capture import CaptureOverlay, shows_something

CHILD = Path(__file__).parent / "screen_child.py"


def on_a_screen(*arguments: str) -> dict:
    """Run the child on a virtual screen with real pixels and return what it printed."""
    server = shutil.which("xvfb-run")
    if server is None:
        pytest.skip("xvfb-run is not installed")
    done = subprocess.run(
        [server, "-a", "-s", "-screen 0 1024x768x24", sys.executable, str(CHILD), *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_is_dragged_over_is_attached_with_the_screens_own_pixels():
    result = on_a_screen()
    assert result["name"].startswith("Screen ")
    assert result["name"].endswith(".png")
    assert result["size"] == [200, 150]
    assert result["colours"] == ["#20a040"]
    assert result["visible"], "the window is back"


def test_a_black_screen_is_told_and_the_window_comes_back():
    result = on_a_screen("nothing")
    assert "does not let programs take pictures" in result["said"]
    assert "Ctrl+V" in result["said"]
    assert result["visible"]


@pytest.fixture
def overlay(qtbot):
    picture = QPixmap(1600, 1200)
    picture.fill(QColor("#336699"))
    made = CaptureOverlay(QGuiApplication.primaryScreen(), picture)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    return made


def test_a_dense_screen_gives_all_its_pixels(overlay, qtbot):
    overlay.resize(800, 600)
    with qtbot.waitSignal(overlay.taken, timeout=2_000) as taken:
        qtbot.mousePress(overlay, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
        qtbot.mouseMove(overlay, QPoint(199, 149))
        qtbot.mouseRelease(overlay, Qt.MouseButton.LeftButton, pos=QPoint(199, 149))
    assert (taken.args[0].width(), taken.args[0].height()) == (200, 100)


def test_enter_takes_all_escape_nothing_and_a_click_waits_for_more(overlay, qtbot):
    with qtbot.assertNotEmitted(overlay.taken), qtbot.assertNotEmitted(overlay.cancelled):
        qtbot.mouseClick(overlay, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    with qtbot.waitSignal(overlay.taken, timeout=2_000) as taken:
        qtbot.keyClick(overlay, Qt.Key.Key_Return)
    assert taken.args[0].width() == 1600
    with qtbot.waitSignal(overlay.cancelled, timeout=2_000):
        qtbot.keyClick(overlay, Qt.Key.Key_Escape)


def test_an_empty_or_black_picture_shows_nothing(qapp):
    assert not shows_something(QPixmap())
    black = QPixmap(100, 100)
    black.fill(QColor("black"))
    assert not shows_something(black)
    black.fill(QColor("#010203"))
    assert shows_something(black)
