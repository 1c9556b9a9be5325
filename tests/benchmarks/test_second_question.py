# SPDX-License-Identifier: Apache-2.0
"""The benchmark of second questions runs, and finds what our engine still held."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "second_question.py"


@pytest.fixture
def measure():
    """Runs one round and returns its figures."""

    def run(*arguments):
        result = subprocess.run(
            [sys.executable, SCRIPT, "--rounds", "1", "--json", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        (figures,) = json.loads(result.stdout).values()
        return figures

    return run


def test_a_picture_is_not_read_twice(measure, tiny_vlm):
    figures = measure("--files", tiny_vlm / "model.gguf", tiny_vlm / "mmproj.gguf")
    assert figures["image_tokens"] == 64
    assert figures["cached_tokens"] > figures["image_tokens"]
    assert figures["binding_second_to_ours_second"] > 0


def test_a_document_is_not_read_twice(measure, tiny_vlm):
    figures = measure(
        "--model", "document", "--text-model", tiny_vlm / "model.gguf", "--document-tokens", 200
    )
    assert figures["image_tokens"] == 0
    assert figures["cached_tokens"] / figures["prompt_tokens"] > 0.7
