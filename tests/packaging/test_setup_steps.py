# SPDX-License-Identifier: Apache-2.0
"""The set-up shows progress, keeps a log, explains failures and knows when nothing is to do."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tooling import environment, system
from tooling.environment import Environment, PackageGroup
from tooling.progress import StepFailedError, describe, format_duration, run_logged


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  [12/193] Building CXX object vendor/llama.cpp/x.cpp.o", "step 12 of 193"),
        ("[ 42%] Building CXX object", "42 %"),
        ("Progress 42000000 of 84000000", "downloading, 42 of 84 MB"),
        ("  Downloading pyside6_essentials-6.12.0-cp310.whl (84.0 MB)", "(84.0 MB)"),
        ("  Building wheel for llama-cpp-python (pyproject.toml): started", "llama-cpp-python"),
        ("Installing collected packages: a, b, c", "installing 3 packages"),
        ("-- Looking for pthread.h", None),
    ],
)
def test_build_output_becomes_a_word_on_progress(line: str, said: str | None):
    described = describe(line)
    assert described is None if said is None else said in (described or "")


def test_durations_read_like_speech():
    assert format_duration(9.4) == "9 s"
    assert format_duration(245) == "4 min 05 s"


def test_a_step_that_fails_names_its_last_lines_the_cause_and_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    log = tmp_path / "logs" / "setup.log"
    script = "print('CMake Error: No CMAKE_CXX_COMPILER could be found'); raise SystemExit(7)"
    with pytest.raises(StepFailedError) as failure:
        run_logged([sys.executable, "-c", script], "engine", log)
    message = str(failure.value)
    assert "status 7" in message
    assert "No CMAKE_CXX_COMPILER could be found" in message
    assert "No C++ compiler was found" in message
    assert str(log) in message
    assert "CMake Error" in log.read_text(encoding="utf-8")
    assert "engine: failed" in capsys.readouterr().err


def test_a_command_that_does_not_exist_is_told_in_a_sentence(tmp_path: Path):
    with pytest.raises(StepFailedError, match="could not be started"):
        run_logged([tmp_path / "nothing-here"], "step", tmp_path / "log")


def test_a_step_that_works_leaves_its_whole_output_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    log = tmp_path / "setup.log"
    run_logged([sys.executable, "-c", "print('first'); print('second')"], "step", log)
    assert re.search(r"first\nsecond\n=== ended with status 0", log.read_text(encoding="utf-8"))
    captured = capsys.readouterr()
    assert "step: done" in captured.err
    assert captured.out == ""


def test_a_second_set_up_waits_until_the_first_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    log = tmp_path / "setup.log"
    script = (
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(environment.__file__).parents[1])!r})\n"
        "from pathlib import Path\n"
        "from tooling.environment import fresh_log\n"
        f"with fresh_log(Path({str(log)!r})):\n"
        "    print('locked', flush=True)\n"
        "    sys.stdin.readline()\n"
        f"    Path({str(log)!r}).write_text('first')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == "locked\n"
        release = threading.Timer(1.2, lambda: (first.stdin.write("go\n"), first.stdin.flush()))
        release.start()
        with environment.fresh_log(log):
            assert release.finished.is_set()
            assert log.read_text(encoding="utf-8") == ""
        release.join()
    assert "waiting for it to end" in capsys.readouterr().err


def test_a_group_is_lacking_until_it_is_installed_and_again_when_its_lock_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environment, "LOCK_FOLDER", tmp_path)
    group = PackageGroup("some", "some packages")
    group.lock_file.write_text("a==1\n", encoding="utf-8")
    venv = Environment(tmp_path / "venv", tmp_path / "log")
    venv.python.parent.mkdir(parents=True)
    venv.python.touch()
    assert venv.lacks([group]) == [group]
    venv._remember(group.name, group.fingerprint)
    assert venv.lacks([group]) == []
    group.lock_file.write_text("a==2\n", encoding="utf-8")
    assert venv.lacks([group]) == [group]


def test_a_damaged_stamp_means_that_everything_is_checked_again(tmp_path: Path):
    venv = Environment(tmp_path, tmp_path / "log")
    venv.python.parent.mkdir(parents=True)
    venv.python.touch()
    (tmp_path / environment.STAMP_NAME).write_text("{", encoding="utf-8")
    assert venv.lacks([environment.STARTER]) == [environment.STARTER]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the linker of Linux")
def test_a_library_that_the_linker_does_not_know_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(system, "QT_LIBRARIES", {"libc.so.6": "libc6", "libnothing.so.9": "none"})
    assert system.missing_libraries() == ["libnothing.so.9"]
