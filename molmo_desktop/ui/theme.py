# SPDX-License-Identifier: Apache-2.0
"""The looks of the window: colours, sizes, palettes and the style sheet, light and dark.

Every colour and length of the window comes from here. Fusion draws the widgets; a palette of
our own replaces the system's, because not every desktop tells Qt about its dark mode. Widgets
that paint themselves ask `current_theme`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QWidget

ThemeChoice = Literal["system", "light", "dark"]

# Lengths in device-independent pixels: an 8 px grid with halves inside controls.
TIGHT_PX = 4
GAP_PX = 8
GROUP_PX = 16
EDGE_PX = 24
CORNER_PX = 6
CARD_CORNER_PX = 10
SIDEBAR_PX = 240
RAIL_PX = 52
PANEL_MIN_PX = 360
PANEL_MAX_PX = 560
SIDEBAR_COLLAPSES_BELOW_PX = 1000
ANSWER_CHARACTERS = 72
COLUMN_MAX_PX = 760


@dataclass(frozen=True)
class Theme:
    """One set of colours, as ``#RRGGBB``.

    Attributes:
        surface: Sidebar, panel.
        raised: Cards, menus, fields.
        accent: One primary action a view, points, selection.
        selected: Background of the selected line of a list.
        passage: A marked passage, multiplied over a page that stays white.
        weights, kv_cache, compute, picture_encoder, other: Chart series.
    """

    name: Literal["light", "dark"]
    background: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_hover: str
    selected: str
    hover: str
    ok: str
    warning: str
    error: str
    information: str
    other: str
    passage: str = "#FFE58A"
    weights: str = "#4C6EF5"
    kv_cache: str = "#12B886"
    compute: str = "#FAB005"
    picture_encoder: str = "#BE4BDB"


LIGHT = Theme(
    name="light",
    background="#FBFAF8",
    surface="#F1EFEB",
    raised="#FFFFFF",
    line="#D9D6D0",
    text="#1F2328",
    muted="#5F656D",
    accent="#B3245C",
    on_accent="#FFFFFF",
    accent_hover="#9A1D4E",
    selected="#E4E0DA",
    hover="#E9E6E1",
    ok="#1F7A4D",
    warning="#8A5A00",
    error="#B42318",
    information="#1D5FA8",
    other="#B4B0A9",
)
DARK = Theme(
    name="dark",
    background="#17191C",
    surface="#1F2226",
    raised="#262A2F",
    line="#34393F",
    text="#ECEAE6",
    muted="#A0A6AE",
    accent="#F277A7",
    on_accent="#17191C",
    accent_hover="#F593B9",
    selected="#31363C",
    hover="#2A2E33",
    ok="#5CC98F",
    warning="#E3B341",
    error="#FF8A80",
    information="#7FB4F0",
    other="#5A6068",
)


@dataclass(frozen=True)
class FontSizes:
    """Text sizes in pixels; they follow the size that the user gave the system."""

    body_px: int
    caption_px: int
    answer_px: int
    title_px: int


def current_theme() -> Theme:
    """Return the theme that the application wears now."""
    # The application's palette: a widget's own may hold what the style sheet made of it.
    ground = QApplication.palette().color(QPalette.ColorRole.Window)
    return DARK if ground.lightness() < 128 else LIGHT


def font_sizes(system_font: QFont) -> FontSizes:
    """Return the sizes for a system font; 9 pt at 96 dpi and less give the 13 px body."""
    body_px = max(13, QFontInfo(system_font).pixelSize())
    return FontSizes(body_px, body_px - 1, body_px + 2, body_px + 5)


def sized_font(widget: QWidget, pixels: int, *, semibold: bool = False) -> QFont:
    """Return the widget's font in another size, with digits that keep their width."""
    font = QFont(widget.font())
    font.setPixelSize(pixels)
    font.setWeight(QFont.Weight.DemiBold if semibold else QFont.Weight.Normal)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def caption_font(widget: QWidget) -> QFont:
    """Return the widget's font in the size of captions."""
    return sized_font(widget, QFontInfo(widget.font()).pixelSize() - 1)


def make_palette(theme: Theme) -> QPalette:
    """Return the theme as a palette, for Fusion and for everything that asks a palette."""
    role = QPalette.ColorRole
    palette = QPalette()
    colours = {
        role.Window: theme.background,
        role.WindowText: theme.text,
        role.Base: theme.raised,
        role.AlternateBase: theme.surface,
        role.Text: theme.text,
        role.PlaceholderText: theme.muted,
        role.Button: theme.surface,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Accent: theme.accent,
        role.Light: theme.raised,
        role.Midlight: theme.surface,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Shadow: theme.line,
    }
    for name, colour in colours.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.muted))
    return palette


class ThemeKeeper(QObject):
    """Dresses the application and keeps it in step with the system and the setting.

    Attributes:
        changed: The theme is another one now.
    """

    changed = Signal(object)

    def __init__(self, application: QApplication, choice: str = "system") -> None:
        super().__init__(application)
        self._application = application
        self._choice = choice
        stored = application.property("systemFont")
        self._system_font = QFont(stored if isinstance(stored, QFont) else application.font())
        application.setProperty("systemFont", self._system_font)
        if application.style().objectName() != "fusion":
            application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._on_system_changed)
        self._theme = LIGHT
        self._apply()

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def choice(self) -> str:
        """What the user chose: "system", "light" or "dark"."""
        return self._choice

    def choose(self, choice: str) -> None:
        """Follow the system, or stay light or dark."""
        self._choice = choice
        self._apply()

    def let_go(self) -> None:
        """Stop following the system."""
        self._application.styleHints().colorSchemeChanged.disconnect(self._on_system_changed)

    def _on_system_changed(self) -> None:
        self._apply()

    def _apply(self) -> None:
        system_is_dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = self._choice == "dark" or (self._choice != "light" and system_is_dark)
        self._theme = DARK if dark else LIGHT
        sizes = font_sizes(self._system_font)
        font = QFont(self._system_font)
        font.setPixelSize(sizes.body_px)
        self._application.setFont(font)
        self._application.setPalette(make_palette(self._theme))
        sheet = style_sheet(self._theme, sizes)
        if self._application.styleSheet() != sheet:
            self._application.setStyleSheet(sheet)
        self.changed.emit(self._theme)


def style_sheet(theme: Theme, sizes: FontSizes) -> str:
    """Return the style sheet of the whole window."""
    t = theme
    return f"""
* {{ outline: none; }}
QMainWindow, QDialog, QWidget#conversationColumn {{ background: {t.background}; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px; }}
QLabel {{ background: transparent; }}
QLabel[role="caption"] {{ color: {t.muted}; font-size: {sizes.caption_px}px; }}
QLabel[role="title"] {{ font-size: {sizes.title_px}px; font-weight: 600; }}
QLabel[role="heading"] {{ color: {t.text}; font-weight: 600; }}
QLabel[role="warning"] {{ color: {t.warning}; font-size: {sizes.caption_px}px; }}
QLabel[role="error"] {{ color: {t.error}; }}
QLabel[role="badge"] {{
    color: {t.muted}; font-size: {sizes.caption_px}px; border: 1px solid {t.line};
    border-radius: {CORNER_PX}px; padding: 0 5px;
}}

QFrame[role="surface"] {{ background: {t.surface}; border: none; }}
QFrame[role="card"] {{
    background: {t.raised}; border: 1px solid {t.line}; border-radius: {CARD_CORNER_PX}px;
}}
QFrame[role="popup"] {{ background: {t.raised}; border: 1px solid {t.line}; }}
QDialog {{ border: 1px solid {t.line}; }}
QFrame[role="note"] {{
    background: transparent; border: 1px solid {t.line}; border-left: 3px solid {t.information};
    border-radius: {CORNER_PX}px;
}}
QFrame[role="question"] {{ background: {t.surface}; border-radius: {CARD_CORNER_PX}px; }}
QFrame[role="bar"][severity="error"] {{ border-left: 3px solid {t.error}; }}
QFrame[role="bar"][severity="warning"] {{ border-left: 3px solid {t.warning}; }}
QFrame[role="bar"] {{
    background: {t.raised}; border: 1px solid {t.line}; border-left: 3px solid {t.information};
    border-radius: {CORNER_PX}px;
}}
QFrame[role="composer"] {{
    background: {t.raised}; border: 1px solid {t.line}; border-radius: {CARD_CORNER_PX}px;
}}
QFrame[role="composer"][active="true"] {{ border-color: {t.accent}; }}
QFrame[over="true"] {{ border-right: 1px solid {t.line}; }}
QFrame[role="line"] {{ background: {t.line}; border: none; }}

QPushButton {{
    background: {t.raised}; color: {t.text}; border: 1px solid {t.line};
    border-radius: {CORNER_PX}px; padding: 5px 12px; min-height: 18px;
}}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.selected}; }}
QPushButton:focus {{ border-color: {t.accent}; }}
QPushButton:disabled {{ color: {t.muted}; background: {t.surface}; }}
QPushButton[role="primary"] {{
    background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600;
}}
QPushButton[role="primary"]:hover {{ background: {t.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {t.text}; padding: 4px 11px; }}
QPushButton[role="primary"]:disabled {{
    background: {t.selected}; color: {t.muted}; border-color: {t.line};
}}
QPushButton[role="quiet"] {{ background: transparent; border-color: transparent; }}
QPushButton[role="quiet"]:hover {{ background: {t.hover}; }}
QPushButton[role="quiet"]:focus {{ border-color: {t.accent}; }}
QPushButton[role="example"] {{ text-align: left; padding: 9px 12px; }}
QPushButton[role="mark"] {{
    background: transparent; color: {t.accent}; border: 1px solid {t.line};
    border-radius: {CORNER_PX}px; padding: 1px 7px; min-height: 16px;
    font-size: {sizes.caption_px}px;
}}
QPushButton[role="mark"]:hover {{ background: {t.hover}; border-color: {t.accent}; }}
QPushButton[role="mark"]:focus {{ border-color: {t.accent}; }}

QPushButton[role="chip"] {{ padding: 0; text-align: left; }}
QPushButton[role="evidence"] {{
    padding: 0; text-align: left; border-radius: {CARD_CORNER_PX}px; min-height: 0;
}}
QPushButton[role="evidence"][chosen="true"] {{ border: 1px solid {t.accent}; }}

QPushButton[role="status"] {{
    background: transparent; border-color: transparent; padding: 0; min-height: 22px;
}}
QPushButton[role="status"]:hover {{ background: {t.hover}; }}
QPushButton[role="status"]:focus {{ border-color: {t.accent}; }}

QToolButton {{
    background: transparent; border: 1px solid transparent; border-radius: {CORNER_PX}px;
    padding: 4px;
}}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {t.selected}; }}
QToolButton:focus {{ border-color: {t.accent}; }}
QToolButton::menu-indicator {{ image: none; }}

QLineEdit {{
    background: {t.raised}; border: 1px solid {t.line}; border-radius: {CORNER_PX}px;
    padding: 5px 8px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
}}
QLineEdit:focus {{ border-color: {t.accent}; }}
QPlainTextEdit#questionEdit {{
    background: transparent; border: none; padding: 0;
    selection-background-color: {t.accent}; selection-color: {t.on_accent};
}}
QTextBrowser, QTextEdit {{
    background: transparent; border: 1px solid transparent;
    selection-background-color: {t.accent}; selection-color: {t.on_accent};
}}
QTextEdit[role="page"] {{ background: {t.raised}; padding: 12px; }}
QTextBrowser:focus, QTextEdit:focus {{
    border-color: {t.accent}; border-radius: {CORNER_PX}px;
}}

QComboBox {{
    combobox-popup: 0;
    background: {t.raised}; border: 1px solid {t.line}; border-radius: {CORNER_PX}px;
    padding: 5px 8px; min-height: 18px;
}}
QComboBox#modelPicker {{ min-height: 38px; padding: 2px 8px; }}
QComboBox:hover {{ background: {t.hover}; }}
QComboBox:focus {{ border-color: {t.accent}; }}
QComboBox::drop-down {{ border: none; width: 22px; }}
QComboBox QAbstractItemView {{
    background: {t.raised}; border: 1px solid {t.line}; color: {t.text}; padding: 4px;
    selection-background-color: {t.selected}; selection-color: {t.text};
}}

QListView {{
    background: transparent; border: 1px solid transparent; border-radius: {CORNER_PX}px;
}}
QListWidget#settingsGroups::item {{
    padding: 6px 8px; border: 1px solid transparent; border-radius: {CORNER_PX}px;
}}
QListWidget#settingsGroups::item:selected {{ background: {t.selected}; color: {t.text}; }}
QListWidget#settingsGroups::item:selected:focus {{ border: 1px solid {t.accent}; }}
QScrollArea {{ background: transparent; border: 1px solid transparent; }}
QScrollArea > QWidget > QWidget[role="clear"] {{ background: transparent; }}
QScrollArea[role="ring"]:focus {{ border-color: {t.accent}; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.line}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:hover {{ background: {t.muted}; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QProgressBar {{ background: {t.line}; border: none; border-radius: 1px; max-height: 4px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 1px; }}

QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.selected}; color: {t.text}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 8px; }}

QSplitter::handle {{ background: {t.line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QSplitter::handle:hover {{ background: {t.accent}; }}
"""
