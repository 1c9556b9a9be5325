# SPDX-License-Identifier: Apache-2.0
"""Put a model file of the user's into the model folder, and take one out again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from molmo_desktop.core.errors import ModelError, UsageError
from molmo_desktop.models.installed import InstalledModel, first_part_stem, other_parts

_SPARE_BYTES = 200_000_000
_OTHER_DISK = 17  # ERROR_NOT_SAME_DEVICE of Windows


def import_into(folder: Path, model: InstalledModel, *, link: bool) -> Path:
    """Link or copy a model with its parts and projector into a subfolder of its own.

    Returns:
        The model's file in the model folder.

    Raises:
        ModelError: The folder cannot be written or the disk is too full; nothing is left there.
    """
    sources = [model.path, *other_parts(model.path)]
    if model.mmproj_path is not None:
        sources.append(model.mmproj_path)
    target = _free_folder(folder, _folder_name(model))
    try:
        target.mkdir(parents=True)
        if not link:
            _check_space(target, sum(path.stat().st_size for path in sources))
        for source in sources:
            if link:
                _link(source.resolve(), target / source.name)
            else:
                _copy(source, target / source.name)
    except (OSError, ModelError) as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{model.name} could not be put into the model folder.",
            hint=f"Check that {folder} can be written and that the disk is not full.",
            detail=str(error),
        ) from error
    return target / model.path.name


def remove_from(folder: Path, model: InstalledModel, installed: Sequence[InstalledModel]) -> None:
    """Remove a model's files from the model folder.

    A projector that another model uses stays; so does a file that was only linked.

    Raises:
        UsageError: The model does not lie in the model folder.
        ModelError: A file cannot be removed.
    """
    if model.origin != "store":
        raise UsageError(
            f"{model.name} is part of the program and cannot be removed.",
            hint="Only models in the model folder can be removed.",
        )
    needed = {item.mmproj_path for item in installed if item.path != model.path}
    paths = [model.path, *other_parts(model.path)]
    if model.mmproj_path is not None and model.mmproj_path not in needed:
        paths.append(model.mmproj_path)
    try:
        for path in paths:
            path.unlink(missing_ok=True)
        parent = model.path.parent
        if parent != folder and not any(parent.iterdir()):
            parent.rmdir()
    except OSError as error:
        raise ModelError(
            f"{model.name} could not be removed.",
            hint="Close other programs that may use the file and try again.",
            detail=str(error),
        ) from error


def _folder_name(model: InstalledModel) -> str:
    stem = first_part_stem(model.path)
    return model.name.replace("/", "-") if stem.lower() == "model" else stem


def _free_folder(folder: Path, name: str) -> Path:
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}-{number}"
    return target


def _check_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes + _SPARE_BYTES > free_bytes:
        raise ModelError(
            f"The disk has too little space: {needed_bytes / 1e9:.1f} GB are needed, "
            f"{free_bytes / 1e9:.1f} GB are free.",
            hint="Free some space, or link the file instead of copying it.",
        )


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:
        # Windows allows symbolic links to few users, hard links to all, on one disk.
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV and getattr(error, "winerror", None) != _OTHER_DISK:
                raise
            raise ModelError(
                f"{source.name} cannot be linked, because it lies on another disk than the "
                "model folder.",
                hint="Copy it instead: molmo-desktop models import --copy PATH.",
                detail=str(error),
            ) from error


def _copy(source: Path, target: Path) -> None:
    """Copy under another name first: a file that is there is whole."""
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)
