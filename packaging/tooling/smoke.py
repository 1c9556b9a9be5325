# SPDX-License-Identifier: Apache-2.0
"""Prove that a built bundle works, the way a user would: start it and ask.

The bundle runs in a folder of its own, without a screen, without network and without anything
of this checkout on its paths. It must report itself healthy, answer a question about a sample
with the starter model, and open and close its window.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tooling.environment import ROOT
from tooling.progress import ProgressLine, StepFailedError

SAMPLE = ROOT / "assets" / "samples" / "invoice.pdf"
QUESTION = "What is the total due?"
EXPECTED_AMOUNT = "300.90"
TIMEOUT_S = 300
WINDOW_S = 20  # long enough to build the window and to start reading the document


def prove(program: Path) -> None:
    """Try a bundle out.

    Args:
        program: The executable in the bundle.

    Raises:
        StepFailedError: It did not do what it should; the message tells what it did.
    """
    with tempfile.TemporaryDirectory(prefix="molmo-desktop-bundle-") as name:
        folder = Path(name)
        document = Path(shutil.copy(SAMPLE, folder))
        variables = _clean_variables(folder)
        _prove_health(program, folder, variables)
        _prove_answer(program, document, variables)
        if sys.platform != "win32":  # no signal asks a program to leave there
            _prove_window(program, document, variables)


def _clean_variables(folder: Path) -> dict[str, str]:
    """Return an environment that holds nothing of this checkout or of its Python."""
    keep = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMPDIR", "LD_LIBRARY_PATH")
    variables = {key: os.environ[key] for key in keep if key in os.environ}
    return variables | {
        "HOME": str(folder),
        "MOLMO_DESKTOP_HOME": str(folder / "home"),
        "MOLMO_DESKTOP_OFFLINE": "1",
        "QT_QPA_PLATFORM": "offscreen",
    }


def _prove_health(program: Path, folder: Path, variables: dict[str, str]) -> None:
    line = ProgressLine("the bundle’s doctor")
    report = _json_of([str(program), "doctor", "--json"], folder, variables)
    if not report.get("ok"):
        raise StepFailedError(f"The bundle’s doctor is not content: {report}")
    line.finish(f"content, {len(report.get('checks', ()))} checks")


def _prove_answer(program: Path, document: Path, variables: dict[str, str]) -> None:
    line = ProgressLine("the bundle’s answer")
    command = [str(program), "ask", QUESTION, str(document), "--json"]
    answer = _json_of(command, document.parent, variables)
    evidence = answer.get("evidence") or [{}]
    if EXPECTED_AMOUNT not in answer.get("answer", "") or not evidence[0].get("boxes"):
        raise StepFailedError(f"The bundle answered “{QUESTION}” wrongly: {answer}")
    line.finish(f"{answer['answer']} (page {evidence[0]['page']})")


def _prove_window(program: Path, document: Path, variables: dict[str, str]) -> None:
    """Open the window on a document, see that it stays, and ask it to leave."""
    line = ProgressLine("the bundle’s window")
    errors = document.with_name("window-errors.txt")
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [str(program), str(document)],
            cwd=document.parent,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    deadline_s = time.monotonic() + WINDOW_S
    while process.poll() is None and time.monotonic() < deadline_s:
        time.sleep(0.2)
    ended_early = process.poll() is not None
    process.send_signal(signal.SIGTERM)
    try:
        exit_code = process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        raise StepFailedError("The bundle’s window did not close when asked to.") from None
    said = errors.read_text(encoding="utf-8", errors="replace").strip()
    if ended_early or exit_code not in (0, -signal.SIGTERM) or "Traceback" in said:
        raise StepFailedError(f"The bundle’s window ended with status {exit_code}: {said}")
    left = _processes_of(program)
    if left:
        raise StepFailedError(f"The bundle left processes behind: {left}")
    line.finish("opened and closed, no process left")


def _processes_of(program: Path) -> list[int]:
    """Return the processes that still run a program, after a moment to end; Linux only."""
    deadline_s = time.monotonic() + 10
    while True:
        found = []
        for link in Path("/proc").glob("[0-9]*/exe"):
            with contextlib.suppress(OSError):
                if link.readlink() == program.resolve():
                    found.append(int(link.parent.name))
        if not found or time.monotonic() > deadline_s:
            return found
        time.sleep(0.2)


def _json_of(command: Sequence[str], folder: Path, variables: dict[str, str]) -> dict[str, Any]:
    """Run the bundle and return the JSON object that it prints."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
        report = json.loads(result.stdout)
    except subprocess.TimeoutExpired:
        raise StepFailedError(f"The bundle gave no answer in {TIMEOUT_S} s: {command}") from None
    except ValueError:
        raise StepFailedError(
            f"The bundle printed no JSON: {' '.join(command)}\n{result.stdout}\n{result.stderr}"
        ) from None
    if result.returncode or not isinstance(report, dict):
        raise StepFailedError(f"The bundle ended with status {result.returncode}: {report}")
    return report
