# SPDX-License-Identifier: Apache-2.0
"""Colours can be read in both themes, and the theme follows the choice."""

from __future__ import annotations

import json

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from molmo_desktop.ui.theme import DARK, LIGHT, current_theme, font_sizes, style_sheet

GROUNDS = ("background", "surface", "raised")
LETTERS = ("text", "muted", "accent", "ok", "warning", "error", "information")


def luminance(colour: str) -> float:
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_all_text_can_be_read_on_every_ground(theme):
    for ground in (*GROUNDS, "selected", "hover"):
        for letters in LETTERS if ground in GROUNDS else ("text",):
            ratio = contrast(getattr(theme, letters), getattr(theme, ground))
            assert ratio >= 4.5, (theme.name, letters, ground, ratio)
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.on_accent, theme.accent_hover) >= 4.5
    assert contrast(LIGHT.text, theme.passage) >= 4.5


def test_the_chosen_theme_is_worn_and_remembered(make_window, home):
    window = make_window()
    window._themes.choose("dark")
    assert current_theme() is DARK
    assert QApplication.palette().color(QPalette.ColorRole.Window).name().upper() == DARK.background
    window._actions._choose_theme("dark")
    window.close()
    assert json.loads((home / "config" / "settings.json").read_text("utf-8"))["theme"] == "dark"
    again = make_window()
    assert current_theme() is DARK
    again._themes.choose("light")
    assert current_theme() is LIGHT


def test_text_follows_the_size_of_the_system_font(qapp):
    font = qapp.font()
    font.setPixelSize(13)
    small = font_sizes(font)
    font.setPixelSize(20)
    large = font_sizes(font)
    assert (small.body_px, small.answer_px) == (13, 15)
    assert (large.body_px, large.answer_px) == (20, 22)
    assert f"font-size: {large.title_px}px" in style_sheet(LIGHT, large)
