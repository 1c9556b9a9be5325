# SPDX-License-Identifier: Apache-2.0
"""Commands and options; what they do stands in one module each."""

from __future__ import annotations

import argparse
from pathlib import Path

from molmo_desktop import __version__
from molmo_desktop.cli import ask, bench, doctor, models, read

_DESCRIPTION = """\
Ask questions about your own pictures and documents, on your own machine.
Without a command, molmo-desktop [FILE…] opens the window with the files attached."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        "molmo-desktop",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"molmo-desktop {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_ask(commands)
    _add_chat(commands)
    _add_read(commands)
    _add_models(commands)
    _add_bench(commands)
    _add_doctor(commands)
    return parser


_Commands = argparse._SubParsersAction  # the only name that argparse gives this type


def _add_ask(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "ask", help="answer a question about files", description="Answer a question about files."
    )
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="QUESTION FILE…",
        help="the question, then any number of files",
    )
    parser.add_argument(
        "--questions",
        type=Path,
        metavar="LIST.txt",
        help="one question a line, each on its own; all arguments are files then",
    )
    _add_asking_options(parser)
    parser.set_defaults(run=ask.run_ask)


def _add_chat(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "chat",
        help="answer the turns of one conversation",
        description="Answer the lines of a file as the turns of one conversation about files.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument(
        "--script", type=Path, required=True, metavar="TURNS.txt", help="one turn a line"
    )
    _add_asking_options(parser)
    parser.set_defaults(run=ask.run_chat)


def _add_read(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "read", help="show what is read in files", description="Show what is read in files."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--again",
        action="store_true",
        help="try also files that made the reader stop before",
    )
    _add_common(parser)
    parser.set_defaults(run=read.run_read)


def _add_models(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "models", help="list the models that are installed", description="List the models."
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "fit", "import", "remove"),
        default="list",
        help="what to do (default: list)",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME|PATH",
        help="for show, fit and remove: the model; for import: its .gguf file",
    )
    parser.add_argument("--mmproj", type=Path, metavar="PATH", help="for import: the projector")
    parser.add_argument("--context", type=_positive, metavar="N", help="for fit: tokens of context")
    parser.add_argument(
        "--copy", action="store_true", help="for import: copy the file instead of linking it"
    )
    _add_common(parser)
    parser.set_defaults(run=models.run_models)


def _add_bench(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure speed, memory and energy",
        description="Measure speed, memory and energy of models on this machine.",
    )
    add = parser.add_argument
    add("--model", metavar="NAME|PATH", help="one model (default: all that are installed)")
    add("--mmproj", type=Path, metavar="PATH", help="the projector of a model that sees")
    add("--threads", type=_positive, metavar="N", help="processor threads")
    add("--context", type=_positive, metavar="N", help="context length in tokens")
    add("--prompt-tokens", type=_positive, default=512, metavar="N", help="tokens to read")
    add("--new-tokens", type=_positive, default=64, metavar="N", help="tokens to write")
    add("--rounds", type=_positive, default=3, metavar="N", help="medians of so many rounds")
    add(
        "--settings",
        action="store_true",
        help="compare threads, flash attention and the precision of the context; takes longer",
    )
    _add_common(parser)
    parser.set_defaults(run=bench.run_bench)


def _add_doctor(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor", help="check what works here", description="Check what works on this machine."
    )
    _add_common(parser)
    parser.add_argument(
        "--forget-states",
        action="store_true",
        help="first delete what models have read, which is kept for after a restart",
    )
    parser.add_argument(
        "--reset-engine",
        action="store_true",
        help="first forget safe settings and crashes, so that everything is tried again",
    )
    parser.set_defaults(run=doctor.run_doctor)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_asking_options(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    add = parser.add_argument
    add("--model", metavar="NAME|PATH", help="an installed model, or a .gguf file")
    add("--mmproj", type=Path, metavar="PATH", help="the projector of a model that sees")
    add("--context", type=_positive, metavar="N", help="context length in tokens")
    add("--max-tokens", type=_positive, metavar="N", help="longest answer in tokens")
    add("--temperature", type=_temperature, metavar="T", help="0 = always the likeliest token")
    add("--seed", type=int, metavar="N", help="for a temperature above 0")
    add("--threads", type=_positive, metavar="N", help="processor threads")
    add("--pages", type=parse_pages, default=(), metavar="1-3,7", help="only these pages")
    add(
        "--mode",
        choices=("auto", "whole", "retrieve", "picture"),
        default="auto",
        help="read the whole document, the best passages, or look at the pages",
    )
    add("--cold", action="store_true", help="use no stored state")
    add(
        "--raw",
        action="store_true",
        help="the question and the pictures alone, without instructions of ours",
    )
    add(
        "--dump-logits",
        type=Path,
        metavar="FILE.npz",
        help="write the logits of the last prompt position",
    )
    add("--try-anyway", action="store_true", help="load also what will probably fail")


def parse_pages(text: str) -> tuple[int, ...]:
    """Return the page numbers of "1-3,7".

    Raises:
        argparse.ArgumentTypeError: The text is no list of pages.
    """
    numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"'{text}' is no list of pages like 1-3,7")
        start, end = int(first), int(last or first)
        if not 1 <= start <= end <= 1_000_000:
            raise argparse.ArgumentTypeError(f"'{part}' is no range of pages")
        numbers.update(range(start, end + 1))
    return tuple(sorted(numbers))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 5:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 5")
    return value
