# SPDX-License-Identifier: Apache-2.0
"""Compare the memory that is estimated before loading with what the engine really takes.

    python benchmarks/memory_estimate.py
    python benchmarks/memory_estimate.py --models ~/models/*.gguf --contexts 2048 8192
    python benchmarks/memory_estimate.py --kv q8_0 --json

For each model and context the model is loaded into an engine of its own and asked once, about
a picture where it sees. "Real" is the highest resident size of the engine's process, weights
mapped from the file included; weights that llama.cpp copied into another order lie there twice
and are counted once, because the system can drop the mapped ones. "Second" is the estimate
after this load was measured. The figures do not depend on how busy the machine is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from molmo_desktop.assistant.preflight import MemoryPreflight
from molmo_desktop.core.pages import PageImage
from molmo_desktop.core.settings import Settings
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest
from molmo_desktop.models.library import InstalledModel, ModelLibrary
from molmo_desktop.models.measured_memory import MeasuredMemory
from molmo_desktop.models.starter import starter_model_path

_TINY = Path(__file__).parents[1] / "tests" / "data" / "models" / "tiny-vlm" / "model.gguf"
_MB = 1e6


@dataclass(frozen=True)
class Row:
    """One load, in bytes."""

    model: str
    context_length: int
    estimated: int
    real: int
    second: int

    @property
    def error_percent(self) -> float:
        """How far the first estimate was above (+) or below (-) the real size."""
        return 100 * (self.estimated / self.real - 1)


def measure(path: Path, context_length: int, kv_cache_type: str, picture_px: int) -> Row:
    """Estimate, load, ask once, and estimate again."""
    settings = Settings(context_length=context_length, kv_cache_type=kv_cache_type)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = ModelLibrary(folder / "models")
        model = library.resolve(str(path))
        measured = MeasuredMemory(folder / "memory.json")
        preflight = MemoryPreflight(library, measured, lambda: settings)
        before = preflight.check(model).estimate
        client = EngineClient(safe_settings_file=folder / "engine.json")
        try:
            request = LoadRequest(
                model.name,
                model.path,
                model.mmproj_path,
                context_length=context_length,
                kv_cache_type="q8_0" if kv_cache_type == "q8_0" else "f16",
            )
            loaded = client.load(request)
            generation = client.generate(_question(model, loaded.info.context_length, picture_px))
        finally:
            client.close()
        preflight.learn(request, loaded, generation)
        after = preflight.check(model).estimate
        return Row(
            model.name,
            before.context_length,
            before.total_bytes,
            (generation.peak_rss_bytes or 0) - loaded.repacked_bytes,
            after.total_bytes,
        )


def _question(model: InstalledModel, context_length: int, picture_px: int) -> GenerateRequest:
    """Return a question that fills a batch, with a picture for a model that sees."""
    words = "one two three four five six seven eight " * min(90, context_length // 40)
    if not model.has_vision:
        return GenerateRequest((ChatMessage("user", words),), max_new_tokens=8)
    pixels = bytes(range(256)) * (picture_px * picture_px * 3 // 256 + 1)
    picture = PageImage(picture_px, picture_px, pixels[: picture_px * picture_px * 3])
    return GenerateRequest((ChatMessage("user", words, images=(0,)),), (picture,), max_new_tokens=8)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", type=Path, help="default: starter and tiny model")
    parser.add_argument("--contexts", nargs="+", type=int, default=[2048, 8192])
    parser.add_argument("--kv", choices=("f16", "q8_0"), default="f16")
    parser.add_argument("--picture-px", type=int, default=896, help="side of the picture")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    models = options.models or [path for path in (starter_model_path(), _TINY) if path]
    if not options.json:
        print(
            f"{'model':40} {'context':>7} {'estimated':>10} {'real':>9} {'error':>7} {'second':>9}"
        )
    for path in models:
        for context_length in options.contexts:
            row = measure(path, context_length, options.kv, options.picture_px)
            if options.json:
                print(json.dumps(asdict(row)), flush=True)
                continue
            print(
                f"{row.model[:40]:40} {row.context_length:7} {row.estimated / _MB:7.0f} MB "
                f"{row.real / _MB:6.0f} MB {row.error_percent:+6.1f}% {row.second / _MB:6.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
