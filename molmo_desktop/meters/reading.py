# SPDX-License-Identifier: Apache-2.0
"""What the live panel shows at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from molmo_desktop.core.answer import ReadingKind


@dataclass(frozen=True)
class LiveReading:
    """Memory, power and load now; None is "not available", never zero.

    Attributes:
        time_s: Of a clock that never jumps; only differences mean anything.
        engine_rss_bytes: Resident memory of the engine process; None while it does not run.
        engine_mapped_bytes: Of that, mapped from files: the model's weights. Linux only.
        window_rss_bytes: Resident memory of this process; None when it cannot be read.
        system_available_bytes: What programs can still get without swapping.
        power_w: Mean since the reading before; None at the first one.
        power_kind: Whether ``power_w`` is measured or estimated.
        power_source: Such as "rapl"; "none" without one.
        power_scope: What the power is of, such as "processor" or "whole machine".
        cpu_percent: Of all processors together, 0 to 100, since the reading before.
        battery_percent: Charge; None without a battery.
        is_on_battery: None when it cannot be told.
    """

    time_s: float
    engine_rss_bytes: int | None
    engine_mapped_bytes: int | None
    window_rss_bytes: int | None
    system_total_bytes: int
    system_available_bytes: int
    power_w: float | None
    power_kind: ReadingKind
    power_source: str
    power_scope: str
    cpu_percent: float | None
    battery_percent: float | None
    is_on_battery: bool | None
