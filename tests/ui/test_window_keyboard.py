# SPDX-License-Identifier: Apache-2.0
"""Everything can be reached with the keyboard, in reading order, and has a name in words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QApplication,
    QComboBox,
    QLineEdit,
    QProgressBar,
    QToolButton,
    QWidget,
)
from window_driver import open_answered

from molmo_desktop.ui.help_dialog import HelpDialog

OBJECT_NAMES = (
    *("conversationList", "newConversationButton", "transcript", "questionEdit", "askButton"),
    *("stopButton", "attachButton", "attachmentTray", "modelPicker", "livePanel", "memoryGauge"),
    *("powerGauge", "modelSizeLabel", "evidenceList", "pageViewer", "offlineBadge", "statusLine"),
)
NAMED_TYPES = (QAbstractButton, QAbstractItemView, QAbstractScrollArea, QComboBox, QLineEdit)


def is_ours(widget: QWidget) -> bool:
    """Leave out the parts that Qt's own widgets are made of."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QLineEdit | QComboBox):
            return False
        parent = parent.parentWidget()
    return True


def test_every_part_has_its_object_name_and_an_accessible_name(window):
    assert window.objectName() == "mainWindow"
    for name in OBJECT_NAMES:
        part = window.findChild(QWidget, name)
        assert part is not None, name
        assert part.accessibleName(), name


def test_every_control_has_an_accessible_name(window, qtbot, samples):
    open_answered(qtbot, window, samples / "invoice.pdf")
    window.sidebars.open()
    nameless = [
        widget
        for kind in (*NAMED_TYPES, QProgressBar)
        for widget in window.findChildren(kind)
        if is_ours(widget) and not widget.accessibleName()
    ]
    assert nameless == []
    for button in window.findChildren(QAbstractButton):
        if is_ours(button) and isinstance(button, QToolButton):
            assert button.toolTip(), button.accessibleName()


def test_tab_goes_through_the_window_in_reading_order(window, qtbot, samples):
    open_answered(qtbot, window, samples / "invoice.pdf")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=5_000)
    window.sidebars.sidebar.new_button.setFocus()
    met: list[QWidget] = []
    for _ in range(60):
        widget = QApplication.focusWidget()
        if widget in met:
            break
        met.append(widget)
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    column, sidebar, panel = window.column, window.sidebars.sidebar, window.panel
    view = column.transcript.last_answer
    order = [
        sidebar.new_button,
        sidebar.search,
        sidebar.list,
        sidebar.picker,
        column.tray.chips[0],
        column.tray.chips[0].remove_button,
        view.text,
        view.copy_button,
        view.again_button,
        column.composer.edit,
        column.composer.attach_button,
        panel.viewer.zoom_out_button,
        panel.evidence.cards[0],
        panel.live.collapse_button,
    ]
    places = [met.index(widget) if widget in met else widget for widget in order]
    assert places == sorted(places), [w.accessibleName() for w in met]


def test_shortcuts_reach_what_they_promise(window, qtbot):
    qtbot.keySequence(window, QKeySequence("Ctrl+B"))
    assert window.sidebars.sidebar.isHidden()
    qtbot.keySequence(window, QKeySequence("Ctrl+B"))
    assert window.sidebars.sidebar.isVisible()
    qtbot.keySequence(window, QKeySequence("F1"))
    dialog = window.findChild(HelpDialog)
    assert dialog.isVisible()
    dialog.close()
    qtbot.keyClicks(window.column.composer.edit, "a draft")
    qtbot.keySequence(window, QKeySequence("Ctrl+N"))
    assert window.column.composer.edit.hasFocus() or not window.isActiveWindow()


def test_a_narrow_window_folds_the_sidebar_and_opens_it_over_the_conversation(window, qtbot):
    window.resize(900, 600)
    qtbot.waitUntil(lambda: window.sidebars.rail.isVisible(), timeout=2_000)
    assert window.sidebars.sidebar.isHidden()
    qtbot.waitUntil(lambda: window.column.width() >= 470, timeout=2_000)
    qtbot.keySequence(window, QKeySequence("Ctrl+K"))
    assert window.sidebars.sidebar.isVisible()
    assert window.sidebars.is_over
    qtbot.keySequence(window, QKeySequence("Esc"))
    assert window.sidebars.sidebar.isHidden()
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: window.sidebars.sidebar.isVisible(), timeout=2_000)
    assert not window.sidebars.is_over
