# SPDX-License-Identifier: Apache-2.0
"""The real window, offscreen, with the real engine and two small real models."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from molmo_desktop.app import create_app
from molmo_desktop.ui.main_window import MainWindow

TINY = "tiny-vlm"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Overlook the one thing that the offscreen platform says about every window."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(
                pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
            )


@pytest.fixture
def tiny_model(home: Path, tiny_vlm: Path) -> str:
    """Put the tiny vision-language model into the model folder; its name."""
    folder = home / "data" / "models" / TINY
    folder.mkdir(parents=True)
    for name in ("model.gguf", "mmproj.gguf"):
        shutil.copy(tiny_vlm / name, folder / name)
    return TINY


@pytest.fixture
def make_window(qtbot: Any) -> Iterator[Callable[..., MainWindow]]:
    """Return a function that starts the program; every window is closed at the end."""
    windows: list[MainWindow] = []

    def make(*files: Path) -> MainWindow:
        _application, window = create_app(["molmo-desktop", *map(str, files)])
        windows.append(window)
        qtbot.waitUntil(lambda: window.sidebars.sidebar.picker.count() > 0, timeout=10_000)
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def window(make_window: Callable[..., MainWindow]) -> MainWindow:
    """Return the program's window, as a newcomer sees it."""
    return make_window()
