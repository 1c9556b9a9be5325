# SPDX-License-Identifier: Apache-2.0
"""The conversations of the sidebar, grouped by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from molmo_desktop.store.records import ConversationSummary
from molmo_desktop.ui import icons
from molmo_desktop.ui.theme import CORNER_PX, caption_font, current_theme

_ID_ROLE = Qt.ItemDataRole.UserRole
_PRIVATE_ROLE = Qt.ItemDataRole.UserRole + 1
_ROW_PX = 32
_GROUP_PX = 30
_LOCK_PX = 14

_Index = QModelIndex | QPersistentModelIndex


class ConversationList(QListWidget):
    """Lists conversations; Enter or a click opens one, F2 renames, Delete deletes.

    Attributes:
        chosen: Carries the id of the conversation to open.
        delete_wanted, export_wanted: Carry an id.
        renamed: Carries an id and the new title.
        private_wanted: Carries an id, and whether that conversation is to be private.
    """

    chosen = Signal(int)
    delete_wanted = Signal(int)
    export_wanted = Signal(int)
    renamed = Signal(int, str)
    private_wanted = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("conversationList")
        self.setAccessibleName("Conversations")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAcceptDrops(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListWidget.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self._filling = False
        self.itemClicked.connect(self._on_activated)
        self.itemActivated.connect(self._on_activated)
        self.itemChanged.connect(self._on_changed)
        self.customContextMenuRequested.connect(self._show_menu)

    def show_conversations(
        self, conversations: list[ConversationSummary], current_id: int | None
    ) -> None:
        """Show these conversations, the open one selected; not while a title is being typed."""
        if self.state() == QListWidget.State.EditingState:
            return
        self._filling = True
        scrolled = self.verticalScrollBar().value()
        self.clear()
        group = ""
        for summary in conversations:
            name = group_of(summary.updated_at)
            if name != group:
                group = name
                self.addItem(_group_item(name))
            item = _conversation_item(summary, name)
            self.addItem(item)
            if summary.id == current_id:
                self.setCurrentItem(item)
        self.verticalScrollBar().setValue(scrolled)
        self._filling = False

    def current_id(self) -> int | None:
        """Return the id of the selected conversation."""
        item = self.currentItem()
        value = item.data(_ID_ROLE) if item is not None else None
        return int(value) if value is not None else None

    def rename_current(self) -> None:
        """Let the user type another title."""
        item = self.currentItem()
        if item is not None and item.data(_ID_ROLE) is not None:
            self.editItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Rename with F2, delete with Delete."""
        current = self.current_id()
        if event.key() == Qt.Key.Key_F2:
            self.rename_current()
        elif event.key() == Qt.Key.Key_Delete and current is not None:
            self.delete_wanted.emit(current)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current is not None:
            self.chosen.emit(current)
        else:
            super().keyPressEvent(event)

    def _on_activated(self, item: QListWidgetItem) -> None:
        if item.data(_ID_ROLE) is not None:
            self.chosen.emit(item.data(_ID_ROLE))

    def _on_changed(self, item: QListWidgetItem) -> None:
        if not self._filling and item.data(_ID_ROLE) is not None:
            self.renamed.emit(item.data(_ID_ROLE), item.text())

    def _show_menu(self, place: QPoint) -> None:
        item = self.itemAt(place)
        if item is None or item.data(_ID_ROLE) is None:
            return
        conversation_id = item.data(_ID_ROLE)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rename = QAction("Rename\tF2", menu)
        rename.triggered.connect(lambda: self.editItem(item))
        export = QAction("Export as Markdown…", menu)
        export.triggered.connect(lambda: self.export_wanted.emit(conversation_id))
        private = QAction("Private conversation", menu, checkable=True)
        private.setChecked(bool(item.data(_PRIVATE_ROLE)))
        private.triggered.connect(lambda on: self.private_wanted.emit(conversation_id, on))
        delete = QAction("Delete\tDel", menu)
        delete.triggered.connect(lambda: self.delete_wanted.emit(conversation_id))
        menu.addActions([rename, export, private, delete])
        menu.popup(self.viewport().mapToGlobal(place))


class _Delegate(QStyledItemDelegate):
    """Paints the lines: a quiet heading for a day, a rounded ground for the selected one."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        is_group = index.data(_ID_ROLE) is None
        return QSize(100, _GROUP_PX if is_group else _ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        view = cast("QListWidget", option.widget)
        rect: QRect = option.rect
        state = option.state
        theme = current_theme()
        painter.save()
        area = rect.adjusted(8, 0, -8, 0)
        if index.data(_ID_ROLE) is None:
            painter.setFont(caption_font(view))
            painter.setPen(QColor(theme.muted))
            alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
            painter.drawText(area.adjusted(0, 0, 0, -6), alignment, index.data())
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            selected = bool(state & QStyle.StateFlag.State_Selected)
            hovered = bool(state & QStyle.StateFlag.State_MouseOver)
            has_ring = view.hasFocus() and index == view.currentIndex()
            if selected or hovered or has_ring:
                painter.setBrush(QColor(theme.selected if selected else theme.hover))
                painter.setPen(QColor(theme.accent) if has_ring else Qt.PenStyle.NoPen)
                painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), CORNER_PX, CORNER_PX)
            if index.data(_PRIVATE_ROLE):
                _draw_lock(painter, area, theme.muted, view.devicePixelRatioF())
                area.adjust(0, 0, -_LOCK_PX - 6, 0)
            painter.setPen(QColor(theme.text))
            words = view.fontMetrics().elidedText(
                index.data(), Qt.TextElideMode.ElideRight, area.width()
            )
            painter.drawText(
                area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words
            )
        painter.restore()


def title_of(summary: ConversationSummary) -> str:
    """Return what a conversation is called in the list."""
    return summary.title or ", ".join(summary.attachment_names) or "New conversation"


def group_of(updated_at: float, today: date | None = None) -> str:
    """Return the group of a time: Today, Yesterday or Earlier."""
    today = today or date.today()
    day = datetime.fromtimestamp(updated_at).date()
    if day >= today:
        return "Today"
    return "Yesterday" if day == today - timedelta(days=1) else "Earlier"


def _draw_lock(painter: QPainter, area: QRect, colour: str, ratio: float) -> None:
    """Draw the badge of a private conversation at the right end of its line."""
    top = area.center().y() - _LOCK_PX // 2
    lock = icons.pixmap("lock", colour, _LOCK_PX, ratio)
    painter.drawPixmap(area.right() - _LOCK_PX + 1, top, lock)


def _conversation_item(summary: ConversationSummary, group: str) -> QListWidgetItem:
    title = title_of(summary)
    item = QListWidgetItem(title)
    item.setData(_ID_ROLE, summary.id)
    item.setData(_PRIVATE_ROLE, summary.is_private)
    spoken = f"{title}, {group}, private" if summary.is_private else f"{title}, {group}"
    item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
    private = ["Private"] if summary.is_private else []
    item.setToolTip("\n".join([title, *summary.attachment_names, *private]))
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    return item


def _group_item(name: str) -> QListWidgetItem:
    item = QListWidgetItem(name)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item
