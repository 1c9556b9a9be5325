# SPDX-License-Identifier: Apache-2.0
"""The settings hold at once, are kept for the next start, and are always usable."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit
from window_driver import ask, drop_files

from molmo_desktop.core.settings import Settings, load_settings
from molmo_desktop.engine.faults import FAULT_VARIABLE
from molmo_desktop.meters.carbon import grids
from molmo_desktop.ui.dialogs.settings_dialog import SettingsDialog
from molmo_desktop.ui.theme import current_theme


def open_settings(qtbot, window) -> SettingsDialog:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    qtbot.keySequence(window, QKeySequence("Ctrl+,"))
    dialog = window.findChild(SettingsDialog)
    assert dialog.isVisible()
    return dialog


def saved(home: Path) -> Settings:
    return load_settings(home / "config" / "settings.json").settings


def test_a_choice_holds_at_once_and_is_saved(window, qtbot, home):
    dialog = open_settings(qtbot, window)
    for key, value in (
        ("max_new_tokens", 128),
        ("temperature", 0.7),
        ("reading_patience_s", 5.0),
        ("context_length", 2048),
        ("thread_count", 1),
        ("image_max_tokens", 256),
        ("theme", "dark"),
        ("panel_visible", False),
        ("country", "POL"),
    ):
        dialog.field(key).choose(value)
        assert getattr(window.backstage.assistant.settings, key) == value
        assert getattr(saved(home), key) == value
    assert current_theme().name == "dark"
    assert window.panel.live.is_collapsed
    assert window.backstage.assistant.meters._settings.country == "POL"
    dialog.field("theme").choose("light")
    assert current_theme().name == "light"


def test_the_next_question_is_answered_with_the_new_settings(window, qtbot):
    dialog = open_settings(qtbot, window)
    dialog.field("max_new_tokens").choose(128)
    dialog.field("context_length").choose(2048)
    dialog.close()
    ask(qtbot, window, "Say hello.")
    assert window.backstage.assistant.engine.loaded.info.context_length == 2048


def test_watts_of_ones_own_reach_the_estimate_and_automatic_takes_them_back(window, qtbot, home):
    dialog = open_settings(qtbot, window)
    qtbot.waitUntil(dialog.isActiveWindow, timeout=5_000)
    dialog.show_group("Cost")
    field = dialog.field("idle_power_w")
    assert not field.watts.isVisible()
    field.kind.choose("own")
    assert field.watts.isVisible()
    for typed in ("44,5", "0", "9999", "x"):
        field.watts.setFocus()
        field.watts.selectAll()
        qtbot.keyClicks(field.watts, typed)
        dialog.groups.setFocus()
        assert field.watts.text() == "44.5"
    estimate = window.backstage.assistant.meters._chain.estimate
    assert saved(home).idle_power_w == 44.5
    assert estimate.guess.idle_w == 44.5
    field.kind.choose("automatic")
    assert saved(home).idle_power_w == 0.0
    assert estimate.guess.idle_w not in (0.0, 44.5)


def test_every_country_of_the_table_is_told_with_year_and_source(window, qtbot):
    dialog = open_settings(qtbot, window)
    dialog.show_group("Cost")
    cost = dialog.page
    field = dialog.field("country")
    assert field.values == tuple(grid.code for grid in grids())
    france = next(grid for grid in grids() if grid.code == "FRA")
    field.choose("FRA")
    assert f"{france.g_per_kwh:.0f} g" in cost.source.text()
    assert str(france.year) in cost.source.text()
    assert france.source in cost.source.text()


def test_the_programs_own_values_come_back_one_group_at_a_time(window, qtbot, home):
    dialog = open_settings(qtbot, window)
    dialog.field("thread_count").choose(1)
    dialog.field("temperature").choose(0.3)
    dialog.show_group("Model")
    dialog.reset_button.click()
    assert saved(home).thread_count == 0
    assert dialog.field("thread_count").value == 0
    assert saved(home).temperature == 0.3


def test_values_of_the_users_own_making_are_shown_and_kept(make_window, qtbot, home):
    file = home / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 1, "context_length": 3000, "idle_power_w": 12.5}))
    window = make_window()
    dialog = open_settings(qtbot, window)
    assert dialog.field("context_length").value == 3000
    assert "3000" in dialog.field("context_length").currentText()
    assert dialog.field("idle_power_w").watts.value == 12.5
    dialog.field("max_new_tokens").choose(256)
    assert (saved(home).context_length, saved(home).idle_power_w) == (3000, 12.5)


def test_escape_and_enter_close_and_the_keyboard_reaches_every_field(window, qtbot):
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        dialog = open_settings(qtbot, window)
        assert dialog.groups.hasFocus() or not dialog.isActiveWindow()
        with qtbot.waitSignal(dialog.finished, timeout=2_000):
            qtbot.keyClick(dialog.groups, key)
        qtbot.waitUntil(lambda: window.findChild(SettingsDialog) is None, timeout=2_000)
    dialog = open_settings(qtbot, window)
    for row in range(dialog.groups.count()):
        dialog.groups.setCurrentRow(row)
        for kind in (QAbstractButton, QComboBox, QLineEdit):
            for control in dialog.page.findChildren(kind):
                assert control.accessibleName(), control
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.accessibleName()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_off_in_a_small_window(window, qtbot, theme):
    window.resize(900, 600)
    dialog = open_settings(qtbot, window)
    dialog.field("theme").choose(theme)
    assert dialog.width() <= 900
    assert dialog.height() <= 600
    for row in range(dialog.groups.count()):
        dialog.groups.setCurrentRow(row)
        qtbot.wait(30)
        page = dialog.page
        assert page.widget().width() <= page.viewport().width()
        assert page.widget().height() <= page.viewport().height(), page.title
        for words in page.findChildren(QLabel):
            if words.isVisible() and not words.wordWrap():
                assert words.width() >= words.sizeHint().width(), words.text()
        for box in page.findChildren(QComboBox):
            needed = box.fontMetrics().horizontalAdvance(box.currentText())
            assert needed <= box.width() - 34, box.currentText()


def test_sizes_are_told_and_read_documents_are_forgotten_when_asked_twice(
    window, qtbot, samples, home
):
    drop_files(qtbot, window, samples / "invoice.pdf")
    index = window.backstage.assistant._index
    content_hash = window.backstage.session.attachments[0].document.content_hash
    assert index.document(content_hash) is not None
    dialog = open_settings(qtbot, window)
    dialog.show_group("Storage")
    page = dialog.storage_page
    qtbot.waitUntil(lambda: "B" in page.size_words("conversations"), timeout=5_000)
    page.forget_button.click()
    assert index.document(content_hash) is not None, "asking is not forgetting"
    page.keep_button.click()
    assert page.forget_button.isVisible()
    page.forget_button.click()
    page.sure_button.click()
    qtbot.waitUntil(lambda: "is forgotten" in page.words.text(), timeout=5_000)
    assert index.document(content_hash) is None
    assert window.backstage.assistant.read(samples / "invoice.pdf").has_text


def test_what_models_have_read_can_be_forgotten_after_asking(window, qtbot, home):
    folder = home / "cache" / "states"
    folder.mkdir(parents=True)
    (folder / "something").write_bytes(b"x" * 1000)
    dialog = open_settings(qtbot, window)
    dialog.show_group("Storage")
    page = dialog.storage_page
    qtbot.waitUntil(lambda: page.size_words("states") == "1 kB", timeout=5_000)
    page.forget_states_button.click()
    assert folder.exists(), "asking is not forgetting"
    page.sure_button.click()
    qtbot.waitUntil(lambda: "is forgotten" in page.words.text(), timeout=5_000)
    assert not folder.exists()
    assert page.forget_states_button.hasFocus()


def test_keeping_nothing_on_disk_deletes_what_was_kept(window, qtbot, home):
    folder = home / "cache" / "states" / "model"
    folder.mkdir(parents=True)
    (folder / "one.state").write_bytes(b"x" * 1000)
    dialog = open_settings(qtbot, window)
    dialog.field("stored_state_limit_mb").choose(0)
    qtbot.waitUntil(lambda: not (folder / "one.state").exists(), timeout=5_000)


class FolderCatcher(QObject):
    """Stands in for the file manager."""

    def __init__(self) -> None:
        super().__init__()
        self.urls = []

    @Slot("QUrl")
    def catch(self, url) -> None:
        self.urls.append(url)


def test_folders_are_opened_in_the_file_manager(window, qtbot, home):
    catcher = FolderCatcher()
    QDesktopServices.setUrlHandler("file", catcher, "catch")
    try:
        dialog = open_settings(qtbot, window)
        dialog.show_group("Storage")
        dialog.storage_page.folder_buttons["models"].click()
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert [url.toLocalFile() for url in catcher.urls] == [str(home / "data" / "models")]


def test_what_a_damaged_file_held_is_told_once_and_in_words(make_window, home):
    file = home / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 1, "theme": 7, "thread_count": "many"}))
    window = make_window()
    assert "the colours" in window.column.message_bar.text
    assert "the threads" in window.column.message_bar.text


def test_a_file_that_is_no_settings_file_is_kept_aside_before_it_is_written_over(make_window, home):
    file = home / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text("{ half a file")
    window = make_window()
    assert "could not be read" in window.column.message_bar.text
    window.backstage.settings.change(theme="light")
    assert saved(home).theme == "light"
    assert file.with_name("settings.json.unusable").read_text() == "{ half a file"


def test_a_file_of_a_newer_version_is_left_alone(make_window, home):
    file = home / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    newer = json.dumps({"version": 99, "future_key": 1, "theme": "light"})
    file.write_text(newer)
    window = make_window()
    window.backstage.settings.change(theme="dark")
    assert "newer version" in window.column.message_bar.text
    assert current_theme().name == "dark"
    window.backstage.settings.change(theme="light")
    assert file.read_text() == newer


def test_a_chosen_model_that_is_gone_leaves_the_choice_to_the_program(make_window, qtbot, home):
    file = home / "config" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"version": 1, "model_name": "ghost"}))
    window = make_window()
    bar = window.column.message_bar
    qtbot.waitUntil(lambda: "ghost is not on this computer" in bar.text, timeout=5_000)
    assert ask(qtbot, window, "Say hello.")["answer"]


@pytest.mark.skipif(sys.platform == "win32", reason="uses signals")
def test_safe_settings_are_told_and_the_fast_ones_tried_again(window, qtbot, monkeypatch):
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGSEGV:unsafe")
    ask(qtbot, window, "Say hello.")
    monkeypatch.delenv(FAULT_VARIABLE)
    dialog = open_settings(qtbot, window)
    dialog.show_group("Model")
    part = dialog.engine_part
    qtbot.waitUntil(lambda: "safe settings" in part.words.text(), timeout=5_000)
    assert "SIGSEGV" in part.words.text()
    assert part.again_button.text() == "Try fast settings again"
    part.again_button.click()
    qtbot.waitUntil(lambda: "fast settings." in part.words.text(), timeout=5_000)
    assert part.again_button.isHidden()
    dialog.close()
    ask(qtbot, window, "Say hello.")
    assert not window.backstage.assistant.engine.loaded.safe_settings
