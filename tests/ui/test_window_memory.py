# SPDX-License-Identifier: Apache-2.0
"""The window says whether a model fits, and gives its memory back when nobody asks it."""

from __future__ import annotations

from typing import Any

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from window_driver import STARTER, ask, choose_model, type_and_send, wait_for_text

from molmo_desktop.services import model_service
from molmo_desktop.ui.main_window import MainWindow


def _spoken(window: MainWindow, name: str) -> str:
    picker = window.sidebars.sidebar.picker
    row = picker.findData(name)
    return str(picker.itemData(row, Qt.ItemDataRole.AccessibleTextRole)) if row >= 0 else ""


def _engine_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if child.is_running()]


def test_the_list_says_of_each_model_whether_it_fits_and_why(qtbot: Any, window: MainWindow):
    picker = window.sidebars.sidebar.picker
    qtbot.waitUntil(lambda: _spoken(window, STARTER).endswith(", fits"), timeout=10_000)
    explanation = picker.itemData(picker.findData(STARTER), Qt.ItemDataRole.ToolTipRole)
    assert f"{STARTER} needs " in explanation
    assert "Weights 97 MB, context of 8192 tokens 189 MB" in explanation
    assert explanation.endswith("; estimated.")


def test_after_an_answer_the_parts_are_those_measured(qtbot: Any, window: MainWindow):
    picker = window.sidebars.sidebar.picker
    choose_model(qtbot, window, STARTER)
    window.backstage.settings.change(max_new_tokens=2)
    ask(qtbot, window, "Say hello.")

    def is_measured() -> bool:
        words = picker.itemData(picker.findData(STARTER), Qt.ItemDataRole.ToolTipRole)
        return str(words).endswith("; measured here.")

    qtbot.waitUntil(is_measured, timeout=10_000)


def test_a_model_is_unloaded_on_request_and_loads_again_by_itself(
    qtbot: Any, tiny_model: str, window: MainWindow
):
    models = window.backstage.models
    choose_model(qtbot, window, tiny_model)
    assert not models.can_unload
    ask(qtbot, window, "Hello")
    assert models.can_unload
    assert models.is_waiting_to_unload
    engine = psutil.Process(window.backstage.assistant.engine.pid)
    with qtbot.waitSignal(models.unloaded, timeout=10_000) as unloaded:
        models.unload()
    assert unloaded.args[0] > 30_000_000
    assert not engine.is_running()
    assert engine.pid not in {child.pid for child in _engine_children()}
    assert window.backstage.assistant.engine.pid is None
    assert window.status.text.startswith("Model unloaded to free ")
    assert not models.can_unload
    assert not models.is_waiting_to_unload
    assert ask(qtbot, window, "Hello")["finish_reason"] in ("stop", "length")


def test_an_idle_model_is_unloaded_after_the_time_that_is_set(
    qtbot: Any, tiny_model: str, window: MainWindow, monkeypatch: Any
):
    monkeypatch.setattr(model_service, "_MINUTE_MS", 100)
    window.backstage.settings.change(unload_after_minutes=5)
    choose_model(qtbot, window, tiny_model)
    with qtbot.waitSignal(window.backstage.models.unloaded, timeout=60_000):
        ask(qtbot, window, "Hello")
    assert window.backstage.assistant.engine.pid is None


def test_a_model_stays_where_the_user_wants_that(qtbot: Any, tiny_model: str, window: MainWindow):
    choose_model(qtbot, window, tiny_model)
    window.backstage.settings.change(unload_after_minutes=0)
    ask(qtbot, window, "Hello")
    models = window.backstage.models
    assert not models.is_waiting_to_unload
    window.backstage.settings.change(unload_after_minutes=15)
    assert models.is_waiting_to_unload
    window.backstage.settings.change(unload_after_minutes=0)
    assert not models.is_waiting_to_unload


def test_a_model_that_answers_is_not_unloaded(qtbot: Any, window: MainWindow):
    choose_model(qtbot, window, STARTER)
    type_and_send(qtbot, window, "Tell a long story about a river.")
    wait_for_text(qtbot, window, 5)
    models = window.backstage.models
    assert not models.can_unload
    models.unload()
    assert window.backstage.assistant.unload_model() is None
    with qtbot.waitSignal(window.answer_finished, timeout=90_000) as finished:
        window.answers.stop()
    assert finished.args[0]["finish_reason"] == "cancelled"
    assert window.backstage.assistant.engine.pid is not None


def test_figures_are_read_only_while_somebody_can_see_them(qtbot: Any, window: MainWindow):
    meters, taken = window.backstage.meters, []
    meters.reading_taken.connect(taken.append)
    window.show()
    qtbot.waitUntil(lambda: len(taken) >= 1, timeout=10_000)
    window.hide()
    qtbot.wait(1200)  # one that was on its way may still come
    taken.clear()
    qtbot.wait(2500)
    assert not taken
    window.show()
    qtbot.waitUntil(lambda: len(taken) >= 1, timeout=10_000)
    window.showMinimized()
    qtbot.wait(1200)
    taken.clear()
    qtbot.wait(2500)
    assert not taken


@pytest.mark.qt_log_ignore("This plugin does not support")  # what popups ask of a screen
def test_the_menu_offers_to_unload_only_what_is_loaded(qtbot: Any, window: MainWindow):
    window._actions.show_menu(window.sidebars.sidebar.menu_button)
    menu = window.findChild(QMenu)
    unload = [item for item in menu.actions() if item.text() == "Unload the model now"]
    assert [item.isEnabled() for item in unload] == [False]
    menu.close()
