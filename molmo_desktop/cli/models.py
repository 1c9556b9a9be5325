# SPDX-License-Identifier: Apache-2.0
"""``models``: what is installed, what it is, whether it fits, and bringing in one's own."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from molmo_desktop.assistant.preflight import MemoryPreflight
from molmo_desktop.cli.output import print_json
from molmo_desktop.core.errors import ModelNotFoundError, UsageError
from molmo_desktop.core.paths import AppPaths, app_paths
from molmo_desktop.core.settings import load_settings
from molmo_desktop.models.library import InstalledModel, ModelLibrary
from molmo_desktop.models.measured_memory import MeasuredMemory

_WORDS = {
    "name": "name",
    "path": "file",
    "mmproj_path": "vision part",
    "has_vision": "sees pictures",
    "size_bytes": "size in bytes",
    "parameters": "parameters",
    "quantization": "quantization",
    "architecture": "architecture",
    "context_length": "context in tokens",
    "origin": "comes from",
}


def run_models(options: argparse.Namespace) -> int:
    """List, show, import or remove."""
    paths = app_paths().make()
    library = ModelLibrary(paths.models)
    if options.action == "list":
        return _list(library, as_json=options.json)
    if options.action == "fit":
        return _fit(library, paths, options)
    if not options.name:
        raise UsageError(
            f"Which model should be used for '{options.action}'?",
            hint=f"Try: molmo-desktop models {options.action} NAME",
        )
    if options.action == "remove":
        library.remove(options.name)
        print(f"{options.name} was removed.")
        return 0
    model = (
        library.import_file(Path(options.name), options.mmproj, link=not options.copy)
        if options.action == "import"
        else library.resolve(options.name, options.mmproj)
    )
    _show(model, as_json=options.json)
    return 0


def _list(library: ModelLibrary, *, as_json: bool) -> int:
    models = library.installed()
    for model in models:
        if as_json:
            print_json(model_object(model))
        else:
            sees = "sees pictures" if model.has_vision else "text only"
            size_gb = model.size_bytes / 1e9
            print(f"{model.name:40} {size_gb:6.2f} GB  {model.quantization or '':8} {sees}")
    _refuse_none(models)
    return 0


def _fit(library: ModelLibrary, paths: AppPaths, options: argparse.Namespace) -> int:
    """Say of one model, or of all, whether it fits into the memory that is free now."""
    settings = load_settings(paths.settings_file).settings
    preflight = MemoryPreflight(
        library, MeasuredMemory(paths.measured_memory_file), lambda: settings
    )
    if options.name:
        models = [library.resolve(options.name, options.mmproj)]
    else:
        models = library.installed()
        _refuse_none(models)
    for model in models:
        if model.problem:
            _print_unusable(model, as_json=options.json)
            continue
        check = preflight.check(model, options.context)
        if options.json:
            print_json(check.to_dict())
        else:
            print(f"{model.name:40} {check.verdict}: {check.sentence()}")
            print(f"{'':40} {check.parts_in_words()}")
    return 0


def _print_unusable(model: InstalledModel, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": model.name, "verdict": None, "problem": model.problem})
    else:
        print(f"{model.name:40} cannot be used: {model.problem}")


def _refuse_none(models: list[InstalledModel]) -> None:
    if not models:
        raise ModelNotFoundError(
            "No model is installed.",
            hint="Install the starter model, or: molmo-desktop models import FILE.gguf",
        )


def _show(model: InstalledModel, *, as_json: bool) -> None:
    values = model_object(model)
    if as_json:
        print_json(values)
        return
    for name, words in _WORDS.items():
        value = values.get(name)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        print(f"{words:18} {'not available' if value in (None, '') else value}")
    if model.problem:
        print(model.problem)


def model_object(model: InstalledModel) -> dict[str, Any]:
    """Return a model as it stands in JSON."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(model).items()
    }
