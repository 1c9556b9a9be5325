# SPDX-License-Identifier: Apache-2.0
"""Resolve the locked packages anew: ``python3 tasks.py setup --lock``.

The locks in ``requirements/`` name exact versions with hashes for Linux, macOS and Windows and
for every Python we support. They never name an index, so a mirror set in pip's own settings
keeps working. Runs uv, which is fetched into a small environment of its own when it is not
installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tooling.environment import (
    BUILD_FOLDER,
    DEVELOPMENT,
    ENGINE,
    PACKAGING,
    ROOT,
    RUNTIME,
    SETUP_LOG,
    STARTER,
    TOOLS,
    Environment,
    PackageGroup,
)
from tooling.progress import run_logged, say

OLDEST_PYTHON = "3.11"
UV_REQUIREMENT = "uv>=0.9"
COMMAND_TO_NAME = "python3 tasks.py setup --lock"


def update_locks() -> None:
    """Write every lock file from ``pyproject.toml`` and the ``.in`` files beside the locks."""
    uv = _find_uv()
    project = ["pyproject.toml"]
    engine_only = ["--no-emit-package", "llama-cpp-python"]
    runtime_pins = ["--constraint", str(RUNTIME.lock_file.relative_to(ROOT))]
    _compile(uv, RUNTIME, [*project, *engine_only])
    _compile(uv, ENGINE, ["requirements/engine.in", "--no-deps"])
    _compile(uv, STARTER, ["requirements/starter.in", "--no-deps"])
    _compile(uv, TOOLS, ["requirements/build.in", *runtime_pins])
    _compile(uv, DEVELOPMENT, ["--group", "dev", *runtime_pins])
    _compile(uv, PACKAGING, ["--group", "package", *runtime_pins])
    say("The locks are up to date; look at the difference before committing it.")


def _compile(uv: Path, group: PackageGroup, arguments: list[str]) -> None:
    command = [
        *(str(uv), "pip", "compile", *arguments),
        *("--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--upgrade"),
        *("--no-emit-index-url", "--custom-compile-command", COMMAND_TO_NAME),
        *("--quiet", "--output-file", str(group.lock_file.relative_to(ROOT))),
    ]
    run_logged(command, f"lock “{group.name}”", SETUP_LOG, cwd=ROOT)


def _find_uv() -> Path:
    """Return an installed uv, or install one into ``build/lock-venv``."""
    environment = Environment(BUILD_FOLDER / "lock-venv", SETUP_LOG)
    beside = environment.python.with_name("uv.exe" if sys.platform == "win32" else "uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if found is None:
        environment.create()
        subprocess.run(
            [environment.python, "-m", "pip", "install", "--quiet", UV_REQUIREMENT], check=True
        )
        found = str(beside)
    return Path(found)
