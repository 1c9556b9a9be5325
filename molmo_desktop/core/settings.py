# SPDX-License-Identifier: Apache-2.0
"""The user's settings: one frozen dataclass, a forgiving reader and an atomic writer.

Widgets and services ask `Settings` what exists; nobody else reads keys from the file.
Precedence: command line, then ``MOLMO_DESKTOP_OFFLINE``, then the file, then the default.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from molmo_desktop.core.errors import SettingsError
from molmo_desktop.core.files import write_atomically

SETTINGS_VERSION = 1
_MOST_TOKENS = 1 << 24
# What a number may be, both ends included; beyond, the value in the file is ignored.
_RANGES: dict[str, tuple[float, float]] = {
    "context_length": (0, _MOST_TOKENS),
    "max_new_tokens": (1, _MOST_TOKENS),
    "temperature": (0, 5),
    "thread_count": (0, 1024),
    "image_max_tokens": (0, _MOST_TOKENS),
    "stored_state_limit_mb": (0, 1 << 20),
    "reading_patience_s": (0, 86_400),
    "unload_after_minutes": (0, 10_080),
    "panel_interval_ms": (100, 60_000),
    "idle_power_w": (0, 100_000),
    "full_load_cpu_power_w": (0, 100_000),
}
_CHOICES = {"theme": ("system", "light", "dark"), "kv_cache_type": ("f16", "q8_0")}
OFFLINE_VARIABLE = "MOLMO_DESKTOP_OFFLINE"


@dataclass(frozen=True)
class Settings:
    """What the user may choose; each field's default is what a newcomer gets.

    Attributes:
        model_name: Installed model to use; empty = the best one that is there.
        context_length: Tokens of context; 0 = the model's own, at most 8192.
        max_new_tokens: Longest answer in tokens.
        temperature: 0 = always the likeliest token, so that answers can be repeated.
        thread_count: CPU threads of the engine; 0 = chosen for this machine.
        image_max_tokens: Upper bound of tokens a picture may cost; 0 = the model's own.
        flash_attention: Let llama.cpp use it where it finds it fit.
        kv_cache_type: Precision of what is held of the prompt: "f16", or "q8_0" for half of the
            memory.
        stored_state_limit_mb: Disk space for what models have read, so that they need not read it
            again after a restart; 0 = keep nothing.
        unload_after_minutes: The model is put out of memory when nothing was asked for so long;
            0 = it stays.
        reading_patience_s: How long the user waits for a document to be read before the best
            passages are taken instead of the whole.
        theme: "system", "light" or "dark".
        panel_visible: Whether the live panel is open.
        panel_interval_ms: How often the live panel is renewed.
        country: ISO code of the grid that carbon is counted with.
        idle_power_w: Power of the machine at rest, for estimates; 0 = the program's own guess.
        full_load_cpu_power_w: What the processor adds at full load, for estimates; 0 = guess.
        offline: No network request at all.
    """

    model_name: str = ""
    context_length: int = 0
    max_new_tokens: int = 512
    temperature: float = 0.0
    thread_count: int = 0
    image_max_tokens: int = 0
    flash_attention: bool = True
    kv_cache_type: str = "f16"
    stored_state_limit_mb: int = 2000
    unload_after_minutes: int = 15
    reading_patience_s: float = 20.0
    theme: str = "system"
    panel_visible: bool = True
    panel_interval_ms: int = 1000
    country: str = "WORLD"
    idle_power_w: float = 0.0
    full_load_cpu_power_w: float = 0.0
    offline: bool = True

    def changed(self, **values: Any) -> Settings:
        """Return a copy with some values changed."""
        return replace(self, **values)


@dataclass(frozen=True)
class LoadedSettings:
    """Settings as read, and what had to be ignored.

    Attributes:
        settings: Usable in any case.
        ignored: Names of values in the file that could not be used.
        writable: False for a file of a newer version: it is left alone.
    """

    settings: Settings
    ignored: tuple[str, ...] = ()
    writable: bool = True


def load_settings(path: Path) -> LoadedSettings:
    """Read the settings; whatever cannot be used keeps its default and is named."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return LoadedSettings(_with_environment(Settings()))
    except (OSError, ValueError):
        return LoadedSettings(_with_environment(Settings()), ignored=("the whole file",))
    if not isinstance(data, dict):
        return LoadedSettings(_with_environment(Settings()), ignored=("the whole file",))
    newer = isinstance(data.get("version"), int) and data["version"] > SETTINGS_VERSION
    good: dict[str, Any] = {}
    ignored: list[str] = []
    types = get_type_hints(Settings)
    for item in fields(Settings):
        if item.name not in data:
            continue
        value = _converted(data[item.name], types[item.name])
        if value is None or not _is_allowed(item.name, value):
            ignored.append(item.name)
        else:
            good[item.name] = value
    return LoadedSettings(_with_environment(Settings(**good)), tuple(ignored), not newer)


def save_settings(path: Path, settings: Settings) -> None:
    """Write the settings in one step.

    Raises:
        SettingsError: The folder cannot be written.
    """
    text = json.dumps({"version": SETTINGS_VERSION, **asdict(settings)}, indent=2)
    try:
        write_atomically(path, text + "\n")
    except OSError as error:
        raise SettingsError(
            "The settings could not be saved.",
            hint=f"Check that {path.parent} can be written and that the disk is not full.",
            detail=str(error),
        ) from error


def is_offline_forced() -> bool:
    """Whether the environment forbids every network request."""
    return os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0")


def _with_environment(settings: Settings) -> Settings:
    return settings.changed(offline=True) if is_offline_forced() else settings


def _is_allowed(name: str, value: Any) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name not in _RANGES:
        return True
    least, most = _RANGES[name]
    return bool(least <= value <= most)


def _converted(value: Any, wanted: Any) -> Any:
    """Return the value as the wanted type, or None where it cannot be used."""
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 1 << 53 else None
    if wanted is int and isinstance(value, bool):
        return None
    if get_args(wanted):
        return None
    return value if isinstance(value, wanted) else None
