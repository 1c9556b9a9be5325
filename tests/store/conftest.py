# SPDX-License-Identifier: Apache-2.0
"""Stores to test on, and an answer as the assistant gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from molmo_desktop.store.store import Store


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.db"


@pytest.fixture
def store(database_file: Path):
    store = Store(database_file)
    yield store
    store.close()


@pytest.fixture
def answer() -> dict[str, Any]:
    return {
        "question": "What is the total due?",
        "answer": "The total due is 300.90 EUR.",
        "finish_reason": "stop",
        "found": True,
        "evidence": [
            {
                "file": "/home/me/invoice.pdf",
                "page": 7,
                "text": "Total due\n300.90 EUR",
                "boxes": [[72, 700, 200, 712]],
                "score": 0.93,
                "cited": True,
            },
            {"file": "/home/me/invoice.pdf", "page": 1, "text": "Invoice", "cited": False},
        ],
        "tokens": {"prompt": 812, "cached": 790, "image": 0, "completion": 21},
        "timings": {"load_s": 0.4, "prefill_s": 0.3, "decode_s": 0.5, "first_token_s": 1.3},
        "energy": {
            "energy_j": 12.1,
            "above_idle_j": 8.0,
            "kind": "estimated",
            "source": "cpu time model",
            "carbon_g": 0.002,
            "grid_g_per_kwh": 458.5,
        },
        "model": {"name": "SmolLM2-135M-Instruct", "parameters": 134515008},
    }
