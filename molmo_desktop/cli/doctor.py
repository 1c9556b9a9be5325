# SPDX-License-Identifier: Apache-2.0
"""``doctor``: what works on this machine, and the fix for what does not."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version

import psutil

from molmo_desktop import __version__
from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.assistant.build import build_assistant
from molmo_desktop.assistant.requests import AskOptions, AskRequest
from molmo_desktop.cli.output import print_json
from molmo_desktop.core.errors import ModelError, MolmoDesktopError
from molmo_desktop.core.paths import app_paths
from molmo_desktop.core.processor import missing_instructions

_LIBRARIES = (
    "llama-cpp-python",
    "PySide6_Essentials",
    "pypdfium2",
    "pillow",
    "lxml",
    "charset-normalizer",
    "PyStemmer",
    "jinja2",
    "numpy",
    "psutil",
)
_LOW_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        needed: Without it the program cannot answer; False for what merely would be nice.
        fix: What to do, empty when it is well.
    """

    name: str
    ok: bool
    summary: str
    fix: str = ""
    needed: bool = True


def run_doctor(options: argparse.Namespace) -> int:
    """Print every check; the exit status is that of the first one needed and failed."""
    checks: list[Check] = []
    status = 0
    paths = app_paths().make()
    assistant = build_assistant(paths)
    try:
        if options.reset_engine:
            assistant.reset_engine()
        if options.forget_states:
            assistant.forget_states()
        for check in (
            _system(),
            _processor(),
            *_libraries(),
            _window(),
            *_storage(paths.data),
            _stored_states(assistant),
            *_models(assistant),
            _engine(assistant),
            _engine_record(assistant),
            *_power(assistant),
            _text_recognition(),
        ):
            checks.append(check)
            if not options.json:
                _print(check)
            if not check.ok and check.needed:
                status = status or (4 if check.name == "models" else 5)
    finally:
        assistant.close()
    if options.json:
        print_json(
            {
                "version": __version__,
                "ok": status == 0,
                "checks": [asdict(check) for check in checks],
                "engine": assistant.engine_record().to_dict(),
            }
        )
    return status


def _print(check: Check) -> None:
    mark = "ok" if check.ok else "FAILED" if check.needed else "not here"
    print(f"{mark:8} {check.name}: {check.summary}", flush=True)
    if check.fix:
        print(f"         {check.fix}", flush=True)


def _system() -> Check:
    memory = psutil.virtual_memory()
    return Check(
        "system",
        True,
        f"Molmo Desktop {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()} {platform.machine()}, "
        f"{len(_usable_cpus())} processors, {memory.available / 1e9:.1f} of "
        f"{memory.total / 1e9:.1f} GB memory free",
    )


def _processor() -> Check:
    missing = missing_instructions()
    if missing is None:
        return Check("processor", True, "what it can do is not available")
    if not missing:
        return Check("processor", True, "has what the engine needs")
    frozen = bool(getattr(sys, "frozen", False))  # an engine compiled here suits this processor
    return Check(
        "processor",
        not frozen,
        f"lacks {', '.join(missing).upper()}",
        "This computer is too old for the packaged engine: run Molmo Desktop from its source, "
        "which compiles an engine for this processor."
        if frozen
        else "",
    )


def _usable_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _libraries() -> Iterator[Check]:
    for name in _LIBRARIES:
        try:
            yield Check(f"library {name}", True, version(name))
        except PackageNotFoundError:
            frozen = bool(getattr(sys, "frozen", False))  # a bundle carries no package data
            fix = "" if frozen else "Run the set-up again: python3 tasks.py setup"
            yield Check(f"library {name}", frozen, "built in" if frozen else "missing", fix)


def _window() -> Check:
    try:
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        return Check(
            "window",
            False,
            f"Qt cannot start: {error}",
            "Install Qt's system libraries: python3 tasks.py setup",
            needed=False,
        )
    return Check("window", True, "Qt can be loaded")


def _storage(folder: os.PathLike[str]) -> Iterator[Check]:
    try:
        usage = shutil.disk_usage(folder)
        writable = os.access(folder, os.W_OK)
    except OSError as error:
        yield Check("storage", False, f"{folder} cannot be used: {error}", "Check the disk.")
        return
    low = usage.free < _LOW_DISK_BYTES
    yield Check(
        "storage",
        writable and not low,
        f"{folder}, {usage.free / 1e9:.1f} GB free",
        "" if writable and not low else "Free some space, or make the folder writable.",
        needed=not writable,
    )


def _stored_states(assistant: Assistant) -> Check:
    used_bytes = assistant.stored_state_bytes()
    limit_mb = assistant.settings.stored_state_limit_mb
    return Check(
        "what models have read",
        True,
        f"{used_bytes / 1e6:.1f} of at most {limit_mb} MB in {assistant.paths.stored_states}"
        + (", kept for after a restart; doctor --forget-states deletes it" if used_bytes else ""),
    )


def _models(assistant: Assistant) -> Iterator[Check]:
    models = assistant.installed_models()
    if not models:
        yield Check(
            "models",
            False,
            "no model is installed",
            "Install the starter model (python3 tasks.py setup), or: "
            "molmo-desktop models import FILE.gguf",
        )
    for model in models:
        sees = "sees pictures" if model.has_vision else "text only"
        yield Check(
            f"model {model.name}",
            not model.problem,
            model.problem or f"{model.size_bytes / 1e9:.2f} GB, {model.quantization}, {sees}",
            needed=False,
        )


def _engine(assistant: Assistant) -> Check:
    started = time.monotonic()
    request = AskRequest("Say hello.", options=AskOptions(max_new_tokens=4))
    try:
        answer = assistant.ask(request)
    except ModelError as error:
        return Check("engine", False, error.message, error.hint, needed=True)
    except MolmoDesktopError as error:
        return Check("engine", False, error.message, error.hint or error.detail)
    loaded = assistant.engine.loaded
    safe = ", with safe settings" if loaded and loaded.safe_settings else ""
    return Check(
        "engine",
        True,
        f"{answer.model.name} answered in {time.monotonic() - started:.1f} s{safe}",
    )


def _engine_record(assistant: Assistant) -> Check:
    record = assistant.engine_record()
    return Check(
        "engine settings",
        True,
        record.sentence(),
        "" if record.is_empty else "molmo-desktop doctor --reset-engine forgets this.",
    )


def _power(assistant: Assistant) -> Iterator[Check]:
    for source in assistant.meters.describe():
        usable = bool(source["usable"])
        yield Check(
            f"power source {source['name']}",
            usable,
            str(source["kind"]) if usable else str(source["reason"]),
            "" if usable else str(source.get("fix") or ""),
            needed=False,
        )


def _text_recognition() -> Check:
    path = shutil.which("tesseract")
    return Check(
        "text recognition",
        path is not None,
        path or "tesseract is not installed",
        "" if path else "Scans are looked at by a model that sees pictures.",
        needed=False,
    )
