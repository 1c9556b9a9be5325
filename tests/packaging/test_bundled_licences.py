# SPDX-License-Identifier: Apache-2.0
"""What the bundle may hold."""

from __future__ import annotations

import pytest

from tooling.licences import OWN_TEXTS, Licensed, is_allowed, is_licence


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "BSD-3-Clause",
        "Apache-2.0",
        "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only",
        "GNU Lesser General Public License v3 (LGPLv3)",
    ],
)
def test_permissive_licences_and_the_lgpl_may_be_bundled(licence: str):
    assert is_allowed(Licensed("some", "1", licence))


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0-only",
        "GNU General Public License v2 (GPLv2)",
        "GNU Affero General Public License v3",
        "GPLv3",
        "",
    ],
)
def test_the_gpl_the_agpl_and_no_licence_at_all_may_not(licence: str):
    assert not is_allowed(Licensed("some", "1", licence))


def test_the_texts_that_no_package_brings_are_here():
    names = {file.name for file in OWN_TEXTS.iterdir()}
    assert {"LGPL-3.0.txt", "GPL-3.0.txt", "llama.cpp.txt", "SmolLM2.txt"} <= names


def test_licence_texts_are_told_from_other_metadata():
    assert is_licence("licenses/vendored/zlib.txt")
    assert is_licence("LICENSE.md")
    assert is_licence("COPYING")
    assert not is_licence("METADATA")
    assert not is_licence("RECORD")
