# SPDX-License-Identifier: Apache-2.0
"""Where the sample documents lie: inside the program, or in a checkout's ``assets``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """A question that works on one of the samples."""

    question: str
    file: Path


def samples_folder() -> Path | None:
    """Return the folder of the samples, None where the program came without them."""
    package = Path(str(resources.files("molmo_desktop")))
    for folder in (package / "resources" / "samples", package.parent / "assets" / "samples"):
        if folder.is_dir():
            return folder
    return None


def examples() -> list[Example]:
    """Return the example questions whose file is there."""
    folder = samples_folder()
    if folder is None:
        return []
    entries = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    found = [Example(entry["question"], folder / entry["file"]) for entry in entries]
    return [example for example in found if example.file.is_file()]
