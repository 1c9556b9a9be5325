# SPDX-License-Identifier: Apache-2.0
"""The models on this machine: list them, choose one, say whether it fits.

Looks at the starter model and at the model folder; nothing is fetched from anywhere.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from molmo_desktop.core.errors import ModelLoadError, ModelNotFoundError, ProjectorMismatchError
from molmo_desktop.models.fit import Fit, MemoryEstimate, estimate_memory, fit
from molmo_desktop.models.free_memory import free_memory, total_memory_bytes
from molmo_desktop.models.gguf_header import GgufHeader
from molmo_desktop.models.importing import import_into, remove_from
from molmo_desktop.models.installed import (
    HeaderCache,
    InstalledModel,
    Origin,
    describe,
    models_in,
    other_parts,
)
from molmo_desktop.models.pairing import FoundFile, fits, projector_for
from molmo_desktop.models.starter import starter_model_path

__all__ = ["InstalledModel", "MemoryEstimate", "ModelLibrary"]

_STARTER_NAME = "SmolLM2-135M-Instruct"
_DEFAULT_CONTEXT = 8192


class ModelLibrary:
    """The models of one user. Any thread may call; each call looks at the disk anew.

    Args:
        models_folder: Where downloaded and imported models lie; need not exist.
        starter: The starter model's file; None = wherever it is installed.
    """

    def __init__(self, models_folder: Path, *, starter: Path | None = None) -> None:
        self.folder = models_folder
        self._starter = starter
        self._headers = HeaderCache()

    def installed(self) -> list[InstalledModel]:
        """Return the user's own models, then the starter model.

        A file that cannot be used is listed with its ``problem``.
        """
        files = sorted(self.folder.rglob("*.gguf")) if self.folder.is_dir() else []
        own = models_in(files, self._headers, "store")
        return [*own, *self._starter_models()]

    def resolve(self, name_or_path: str | None, mmproj: Path | None = None) -> InstalledModel:
        """Return the model that is meant.

        Args:
            name_or_path: A path to a .gguf file, a name, or the beginning of one in any
                case; None = the default.
            mmproj: The projector to use, instead of the one that is found.

        Raises:
            ModelNotFoundError: Nothing of that name, or several.
            ModelLoadError: The file cannot be used.
            ProjectorMismatchError: ``mmproj`` belongs to another model.
        """
        if not name_or_path:
            model = self.default(wants_vision=mmproj is not None)
        elif _is_path(name_or_path):
            model = self._from_file(Path(name_or_path).expanduser())
        else:
            model = self._by_name(name_or_path)
        if model.problem:
            raise ModelLoadError(f"The model {model.name} cannot be used.", hint=model.problem)
        return self._with_projector(model, mmproj) if mmproj is not None else model

    def default(self, *, wants_vision: bool = False) -> InstalledModel:
        """Return the model for a user who did not choose.

        The largest of the user's own that fits into this machine's memory, then the starter;
        with ``wants_vision``, one that sees is preferred.

        Raises:
            ModelNotFoundError: There is no usable model.
        """
        usable = [model for model in self.installed() if not model.problem]
        if not usable:
            raise ModelNotFoundError(
                "There is no model on this machine yet.",
                hint=f"Put a .gguf file into {self.folder}, or add one with "
                '"molmo-desktop models import".',
            )
        # All of the memory, not what is free now: the choice must not change because a model
        # is loaded.
        total_bytes = total_memory_bytes()
        fitting = [model for model in usable if self._fits(model, total_bytes)]
        seeing = [model for model in fitting if model.has_vision] if wants_vision else []
        own = [model for model in seeing or fitting if model.origin != "starter"]
        if own:
            return max(own, key=lambda model: model.parameters or 0)
        if fitting:
            return fitting[0]
        return min(usable, key=lambda model: model.size_bytes)

    def header(self, model: InstalledModel) -> GgufHeader:
        """Return what the model's file says about itself.

        Raises:
            ModelError: The file cannot be used.
        """
        return self._headers.header(model.path)

    def memory_estimate(
        self,
        model: InstalledModel,
        context_length: int = 0,
        *,
        kv_cache_type: str = "f16",
        flash_attention: bool = True,
    ) -> MemoryEstimate:
        """Return what the model will need, by parts.

        Args:
            model: An installed model.
            context_length: Tokens; 0 = the model's own, at most 8192.
            kv_cache_type: "f16" or "q8_0".
            flash_attention: Whether it may be used.

        Raises:
            ModelError: The file cannot be used.
        """
        header = self._headers.header(model.path)
        most = header.context_length or max(context_length, _DEFAULT_CONTEXT)
        parts = [self._headers.header(part) for part in other_parts(model.path)]
        return estimate_memory(
            header,
            min(context_length or _DEFAULT_CONTEXT, most),
            self._headers.header(model.mmproj_path) if model.mmproj_path else None,
            other_parts=parts,
            kv_cache_type=kv_cache_type,
            flash_attention=flash_attention,
        )

    def fit(self, estimate: MemoryEstimate, available_bytes: int | None = None) -> Fit:
        """Say whether it fits into the memory that is free; None = as it is now."""
        if available_bytes is None:
            available_bytes = free_memory().free_bytes
        return fit(estimate, available_bytes)

    def import_file(
        self, path: Path, mmproj: Path | None = None, *, link: bool = True
    ) -> InstalledModel:
        """Add a model file of the user's to the model folder.

        Args:
            path: A .gguf file; of a divided model, any of its parts.
            mmproj: Its projector; None = the one beside it, if there is one.
            link: Leave the file where it is and link to it, instead of copying it.

        Raises:
            ModelError: The file cannot be used or cannot be put into the model folder.
        """
        model = self.resolve(str(path), mmproj)
        for known in self.installed():
            if known.origin == "store" and known.path.resolve() == model.path.resolve():
                return known
        target = import_into(self.folder, model, link=link)
        return next(known for known in self.installed() if known.path == target)

    def remove(self, name: str) -> None:
        """Remove a model from the model folder; a file that was only linked stays.

        Raises:
            ModelNotFoundError: There is no such model in the model folder.
            UsageError: It is not in the model folder.
        """
        remove_from(self.folder, self._by_name(name), self.installed())

    def _starter_models(self) -> list[InstalledModel]:
        path = self._starter or starter_model_path()
        if path is None:
            return []
        models = models_in([path], self._headers, "starter")
        if path.stem.startswith(_STARTER_NAME):
            return [replace(model, name=_STARTER_NAME) for model in models]
        return models

    def _from_file(self, path: Path) -> InstalledModel:
        for known in self.installed():
            if not known.problem and known.path == path.absolute():
                return known
        header = self._headers.header(path)
        if header.is_projector:
            raise ModelLoadError(
                f"{path.name} is the vision part of a model, not a model.",
                hint="Give the model's own .gguf file, and this one with --mmproj.",
            )
        model = FoundFile(path, header)
        beside = self._readable(path.parent)
        projector = projector_for(
            model,
            [item for item in beside if not item.header.is_projector],
            [item for item in beside if item.header.is_projector],
        )
        return describe(model, projector, self._headers, "file")

    def _readable(self, folder: Path) -> list[FoundFile]:
        """Return the sound GGUF files of a folder; a broken neighbour is none of our business."""
        found = []
        for path in sorted(folder.glob("*.gguf")):
            try:
                found.append(FoundFile(path, self._headers.header(path)))
            except (ModelLoadError, ModelNotFoundError):
                continue
        return found

    def _by_name(self, name: str) -> InstalledModel:
        models = self.installed()
        wanted = name.casefold()
        exact = [model for model in models if model.name == name]
        same = exact or [model for model in models if model.name.casefold() == wanted]
        found = same or [model for model in models if model.name.casefold().startswith(wanted)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(model.name for model in (found or models))
        if found:
            raise ModelNotFoundError(
                f'"{name}" may mean several models.', hint=f"Choose one of: {names}."
            )
        raise ModelNotFoundError(
            f'There is no model called "{name}" on this machine.',
            hint=f"Choose one of: {names}."
            if names
            else f"Put a .gguf file into {self.folder}, or give the path of one.",
        )

    def _with_projector(self, model: InstalledModel, mmproj: Path) -> InstalledModel:
        header = self._headers.header(model.path)
        projector = self._headers.header(mmproj)
        if projector.vision is None:
            raise ProjectorMismatchError(
                f"{mmproj.name} is not the vision part of a model.",
                hint="Choose the file whose name begins with mmproj.",
            )
        if projector.vision.projection_dim is not None and not fits(header, projector):
            raise ProjectorMismatchError(
                f"{mmproj.name} does not belong to {model.name}.",
                hint="Choose the mmproj file that was published together with this model.",
                detail=f"the projector makes vectors of {projector.vision.projection_dim} "
                f"elements, the model takes {header.embedding_length}",
            )
        origin: Origin = model.origin
        return describe(
            FoundFile(model.path, header),
            FoundFile(mmproj, projector),
            self._headers,
            origin,
            model.name,
        )

    def _fits(self, model: InstalledModel, total_bytes: int) -> bool:
        return fit(self.memory_estimate(model), total_bytes) != "will not fit"


def _is_path(text: str) -> bool:
    """A path is known by its ending, so that a missing file is called a missing file."""
    if text.lower().endswith(".gguf"):
        return True
    return ("/" in text or os.sep in text) and Path(text).expanduser().is_file()
