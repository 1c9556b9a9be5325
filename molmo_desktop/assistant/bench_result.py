# SPDX-License-Identifier: Apache-2.0
"""What ``bench`` finds out about a model. Unknown figures are None, never zero."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from molmo_desktop.core.answer import ModelInfo, ReadingKind


@dataclass(frozen=True)
class Speed:
    """Medians over the rounds with one setting.

    Attributes:
        thread_count: Upper bound; fewer are used while other programs are busy, unless the
            user chose a number.
        prompt_tokens: Read from nothing in each round.
        new_tokens: Written after the first one, which comes out of the prompt.
        first_token_s: From the question to the first token, the model being loaded.
    """

    thread_count: int | None
    flash_attention: bool
    kv_cache_type: str
    kv_cache_bytes: int | None
    prompt_tokens: int | None
    new_tokens: int | None
    prefill_tokens_per_s: float | None
    decode_tokens_per_s: float | None
    first_token_s: float | None


@dataclass(frozen=True)
class PictureCost:
    """What looking at a picture for the first time takes."""

    width_px: int
    height_px: int
    image_tokens: int | None
    encode_s: float | None
    first_token_s: float | None


@dataclass(frozen=True)
class TokenEnergy:
    """Joules of the source's whole scope for each token, medians over the rounds.

    Attributes:
        prompt_token_j: For a token that is read.
        new_token_j: For a token that is written.
        source: As in an answer's energy.
    """

    prompt_token_j: float | None
    new_token_j: float | None
    kind: ReadingKind
    source: str


@dataclass(frozen=True)
class SettingRow:
    """One setting, compared with the first row in the same run.

    Attributes:
        prefill_to_first_row: Ratio of speeds, the median of the rounds' own ratios.
        decode_to_first_row: Likewise.
    """

    label: str
    speed: Speed
    prefill_to_first_row: float | None
    decode_to_first_row: float | None
    engine_peak_bytes: int | None


@dataclass(frozen=True)
class ModelBench:
    """Everything about one model.

    Attributes:
        safe_settings: Conservative settings are in force, because others crashed here.
        picture: None for a model that cannot see.
        engine_peak_bytes: Highest resident size of the engine, weights mapped from the file
            included; without the comparison of settings.
        settings: Empty unless they were compared; the first row is the setting in use.
    """

    model: ModelInfo
    load_s: float
    safe_settings: bool
    speed: Speed
    picture: PictureCost | None
    energy: TokenEnergy
    weights_bytes: int
    projector_bytes: int | None
    engine_peak_bytes: int | None
    settings: tuple[SettingRow, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the object of ``bench --json``."""
        return asdict(self)
