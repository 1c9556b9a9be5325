# SPDX-License-Identifier: Apache-2.0
"""Processor time of this program: of this process, the engine and the document readers."""

from __future__ import annotations

import contextlib

import psutil


def own_cpu_seconds() -> float:
    """Return the processor time that this process and its descendants took so far.

    Descendants that ended count through the process that waited for them, so the sum never
    falls when the engine is restarted (on Windows their time is lost). Looks at every process
    of the machine: some milliseconds, for the ends of a span only.
    """
    process = psutil.Process()
    seconds = _seconds(process)
    for child in _descendants(process):
        with contextlib.suppress(psutil.Error):
            seconds += _seconds(child)
    return seconds


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
