# SPDX-License-Identifier: Apache-2.0
r"""Write models with random weights: of real shapes, or of any architecture by parameters.

    python benchmarks/make_random_gguf.py --preset SmolVLM-256M
    python benchmarks/make_random_gguf.py --architecture gemma3 --layers 4 --width 64 \
        --heads 2 --key attention.sliding_window=16 --out gemma3.gguf

What they answer is nonsense; how fast they do is as with the real ones. Presets go into a
folder (default: ~/.cache/molmo-desktop/random-models), a model and, if it sees, its projector.
``--dry-run`` writes nothing and prints what would be written.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from random_gguf import vocabulary
from random_gguf.gguf_file import ModelFile, write
from random_gguf.presets import PRESETS, Sizes, files_of, language_model
from random_gguf.quantization import MIXTURES

DEFAULT_FOLDER = Path.home() / ".cache" / "molmo-desktop" / "random-models"


def main() -> None:
    arguments = parse_arguments()
    try:
        if arguments.preset:
            for name in arguments.preset:
                make_preset(name, arguments)
        else:
            finish(arguments.out, model_by_parameters(arguments), arguments)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f"{error}\nWhat llama.cpp misses can be added with --key.") from error


def ensure_preset(name: str, folder: Path = DEFAULT_FOLDER) -> tuple[Path, Path | None]:
    """Return the files of a preset in its usual types; make them where they are missing."""
    model_path, projector_path = files_of(folder, name)
    preset = PRESETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    if not model_path.exists():
        write(model_path, preset.language(preset.mixture))
    if preset.vision and projector_path and not projector_path.exists():
        write(projector_path, preset.vision("F16"))
    return model_path, projector_path


def make_preset(name: str, arguments: argparse.Namespace) -> None:
    preset = PRESETS[name]
    model_path, projector_path = files_of(arguments.folder, name)
    finish(model_path, preset.language(arguments.type or preset.mixture), arguments)
    if preset.vision and projector_path:
        finish(projector_path, preset.vision(arguments.projector_type), arguments)


def model_by_parameters(arguments: argparse.Namespace) -> ModelFile:
    sizes = Sizes(
        arguments.layers,
        arguments.width,
        arguments.heads,
        arguments.kv_heads or arguments.heads,
        arguments.feed_forward or 4 * arguments.width,
        arguments.vocabulary,
        arguments.context_length,
        dict(arguments.key),
    )
    return language_model(
        arguments.architecture,
        sizes,
        mixture=arguments.type or "F16",
        tokenizer=vocabulary.tokenizer(
            arguments.tokenizer,
            size=arguments.vocabulary,
            template=vocabulary.chat_template("<image>"),
        ),
        omit=arguments.omit,
    )


def finish(path: Path, model: ModelFile, arguments: argparse.Namespace) -> None:
    """Write a model, or only say what it would be."""
    types = Counter(tensor.type for tensor in model.tensors)
    print(
        f"{path}: {model.parameter_count / 1e6:.1f} million weights, "
        f"{model.byte_count / 1e6:.1f} MB, {len(model.tensors)} tensors "
        f"({', '.join(f'{count} {name}' for name, count in types.most_common())})"
    )
    if arguments.dry_run:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    write(path, model, seed=arguments.seed)
    print(f"  written in {time.perf_counter() - started:.1f} s")


def key_and_value(text: str) -> tuple[str, Any]:
    """Return the parts of KEY=VALUE; the value is JSON, or else a text.

    Raises:
        argparse.ArgumentTypeError: There is no "=".
    """
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"'{text}' is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", nargs="+", choices=PRESETS, help="models of real shapes")
    add("--folder", type=Path, default=DEFAULT_FOLDER, help="where presets go")
    add("--type", choices=MIXTURES, help="element type (default: the preset's own, else F16)")
    add("--projector-type", choices=("F16", "F32", "BF16", "Q8_0"), default="F16")
    add("--seed", type=int, default=0)
    add("--dry-run", action="store_true", help="write nothing, say what would be written")
    own = parser.add_argument_group("any architecture")
    add = own.add_argument
    add("--architecture", help="as llama.cpp calls it, such as llama, gemma3, qwen35, lfm2")
    add("--out", type=Path, default=Path("random.gguf"), help="file to write")
    add("--layers", type=int, default=4)
    add("--width", type=int, default=256, help="embedding length")
    add("--heads", type=int, default=4)
    add("--kv-heads", type=int, default=0, help="0 = as many as heads")
    add("--feed-forward", type=int, default=0, help="0 = four times the width")
    add("--vocabulary", type=int, default=0, help="0 = as many tokens as the tokenizer has")
    add("--context-length", type=int, default=4096)
    add("--tokenizer", type=Path, help="a GGUF file with a tokenizer (default: the starter model)")
    add(
        "--key",
        action="append",
        type=key_and_value,
        default=[],
        metavar="KEY=VALUE",
        help="further metadata, without the architecture's prefix; lists as JSON",
    )
    add(
        "--omit",
        action="append",
        default=[],
        metavar="PATTERN",
        help="leave out optional tensors whose name matches, such as bias$",
    )
    arguments = parser.parse_args()
    if bool(arguments.preset) == bool(arguments.architecture):
        parser.error("give either --preset or --architecture")
    return arguments


if __name__ == "__main__":
    main()
