# SPDX-License-Identifier: Apache-2.0
"""Logging: one rotating file, and a file for native crashes.

Logs hold what the program did, never what a document or a question says.
"""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
from pathlib import Path
from typing import IO

ROOT_LOGGER = "molmo_desktop"
_MAX_BYTES = 1_000_000
_crash_file: IO[str] | None = None


def set_up_logging(folder: Path, name: str = "molmo-desktop") -> None:
    """Log into ``folder/<name>.log`` and native crashes into ``folder/<name>.crash.log``.

    Does nothing where the folder cannot be written: a program without a log still answers.
    """
    global _crash_file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / f"{name}.log", maxBytes=_MAX_BYTES, backupCount=2, encoding="utf-8"
        )
        _crash_file = (folder / f"{name}.crash.log").open("a", encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger(ROOT_LOGGER)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    faulthandler.enable(_crash_file)
