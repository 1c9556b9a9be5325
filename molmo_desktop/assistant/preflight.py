# SPDX-License-Identifier: Apache-2.0
"""Whether a model fits into the memory that is free, said before anything is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from molmo_desktop.core.errors import OutOfMemoryError
from molmo_desktop.core.settings import Settings
from molmo_desktop.core.sizes import bytes_in_words
from molmo_desktop.engine.events import Generation, LoadedModel, LoadRequest
from molmo_desktop.models.fit import Fit, MemoryEstimate, fit
from molmo_desktop.models.free_memory import FreeMemory, free_memory
from molmo_desktop.models.library import InstalledModel, ModelLibrary
from molmo_desktop.models.measured_memory import (
    LoadKind,
    MeasuredLoad,
    MeasuredMemory,
    corrected,
    scaled,
)

_LIMITED = {
    "machine": "free",
    "container": "free in this container",
    "process limit": "allowed for this program",
}


@dataclass(frozen=True)
class MemoryCheck:
    """A model against the memory that is free.

    Attributes:
        name: The model's.
        kv_cache_type: "f16" or "q8_0".
    """

    name: str
    estimate: MemoryEstimate
    free: FreeMemory
    kv_cache_type: str = "f16"

    @property
    def verdict(self) -> Fit:
        """Whether it fits."""
        return fit(self.estimate, self.free.free_bytes)

    def sentence(self) -> str:
        """Return the sum: "tiny needs 0.4 GB, 2.2 GB are free."."""
        needed = bytes_in_words(self.estimate.total_bytes)
        free = bytes_in_words(self.free.free_bytes)
        return f"{self.name} needs {needed}, {free} are {_LIMITED[self.free.limited_by]}."

    def parts_in_words(self) -> str:
        """Return what the sum is made of: "weights 97 MB, context 189 MB, …, estimated"."""
        estimate = self.estimate
        parts = [
            f"weights {bytes_in_words(estimate.weights_bytes)}",
            f"context of {estimate.context_length} tokens "
            f"{bytes_in_words(estimate.kv_cache_bytes)}",
            f"computation {bytes_in_words(estimate.compute_bytes)}",
        ]
        if estimate.projector_bytes:
            parts.append(f"picture encoder {bytes_in_words(estimate.projector_bytes)}")
        return f"{', '.join(parts)}; {estimate.source}"

    def parts_sentence(self) -> str:
        """Return the parts as a sentence of their own."""
        words = self.parts_in_words()
        return f"{words[0].upper()}{words[1:]}."

    def to_dict(self) -> dict[str, Any]:
        """Return the check as it stands in JSON."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "needed_bytes": self.estimate.total_bytes,
            "free_bytes": self.free.free_bytes,
            "limited_by": self.free.limited_by,
            "context_length": self.estimate.context_length,
            "kv_cache_type": self.kv_cache_type,
            "parts": self.estimate.parts(),
            "source": self.estimate.source,
            "explanation": f"{self.sentence()} {self.parts_sentence()}",
        }

    def error(self) -> OutOfMemoryError:
        """Return the error for a model that will not fit."""
        return OutOfMemoryError(
            f"Not enough memory: {self.sentence()}",
            hint="Close other programs, choose a smaller model, or lower the context length.",
            detail=self.parts_sentence(),
            needed_bytes=self.estimate.total_bytes,
            free_bytes=self.free.free_bytes,
            limited_by=self.free.limited_by,
            context_length=self.estimate.context_length,
            source=self.estimate.source,
            **self.estimate.parts(),
        )


class MemoryPreflight:
    """Compares models with the memory that is free, and learns from each load.

    Args:
        settings: Returns the settings as they are now.
    """

    def __init__(
        self, library: ModelLibrary, measured: MeasuredMemory, settings: Callable[[], Settings]
    ) -> None:
        self._library = library
        self._measured = measured
        self._settings = settings

    def check(
        self, model: InstalledModel, context_length: int | None = None, *, reclaimed_bytes: int = 0
    ) -> MemoryCheck:
        """Compare a model with the memory that is free now.

        Args:
            model: One without a problem.
            context_length: Tokens; None = as the settings say, 0 = the model's own, at most 8192.
            reclaimed_bytes: What an engine holds that ends before this model is loaded.

        Raises:
            ModelError: The file cannot be used.
        """
        settings = self._settings()
        if context_length is None:
            context_length = settings.context_length
        return MemoryCheck(
            model.name,
            self._estimate(model, context_length),
            free_memory(reclaimed_bytes=reclaimed_bytes),
            settings.kv_cache_type,
        )

    def learn(self, request: LoadRequest, loaded: LoadedModel, generation: Generation) -> None:
        """Remember what an answer took, for the next time this model is loaded."""
        if generation.peak_rss_bytes is None or loaded.compute_bytes is None:
            return
        known_bytes = loaded.weights_bytes + loaded.kv_cache_bytes + loaded.compute_bytes
        known_bytes += loaded.repacked_bytes + (loaded.projector_bytes or 0)
        known_bytes += generation.copies_bytes
        load = MeasuredLoad(
            loaded.kv_cache_bytes,
            loaded.compute_bytes,
            max(0, generation.peak_rss_bytes - known_bytes),
            with_pictures=bool(generation.image_tokens),
        )
        try:
            kind = LoadKind.of(
                request.model_path,
                request.mmproj_path,
                loaded.info.context_length,
                request.kv_cache_type,
                request.flash_attention,
                request.image_max_tokens,
            )
        except OSError:
            return
        self._measured.learn(kind, load)

    def _estimate(self, model: InstalledModel, context_length: int) -> MemoryEstimate:
        estimate = self._from_headers(model, context_length)
        settings = self._settings()
        try:
            kind = LoadKind.of(
                model.path,
                model.mmproj_path,
                estimate.context_length,
                settings.kv_cache_type,
                settings.flash_attention,
                settings.image_max_tokens,
            )
            projector_bytes = model.mmproj_path.stat().st_size if model.mmproj_path else 0
        except OSError:
            return estimate
        if (load := self._measured.find(kind)) is not None:
            return corrected(estimate, load, projector_bytes)
        if (found := self._measured.find_other(kind)) is not None:
            other = self._from_headers(model, found[0])
            return scaled(estimate, other, found[1], projector_bytes)
        return estimate

    def _from_headers(self, model: InstalledModel, context_length: int) -> MemoryEstimate:
        settings = self._settings()
        return self._library.memory_estimate(
            model,
            context_length,
            kv_cache_type=settings.kv_cache_type,
            flash_attention=settings.flash_attention,
        )
