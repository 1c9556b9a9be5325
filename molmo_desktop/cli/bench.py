# SPDX-License-Identifier: Apache-2.0
"""``bench``: speed, memory and energy of models on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import psutil

from molmo_desktop import __version__
from molmo_desktop.assistant.assistant import Assistant
from molmo_desktop.assistant.bench import Bench, BenchPlan
from molmo_desktop.assistant.bench_result import ModelBench, SettingRow
from molmo_desktop.assistant.requests import AskOptions
from molmo_desktop.cli.output import print_error, print_json
from molmo_desktop.cli.work import cancelled_by_ctrl_c, open_assistant
from molmo_desktop.core.errors import Cancelled, ModelError, ModelNotFoundError, MolmoDesktopError
from molmo_desktop.core.sizes import bytes_in_words
from molmo_desktop.engine.hardware import best_thread_count, logical_core_count, processor_name
from molmo_desktop.models.library import InstalledModel

_UNKNOWN = "not available"


def run_bench(options: argparse.Namespace) -> int:
    """Measure each model; a model that fails is told, and the others go on."""
    status = 0
    found: list[dict[str, Any]] = []
    with open_assistant() as assistant, cancelled_by_ctrl_c() as cancel:
        for model in _models(assistant, options):
            bench = Bench(
                assistant.engine,
                assistant.meters,
                _plan(options),
                say=partial(_say, model.name),
                cancel=cancel,
            )
            try:
                measured = _measure(assistant, bench, model, options)
            except Cancelled:
                raise
            except MolmoDesktopError as error:
                found.append({"model": {"name": model.name}, "error": error.shown()})
                status = status or error.exit_status
                print_error(error)
                continue
            found.append(measured.to_dict())
            if not options.json:
                _print(measured)
    if options.json:
        print_json({"version": __version__, "machine": _machine(), "models": found})
    return status


def _models(assistant: Assistant, options: argparse.Namespace) -> list[InstalledModel]:
    try:
        return _chosen_models(assistant, options)
    except ModelError as error:
        if options.json:
            print_json({"error": error.shown()})
        raise


def _chosen_models(assistant: Assistant, options: argparse.Namespace) -> list[InstalledModel]:
    if options.model:
        return [assistant.library.resolve(options.model, options.mmproj)]
    usable = [model for model in assistant.installed_models() if not model.problem]
    if not usable:
        raise ModelNotFoundError(
            "No model is installed.", hint="Try: molmo-desktop models import FILE.gguf"
        )
    return usable


def _plan(options: argparse.Namespace) -> BenchPlan:
    return BenchPlan(
        prompt_tokens=options.prompt_tokens,
        new_tokens=options.new_tokens,
        rounds=options.rounds,
        compares_settings=options.settings,
    )


def _measure(
    assistant: Assistant, bench: Bench, model: InstalledModel, options: argparse.Namespace
) -> ModelBench:
    check = assistant.check_memory(model)
    if check.verdict == "will not fit":
        raise check.error()
    asked = AskOptions(context_length=options.context, thread_count=options.threads)
    with assistant.crashes.loading(model.name, model.path, model.mmproj_path):
        return bench.measure(assistant.load_request(model, asked))


def _machine() -> dict[str, Any]:
    return {
        "processor": processor_name(),
        "physical_cores": best_thread_count(),
        "logical_cores": logical_core_count(),
        "memory_bytes": psutil.virtual_memory().total,
    }


def _say(name: str, text: str) -> None:
    print(f"{name}: {text} …", file=sys.stderr, flush=True)


def _print(bench: ModelBench) -> None:
    model = bench.model
    safe = ", safe settings" if bench.safe_settings else ""
    print(f"{model.name} ({model.quantization}, {bench.speed.thread_count} threads{safe})")
    for name, value in _lines(bench):
        print(f"  {name:30} {value}")
    if bench.settings:
        _print_settings(bench.settings)
    print(flush=True)


def _lines(bench: ModelBench) -> Iterator[tuple[str, str]]:
    speed, energy = bench.speed, bench.energy
    yield f"reading {speed.prompt_tokens} tokens", _with_unit(speed.prefill_tokens_per_s, "tok/s")
    yield f"writing {speed.new_tokens} tokens", _with_unit(speed.decode_tokens_per_s, "tok/s")
    yield "first word after", _with_unit(speed.first_token_s, "s")
    if bench.picture is not None:
        picture = bench.picture
        size = f"{picture.width_px} × {picture.height_px}"
        yield f"picture of {size}", f"{picture.image_tokens} tokens"
        yield "  encoded in", _with_unit(picture.encode_s, "s")
        yield "  first word after", _with_unit(picture.first_token_s, "s")
    yield "loaded in", _with_unit(bench.load_s, "s")
    yield "memory of the engine, most", bytes_in_words(bench.engine_peak_bytes)
    yield "  context", bytes_in_words(speed.kv_cache_bytes)
    origin = f" ({energy.kind}, {energy.source})" if energy.kind != _UNKNOWN else ""
    yield "energy of a token read", _with_unit(energy.prompt_token_j, "J") + origin
    yield "energy of a token written", _with_unit(energy.new_token_j, "J") + origin


def _print_settings(rows: tuple[SettingRow, ...]) -> None:
    print(f"  {'settings':34} {'reading':>17} {'writing':>17} {'context':>9} {'memory':>9}")
    for row in rows:
        speed = row.speed
        print(
            f"  {row.label:34}"
            f" {_compared(speed.prefill_tokens_per_s, row.prefill_to_first_row):>17}"
            f" {_compared(speed.decode_tokens_per_s, row.decode_to_first_row):>17}"
            f" {bytes_in_words(speed.kv_cache_bytes, '–'):>9}"
            f" {bytes_in_words(row.engine_peak_bytes, '–'):>9}"
        )


def _compared(tokens_per_s: float | None, ratio: float | None) -> str:
    """Return "52 tok/s × 0.98"."""
    if tokens_per_s is None or ratio is None:
        return "–"
    return f"{_rounded(tokens_per_s)} tok/s × {ratio:.2f}"


def _with_unit(value: float | None, unit: str) -> str:
    return _UNKNOWN if value is None else f"{_rounded(value)} {unit}"


def _rounded(value: float) -> str:
    """Return a number with about three digits that say something."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
