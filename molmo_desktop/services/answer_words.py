# SPDX-License-Identifier: Apache-2.0
"""An answer's figures and states in words, from the ``ask --json`` object.

The object may come from the store and an older version: what is missing is left out, never
guessed. No Qt here.
"""

from __future__ import annotations

from typing import Any

from molmo_desktop.assistant.points import display_text
from molmo_desktop.core.answer import Coverage, Evidence, FileCoverage, Point
from molmo_desktop.core.sizes import bytes_in_words as bytes_in_words


def parameters_in_words(count: int | None) -> str:
    """Return a number of parameters: "135 M parameters"; empty when unknown."""
    if not count:
        return ""
    if count < 1e6:
        return f"{count / 1e3:.0f} k parameters"
    if count < 999.5e6:
        digits = 1 if count < 10e6 else 0
        return f"{count / 1e6:.{digits}f} M parameters"
    return f"{count / 1e9:.1f} B parameters"


def shown_text(answer: dict[str, Any]) -> str:
    """Return the text of an answer as people read it, without the tags of points."""
    return display_text(str(answer.get("answer", "")))


def quiet_line(answer: dict[str, Any]) -> str:
    """Return the line under an answer: time, speed, energy, and how much was read."""
    parts = [
        _seconds(answer),
        _speed(answer),
        _energy(answer),
        coverage_of(answer).sentence(),
    ]
    return " · ".join(part for part in parts if part)


def end_in_words(status: str, answer: dict[str, Any] | None) -> str:
    """Return how an answer ended, empty for one that ended as it should."""
    reason = (answer or {}).get("finish_reason")
    if status == "cancelled" or reason == "cancelled":
        return "Stopped before the end."
    if status == "interrupted":
        return "Interrupted: the program ended while this was being written."
    if reason == "length":
        return "Cut off: the answer reached the longest length that is set."
    return ""


def evidence_of(answer: dict[str, Any]) -> list[Evidence]:
    """Return the passages of an answer, those it rests on first."""
    found = []
    for item in answer.get("evidence") or ():
        found.append(
            Evidence(
                file=str(item["file"]),
                page=int(item["page"]),
                text=str(item["text"]),
                boxes=tuple(tuple(box) for box in item.get("boxes") or ()),
                score=float(item.get("score") or 0.0),
                cited=bool(item.get("cited")),
                start=int(item.get("start") or 0),
                end=int(item.get("end") or 0),
            )
        )
    return sorted(found, key=lambda item: not item.cited)


def points_of(answer: dict[str, Any]) -> list[Point]:
    """Return the points of an answer in the order they were named."""
    return [
        Point(
            file=str(item["file"]),
            page=int(item["page"]),
            x_percent=float(item["x_percent"]),
            y_percent=float(item["y_percent"]),
            label=str(item.get("label", "")),
        )
        for item in answer.get("points") or ()
    ]


def coverage_of(answer: dict[str, Any]) -> Coverage:
    """Return how much was read for an answer."""
    value = answer.get("coverage") or {}
    return Coverage(
        pages_total=int(value.get("pages_total") or 0),
        pages_read=tuple(value.get("pages_read") or ()),
        mode=value.get("mode") or "none",
        files=tuple(
            FileCoverage(item["file"], item["pages_total"], tuple(item["pages_read"]))
            for item in value.get("files") or ()
        ),
    )


def relevance_in_words(evidence: Evidence) -> str:
    """Return why a passage is shown."""
    if evidence.cited:
        return "The answer is here" if evidence.score >= 0.75 else "Part of the answer is here"
    return "Near the question"


def _seconds(answer: dict[str, Any]) -> str:
    timings = answer.get("timings") or {}
    # Answers of older versions have no total: its parts are what is known of it.
    names = ("load_s", "read_s", "retrieve_s", "encode_s", "prefill_s", "decode_s")
    parts_s = sum(float(timings.get(name) or 0.0) for name in names)
    total_s = float(timings.get("total_s") or parts_s)
    if total_s <= 0:
        return ""
    if total_s < 0.1:
        return "under 0.1 s"
    return f"{total_s:.1f} s" if total_s < 60 else f"{total_s / 60:.1f} min"


def _speed(answer: dict[str, Any]) -> str:
    speed = (answer.get("timings") or {}).get("decode_tokens_per_s")
    return f"{speed:.0f} tok/s" if speed else ""


def _energy(answer: dict[str, Any]) -> str:
    energy = answer.get("energy") or {}
    joules, kind = energy.get("energy_j"), energy.get("kind")
    if joules is None or kind not in ("measured", "estimated"):
        return "energy not available"
    digits = 1 if joules < 10 else 0
    return f"{joules:.{digits}f} J {kind}"
