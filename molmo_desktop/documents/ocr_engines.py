# SPDX-License-Identifier: Apache-2.0
"""What can recognise text on this computer. No heavy import: the window asks as well.

Looked for in this order: the program Tesseract, where it is installed, and the package rapidocr,
which needs six times as long. With neither there is no text recognition, and a model that sees
has to look at the page.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import Literal

EngineName = Literal["tesseract", "rapidocr"]
# Programs started from a menu do not always have these on their path.
_USUAL_FOLDERS = (
    "/opt/homebrew/bin",
    "/usr/local/bin",
    r"C:\Program Files\Tesseract-OCR",
)


def tesseract_path() -> str | None:
    """Return where Tesseract is, None when it is not installed."""
    found = shutil.which("tesseract")
    if found is None and getattr(sys, "frozen", False):
        found = shutil.which("tesseract", path=os.pathsep.join(_USUAL_FOLDERS))
    return found


def engine_name() -> EngineName | None:
    """Return what would recognise text here; quick, nothing is loaded."""
    if tesseract_path() is not None:
        return "tesseract"
    if all(map(importlib.util.find_spec, ("rapidocr", "onnxruntime"))):
        return "rapidocr"
    return None
