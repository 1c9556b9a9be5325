# SPDX-License-Identifier: Apache-2.0
"""``read``: what the program reads in a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from molmo_desktop.cli.output import print_error, print_json
from molmo_desktop.core.errors import DocumentError
from molmo_desktop.core.pages import Document
from molmo_desktop.core.paths import app_paths
from molmo_desktop.documents.reader import DocumentReader

_ORIGINS = {
    "text layer": "text",
    "ocr": "text recognised in the picture",
    "vision": "described by a model",
    "none": "no text",
}


def run_read(options: argparse.Namespace) -> int:
    """Print each file's pages; a file that fails does not stop the others."""
    status = 0
    reader = DocumentReader(quarantine_file=app_paths().make().unreadable_files_file)
    try:
        for path in options.files:
            try:
                document = reader.read(path, force=options.again)
            except DocumentError as error:
                status = error.exit_status
                if options.json:
                    print_json({"file": str(path), "error": error.shown()})
                print_error(error)
                continue
            if options.json:
                print_json(document_object(path, document))
            else:
                _print_text(path, document)
    finally:
        reader.close()
    return status


def document_object(path: Path, document: Document) -> dict[str, Any]:
    """Return what was read as it stands in JSON."""
    return {
        "file": str(path),
        "format": document.format,
        "pages": [
            {
                "number": page.number,
                "text": page.text,
                "origin": page.origin,
                "width_pt": page.width_pt,
                "height_pt": page.height_pt,
                "label": page.label,
            }
            for page in document.pages
        ],
        "warnings": list(document.warnings),
    }


def _print_text(path: Path, document: Document) -> None:
    count = len(document.pages)
    print(f"{path}: {document.format}, {count} {'page' if count == 1 else 'pages'}")
    for warning in document.warnings:
        print(f"  {warning}")
    for page in document.pages:
        label = f" ({page.label})" if page.label else ""
        print(f"\n— page {page.number}{label}, {_ORIGINS[page.origin]} —\n{page.text}")
