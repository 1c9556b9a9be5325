# SPDX-License-Identifier: Apache-2.0
"""Recorded trees of sysfs, and a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    folder = tmp_path / "sys"
    folder.mkdir()
    return folder


Write = Callable[[str, dict[str, object]], Path]


@pytest.fixture
def write(sysfs: Path) -> Write:
    """Return a function that writes the files of one folder of sysfs."""

    def write_folder(name: str, files: dict[str, object]) -> Path:
        folder = sysfs / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, value in files.items():
            (folder / file).write_text(f"{value}\n")
        return folder

    return write_folder


@pytest.fixture
def package(write: Write) -> Callable[..., Path]:
    """Return a function that writes a package as a laptop with an Intel i7-1165G7 shows it."""

    def write_package(energy_uj: int, number: int = 0, label: str | None = None) -> Path:
        return write(
            f"class/powercap/intel-rapl:{number}",
            {
                "name": label or f"package-{number}",
                "energy_uj": energy_uj,
                "max_energy_range_uj": 262143328850,
                "enabled": 1,
            },
        )

    return write_package


@pytest.fixture
def battery(write: Write) -> Callable[..., Path]:
    """Return a function that writes a battery as a ThinkPad shows it."""

    def write_battery(number: int = 0, **files: object) -> Path:
        recorded = {"type": "Battery", "status": "Discharging", "power_now": 8_412_000}
        return write(f"class/power_supply/BAT{number}", recorded | files)

    return write_battery
