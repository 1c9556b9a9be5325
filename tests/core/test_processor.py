# SPDX-License-Identifier: Apache-2.0
"""Old processors are recognised before the engine meets them."""

from __future__ import annotations

import pytest

from molmo_desktop.core import processor

HASWELL = "processor\t: 0\nmodel name\t: i5-4200U\nflags\t\t: fpu sse2 avx fma f16c avx2 bmi2\n"
SANDY_BRIDGE = "processor\t: 0\nmodel name\t: i5-2520M\nflags\t\t: fpu sse2 sse4_2 avx\n"


@pytest.mark.parametrize(
    ("cpu_info", "missing"),
    [(HASWELL, []), (SANDY_BRIDGE, ["avx2", "fma", "f16c"]), ("processor : 0\n", None)],
)
def test_a_processor_without_the_needed_instructions_is_named(
    cpu_info: str, missing: list[str] | None, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "cpuinfo"
    file.write_text(cpu_info, encoding="utf-8")
    monkeypatch.setattr(processor, "_CPU_INFO", file)
    monkeypatch.setattr(processor.sys, "platform", "linux")
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    assert processor.missing_instructions() == missing


def test_a_processor_of_another_kind_lacks_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processor.platform, "machine", lambda: "arm64")
    assert processor.missing_instructions() == []


def test_what_cannot_be_read_is_unknown(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processor, "_CPU_INFO", tmp_path / "nothing")
    monkeypatch.setattr(processor.sys, "platform", "linux")
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    assert processor.missing_instructions() is None


def test_this_machine_can_be_asked():
    missing = processor.missing_instructions()
    assert missing is None or set(missing) <= set(processor.NEEDED_INSTRUCTIONS)
