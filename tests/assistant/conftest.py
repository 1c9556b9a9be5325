# SPDX-License-Identifier: Apache-2.0
import pytest

from molmo_desktop.assistant.build import build_assistant


@pytest.fixture
def assistant():
    """Return an assistant on the real rooms; its processes end with the test."""
    built = build_assistant()
    yield built
    built.close()
