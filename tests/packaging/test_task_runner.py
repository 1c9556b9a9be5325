# SPDX-License-Identifier: Apache-2.0
"""The task runner as a command."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = ("setup", "run", "check", "test", "package")


def run_tasks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tasks.py"), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=False,
    )


def test_no_verb_prints_the_five_verbs():
    result = run_tasks()
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert all(any(line.startswith(f"  {verb} ") for line in lines) for verb in VERBS)


def test_an_unknown_verb_is_refused_with_the_list_of_verbs():
    result = run_tasks("install")
    assert result.returncode == 2
    assert "There is no verb “install”" in result.stderr
    assert "setup" in result.stderr


@pytest.mark.parametrize("verb", ["setup", "check", "package"])
def test_a_verb_refuses_arguments_that_it_does_not_know(verb: str):
    result = run_tasks(verb, "--everything")
    assert result.returncode == 2


def test_the_runner_needs_nothing_but_the_standard_library():
    files = [ROOT / "tasks.py", *(ROOT / "packaging" / "tooling").glob("*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top == "tooling" or top in sys.stdlib_module_names, (file.name, name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no executable bit")
def test_continuous_integration_calls_the_verbs_of_the_readme():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    text = script.read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 tasks.py test\npython3 tasks.py check" in text
    assert "python3 tasks.py run" in readme
    assert "python3 tasks.py test" in readme
