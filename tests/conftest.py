# SPDX-License-Identifier: Apache-2.0
"""What every test gets: a home of its own, and no leaks.

A test fails when it leaves a thread or a child process behind, or when the program logged a
warning that the test did not expect (mark it ``expects_warnings``).
"""

from __future__ import annotations

import importlib.util
import logging
import os
import threading
import time
from pathlib import Path

import psutil
import pytest

DATA = Path(__file__).parent / "data"
SAMPLES = Path(__file__).parents[1] / "assets" / "samples"
_GRACE_S = 5.0

# Without Qt the rooms below the window are tested all the same.
_HAS_QT = importlib.util.find_spec("PySide6") is not None
collect_ignore = [] if _HAS_QT else ["app", "end2end", "services", "ui"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["MOLMO_DESKTOP_OFFLINE"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Accept the setting of pytest-qt also where Qt is not installed."""
    if importlib.util.find_spec("pytestqt") is None:
        parser.addini("qt_log_level_fail", "means nothing without Qt")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test its own folder for settings, models, database, caches and logs."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MOLMO_DESKTOP_HOME", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_leaks():
    """Fail when a thread or child process outlives the test, also one not waited for."""
    threads = set(threading.enumerate())
    children = {child.pid for child in _children()}
    yield
    deadline = time.monotonic() + _GRACE_S
    while time.monotonic() < deadline:
        new_threads = [t for t in threading.enumerate() if t not in threads and t.is_alive()]
        new_children = [c for c in _children() if c.pid not in children]
        if not new_threads and not new_children:
            return
        time.sleep(0.05)
    assert not new_threads, f"threads left behind: {new_threads}"
    assert not new_children, f"processes left behind: {[_describe(c) for c in new_children]}"


@pytest.fixture(autouse=True)
def no_unexpected_warnings(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture):
    """Fail when the program logged a warning or worse."""
    yield
    if request.node.get_closest_marker("expects_warnings"):
        return
    records = [
        record
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        if record.levelno >= logging.WARNING and record.name.startswith("molmo_desktop")
    ]
    assert not records, [record.getMessage() for record in records]


def _children() -> list[psutil.Process]:
    """Return children, zombies too, without the interpreter's own resource tracker."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "resource_tracker" not in " ".join(child.cmdline()):
                found.append(child)
        except psutil.ZombieProcess:
            found.append(child)
        except psutil.Error:
            continue
    return found


def _describe(child: psutil.Process) -> str:
    try:
        return f"{child.pid} {child.status()} {child.cmdline()}"
    except psutil.Error:
        return f"{child.pid} gone"


@pytest.fixture
def samples() -> Path:
    """Return the folder of the sample documents."""
    return SAMPLES


@pytest.fixture
def data() -> Path:
    """Return the folder of test data."""
    return DATA


@pytest.fixture
def tiny_vlm() -> Path:
    """Return the folder of the tiny vision-language model."""
    return DATA / "models" / "tiny-vlm"
