# SPDX-License-Identifier: Apache-2.0
"""Which process writes an answer, so that a second window does not take it for abandoned."""

from __future__ import annotations

import os

import psutil


def this_writer() -> str:
    """Name this process; its start time tells it from a later one with the same number."""
    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_alive(writer: str) -> bool:
    """Whether the process that was named is still there."""
    number, _, started = writer.partition(":")
    try:
        return f"{psutil.Process(int(number)).create_time():.2f}" == started
    except (ValueError, psutil.Error):
        return False
