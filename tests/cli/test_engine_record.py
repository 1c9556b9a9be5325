# SPDX-License-Identifier: Apache-2.0
"""The command line tells of safe settings and crashes, and forgets them when asked to."""

from __future__ import annotations

import json
import sys

import pytest

from molmo_desktop.cli import run
from molmo_desktop.engine.faults import FAULT_VARIABLE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses signals")


def doctor(capsys, *options):
    assert run(["doctor", "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    summary = {check["name"]: check for check in report["checks"]}["engine settings"]
    return report["engine"], summary


def test_safe_settings_are_told_with_the_reason_and_forgotten_on_request(capsys, monkeypatch):
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGILL:unsafe")
    engine, check = doctor(capsys)
    assert engine["settings"] == "safe"
    assert engine["reason"] == "SIGILL"
    assert engine["since"]
    assert "llama-cpp-python" in engine["machine"]
    assert "SIGILL" in check["summary"]
    assert "--reset-engine" in check["fix"]
    monkeypatch.delenv(FAULT_VARIABLE)
    engine, check = doctor(capsys, "--reset-engine")
    assert engine["settings"] == "fast"
    assert check["summary"] == "The engine works with its fast settings."
    assert check["fix"] == ""


def test_a_model_that_died_twice_is_answered_with_when_one_tries_anyway(capsys, monkeypatch):
    ask = ["ask", "Say hello.", "--json", "--max-tokens", "4"]
    monkeypatch.setenv(FAULT_VARIABLE, "load:SIGSEGV")
    for _ in range(2):
        assert run(ask) == 5
    capsys.readouterr()
    monkeypatch.delenv(FAULT_VARIABLE)
    assert run(ask) == 5
    told = json.loads(capsys.readouterr().out)
    assert told["error"]["kind"] == "RepeatedCrashError"
    assert "--try-anyway" in told["error"]["hint"]
    assert run([*ask, "--try-anyway"]) == 0
    assert run(ask) == 0
