# SPDX-License-Identifier: Apache-2.0
"""An answer and everything that goes with it: the object that ``ask --json`` prints.

Unknown numbers are None and become ``null``; a zero always means a measured zero.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from molmo_desktop.core.pages import Box

FinishReason = Literal["stop", "length", "cancelled"]
ReadingMode = Literal["whole", "retrieve", "picture", "none"]
ReadingKind = Literal["measured", "estimated", "not available"]


@dataclass(frozen=True)
class Evidence:
    """A passage that an answer rests on, located by us in what was read.

    Attributes:
        file: Path as the user gave it.
        page: Counts from 1.
        text: The passage, as it stands in the page's text.
        boxes: One box a line of the passage, in points; empty where the format has none.
        score: 0 to 1; how much of the statement was found here.
        cited: True when a statement of the answer was located here; False for a passage that
            was read and is merely near the question.
        start: First character of the passage in the page's text.
        end: One past the last.
    """

    file: str
    page: int
    text: str
    boxes: tuple[Box, ...]
    score: float
    cited: bool
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Coverage:
    """How much of the attachments the model was given."""

    pages_total: int
    pages_read: tuple[int, ...]
    mode: ReadingMode
    files: tuple[FileCoverage, ...] = ()

    def sentence(self) -> str:
        """Return "read 12 of 40 pages" or the like; empty when nothing was attached.

        Passages are not whole pages, and are not called that.
        """
        if self.mode == "none" or not self.pages_total:
            return ""
        if self.mode == "picture":
            return (
                "looked at 1 picture"
                if self.pages_total == 1
                else (f"looked at {len(self.pages_read)} of {self.pages_total} pictures")
            )
        count = sum(len(item.pages_read) for item in self.files) or len(self.pages_read)
        if self.mode == "retrieve" and self.pages_total == 1:
            return "read the best passages"
        what = "passages on " if self.mode == "retrieve" else ""
        noun = "page" if self.pages_total == 1 else "pages"
        return f"read {what}{count} of {self.pages_total} {noun}"


@dataclass(frozen=True)
class FileCoverage:
    """The same for one of several attachments."""

    file: str
    pages_total: int
    pages_read: tuple[int, ...]


@dataclass(frozen=True)
class Point:
    """A place in a picture or page that the model pointed at, percent of width and height."""

    file: str
    page: int
    x_percent: float
    y_percent: float
    label: str


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of one answer; ``cached`` of the ``prompt`` tokens were not evaluated again."""

    prompt: int | None = None
    cached: int | None = None
    image: int | None = None
    completion: int | None = None
    completion_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Timings:
    """Seconds of each stage.

    ``first_token_s`` counts from the question to the first token, ``total_s`` to the answer.
    """

    load_s: float = 0.0
    read_s: float = 0.0
    retrieve_s: float = 0.0
    encode_s: float | None = None
    prefill_s: float | None = None
    first_token_s: float | None = None
    decode_s: float | None = None
    decode_tokens_per_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of the engine: highest resident size during the answer, and its parts."""

    engine_peak_bytes: int | None = None
    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None


@dataclass(frozen=True)
class EnergyUse:
    """Energy of one answer.

    Attributes:
        energy_j: Of the whole scope of the source, None when unknown.
        above_idle_j: What the answer added to the machine at rest, None when unknown.
        kind: Whether it was measured.
        source: "rapl", "battery", "nvml", "cpu time model", … or "none".
        carbon_g: Grams of CO2 equivalent for ``energy_j`` on the chosen grid.
        grid_g_per_kwh: The grid intensity used.
    """

    energy_j: float | None = None
    above_idle_j: float | None = None
    kind: ReadingKind = "not available"
    source: str = "none"
    carbon_g: float | None = None
    grid_g_per_kwh: float | None = None


@dataclass(frozen=True)
class ModelInfo:
    """The model that answered.

    Attributes:
        has_vision: A projector is loaded, so it can look at pictures.
        size_bytes: Weights and projector on disk.
        local: False only for a remote endpoint.
    """

    name: str
    path: str
    parameters: int | None
    quantization: str
    context_length: int
    local: bool = True
    architecture: str = ""
    has_vision: bool = False
    size_bytes: int | None = None
    mmproj_path: str | None = None


@dataclass(frozen=True)
class Answer:
    """One answer, complete or cut short (``finish_reason`` says which).

    Attributes:
        found: False when nothing in the attachments seems to answer the question.
        notices: Sentences that the user should read with it ("12 pages were left out").
    """

    question: str
    answer: str
    finish_reason: FinishReason
    found: bool
    evidence: tuple[Evidence, ...]
    coverage: Coverage
    points: tuple[Point, ...]
    tokens: TokenCounts
    timings: Timings
    memory: MemoryUse
    energy: EnergyUse
    model: ModelInfo
    notices: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``ask --json``."""
        return asdict(self)
