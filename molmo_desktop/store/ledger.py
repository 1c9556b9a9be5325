# SPDX-License-Identifier: Apache-2.0
"""What answers cost: one row an answer, taken from the ``ask --json`` object."""

from __future__ import annotations

import sqlite3
from typing import Any

from molmo_desktop.store.records import LedgerRecord

_STAGES = ("load_s", "read_s", "retrieve_s", "encode_s", "prefill_s", "decode_s")
_COLUMNS = (
    "answer_id, finished_at, model_name, status, energy_j, above_idle_j, kind, source, carbon_g, "
    "grid_g_per_kwh, duration_s, prompt_tokens, cached_tokens, image_tokens, completion_tokens"
)


def write_ledger_row(
    connection: sqlite3.Connection,
    answer_id: int | None,
    answer: dict[str, Any],
    *,
    finished_at: float,
    status: str,
) -> None:
    """Write what an answer cost; a second time for the same answer replaces the row."""
    energy = _part(answer, "energy")
    tokens = _part(answer, "tokens")
    connection.execute(
        f"INSERT OR REPLACE INTO ledger ({_COLUMNS}) VALUES ({', '.join('?' * 15)})",
        (
            answer_id,
            finished_at,
            str(_part(answer, "model").get("name", "")),
            status,
            _number(energy.get("energy_j")),
            _number(energy.get("above_idle_j")),
            str(energy.get("kind", "not available")),
            str(energy.get("source", "none")),
            _number(energy.get("carbon_g")),
            _number(energy.get("grid_g_per_kwh")),
            _duration_s(_part(answer, "timings")),
            _count(tokens.get("prompt")),
            _count(tokens.get("cached")),
            _count(tokens.get("image")),
            _count(tokens.get("completion")),
        ),
    )


def read_ledger(connection: sqlite3.Connection, since: float) -> list[LedgerRecord]:
    """Return the rows from a time on, oldest first."""
    rows = connection.execute(
        f"SELECT id, {_COLUMNS} FROM ledger WHERE finished_at >= ? ORDER BY finished_at, id",
        (since,),
    )
    return [LedgerRecord(**dict(row)) for row in rows]


def _part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _duration_s(timings: dict[str, Any]) -> float | None:
    """Sum the stages that are known; the wall clock may jump, these do not."""
    known = [seconds for name in _STAGES if (seconds := _number(timings.get(name))) is not None]
    return sum(known) if known else None
