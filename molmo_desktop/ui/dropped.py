# SPDX-License-Identifier: Apache-2.0
"""What is dropped or pasted: the files in it, and what the program can do with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from molmo_desktop.documents.formats import extensions, format_of_extension

_MAX_NAMED = 3


@dataclass(frozen=True)
class Refusal:
    """A file that is not taken, and why, in a few words."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Sorted:
    """Files that can be added, and those that cannot."""

    accepted: tuple[Path, ...]
    refused: tuple[Refusal, ...]


def paths_from(mime: QMimeData) -> list[Path]:
    """Return the local files of a drop or of the clipboard, each once."""
    urls: list[QUrl] = mime.urls() if mime.hasUrls() else []
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    return list(dict.fromkeys(paths))


def image_from(mime: QMimeData) -> QImage | None:
    """Return the picture of a drop or of the clipboard, None when there is none."""
    if not mime.hasImage():
        return None
    image = mime.imageData()
    if isinstance(image, QImage) and not image.isNull():
        return image
    return None


def sort_out(paths: Iterable[Path]) -> Sorted:
    """Tell what can be added from what cannot.

    A file of an unknown extension is taken: what it is, its content decides when it is read.
    """
    accepted: list[Path] = []
    refused: list[Refusal] = []
    for path in paths:
        if path.is_dir():
            refused.append(Refusal(path, "a folder"))
        elif not path.exists():
            refused.append(Refusal(path, "not there any more"))
        elif path.stat().st_size == 0:
            refused.append(Refusal(path, "empty"))
        else:
            accepted.append(path)
    return Sorted(tuple(accepted), tuple(refused))


def what_will_happen(paths: Sequence[Path]) -> str:
    """Return the sentence of the drop overlay: "Add 3 files: 2 PDF, 1 picture"."""
    if not paths:
        return "Nothing here can be added"
    counts = Counter(_kind(path) for path in paths)
    kinds = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in counts.items())
    if len(paths) == 1:
        return f"Add {paths[0].name}"
    return f"Add {len(paths)} files: {kinds}"


def refusals_in_words(refused: Sequence[Refusal]) -> str:
    """Return which files are not added and why; empty when all are."""
    if not refused:
        return ""
    named = [f"{item.path.name} ({item.reason})" for item in refused[:_MAX_NAMED]]
    if len(refused) > _MAX_NAMED:
        named.append(f"{len(refused) - _MAX_NAMED} more")
    return "Not added: " + ", ".join(named)


def file_dialog_filter() -> str:
    """Return the filter of the file dialog."""
    patterns = " ".join(f"*{extension}" for extension in extensions())
    return f"Pictures and documents ({patterns});;All files (*)"


def _kind(path: Path) -> str:
    info = format_of_extension(path.suffix)
    if info is None:
        return "other file"
    if info.kind == "picture":
        return "picture"
    return info.title.lower() if info.name in ("html", "text", "csv") else info.title


def _plural(kind: str, count: int) -> str:
    if count == 1 or kind in ("PDF", "Markdown"):
        return kind
    return {"text": "texts", "table of values": "tables of values"}.get(kind, kind + "s")
