# SPDX-License-Identifier: Apache-2.0
"""The command line: the same assistant as the window, in a terminal.

Results go to standard output, everything else to standard error. An error is one sentence that
says what to do; ``--debug`` shows the traceback. Exit status: 0 answered, 2 wrong usage, 3 a
file could not be read, 4 no usable model, 5 the engine failed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from molmo_desktop.cli.commands import COMMANDS
from molmo_desktop.cli.output import prepare_streams, print_error
from molmo_desktop.core.errors import Cancelled, MolmoDesktopError

_INTERRUPTED = 130


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command, or open the window; return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    if opens_window(arguments):
        return _open_window(arguments)
    # Here and not above: the commands drag in what a window does not need to be shown.
    from molmo_desktop.cli.parser import build_parser

    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except Cancelled:
        return _INTERRUPTED
    except MolmoDesktopError as error:
        if options.debug:
            traceback.print_exc()
        print_error(error)
        return error.exit_status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, which is its right
        sys.stderr.close()
        return 0
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        print_error(
            MolmoDesktopError(
                f"Something unexpected went wrong ({type(error).__name__}: {error}).",
                hint="Run the command again with --debug and report what it prints.",
            )
        )
        return 1


def opens_window(arguments: Sequence[str]) -> bool:
    """Whether the arguments are files for the window; anything else is for the parser.

    A misspelt command must not open a window: only what is a file, or looks like a path, does.
    """
    return all(
        not argument.startswith("-")
        and argument not in COMMANDS
        and (Path(argument).exists() or "." in argument or os.sep in argument)
        for argument in arguments
    )


def _open_window(arguments: Sequence[str]) -> int:
    # Here and not above: the window drags Qt in, which the other commands never need.
    from molmo_desktop.services.screen import check_screen

    try:
        check_screen()
    except MolmoDesktopError as error:
        print_error(error)
        return error.exit_status
    from molmo_desktop.app import run as run_window

    return run_window([sys.argv[0], *arguments])
