# SPDX-License-Identifier: Apache-2.0
"""What the window does by itself, and what it says about itself."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from molmo_desktop.ui.status_line import Explanation


def test_the_reader_is_ready_before_the_first_file(window, qtbot):
    reader = window.backstage.assistant._reader
    qtbot.waitUntil(lambda: len(reader.pids) == 1, timeout=10_000)


@pytest.mark.qt_log_ignore("This plugin does not support")  # what popups ask of a screen
def test_the_badge_says_what_offline_means(window, qtbot):
    badge = window.status.badge
    assert badge.text() == "Offline · 0 connections"
    badge.setFocus()
    qtbot.keyClick(badge, Qt.Key.Key_Return)
    explanation = window.findChild(Explanation)
    assert explanation.isVisible()
    assert "nothing was sent" in explanation.words.text()
    assert explanation.geometry().bottom() <= badge.mapToGlobal(badge.rect().topLeft()).y()
    qtbot.keyClick(explanation, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(Explanation) is None, timeout=2_000)
