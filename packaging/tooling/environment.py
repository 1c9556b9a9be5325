# SPDX-License-Identifier: Apache-2.0
"""The virtual environment: locked packages, the project itself, and a stamp of what is there.

Packages come in groups, each with its own lock file. A stamp in the environment remembers which
lock it was filled from, so that a second run only compares a few small files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tooling.progress import StepFailedError, run_logged, say

ROOT = Path(__file__).resolve().parents[2]
LOCK_FOLDER = ROOT / "requirements"
BUILD_FOLDER = ROOT / "build"
SETUP_LOG = BUILD_FOLDER / "setup.log"
STAMP_NAME = "setup-stamp.json"
NEEDED_FREE_BYTES = 3_000_000_000  # the environment is 0.8 GB; downloads and the build the rest

# Proves that what was installed can be loaded; prints nothing when all is well.
_LOCK_POLL_S = 0.5
_LOAD_CHECK = "from PySide6 import QtNetwork, QtSvg, QtWidgets; import llama_cpp"


@dataclass(frozen=True)
class PackageGroup:
    """Packages that are locked and installed together.

    Attributes:
        name: Also the name of the lock, ``requirements/<name>.txt``.
        title: What the user is told is being installed.
        pip_options: Beside those that every group gets.
    """

    name: str
    title: str
    pip_options: tuple[str, ...] = ()

    @property
    def lock_file(self) -> Path:
        """The locked packages, with their hashes."""
        return LOCK_FOLDER / f"{self.name}.txt"

    @property
    def fingerprint(self) -> str:
        """Hash of the lock."""
        return hashlib.sha256(self.lock_file.read_bytes()).hexdigest()


TOOLS = PackageGroup("build", "installer and build tools")
RUNTIME = PackageGroup("runtime", "Qt and the other libraries")
# The engine is compiled here; its tools must be the locked ones too.
ENGINE = PackageGroup(
    "engine",
    "inference engine, compiled on this machine",
    ("--no-deps", "--build-constraint", str(TOOLS.lock_file)),
)
# Its only dependency that we lack, "llm", is a client for online services: never wanted.
STARTER = PackageGroup("starter", "starter model SmolLM2-135M", ("--no-deps",))
DEVELOPMENT = PackageGroup("dev", "test and check tools")
PACKAGING = PackageGroup("package", "bundler")

RUN_GROUPS = (TOOLS, RUNTIME, ENGINE, STARTER)
DEVELOPMENT_GROUPS = (*RUN_GROUPS, DEVELOPMENT)


class Environment:
    """One virtual environment and what has been put into it."""

    def __init__(self, folder: Path, log_file: Path) -> None:
        self.folder = folder
        self.log_file = log_file

    @property
    def python(self) -> Path:
        """The environment's own Python."""
        if sys.platform == "win32":
            return self.folder / "Scripts" / "python.exe"
        return self.folder / "bin" / "python"

    def lacks(self, groups: Sequence[PackageGroup]) -> list[PackageGroup]:
        """Return the groups that are not installed, or from another lock than today's."""
        stamp = self._stamp()
        return [group for group in groups if stamp.get(group.name) != group.fingerprint]

    def lacks_project(self) -> bool:
        """Return whether the project itself is to be installed, or anew."""
        return self._stamp().get("project") != _project_fingerprint()

    def create(self) -> None:
        """Make the environment, or make it anew when its Python no longer works."""
        if self.python.exists() and self._works():
            return
        if self.folder.exists():
            say(f"The environment {self.folder} does not work any more; making it anew.")
            shutil.rmtree(self.folder)
        run_logged(
            [sys.executable, "-m", "venv", self.folder], "virtual environment", self.log_file
        )

    def install(self, group: PackageGroup, extra_options: Sequence[str] = ()) -> None:
        """Install one group from its lock.

        Raises:
            StepFailedError: pip failed; the message names the log.
        """
        options = ["--require-hashes", *group.pip_options, *extra_options]
        self._pip(["install", *options, "-r", str(group.lock_file)], group.title)
        self._remember(group.name, group.fingerprint)

    def install_project(self, *, editable: bool = True) -> None:
        """Install the project itself, without looking at its dependencies again."""
        source = ["--editable", str(ROOT)] if editable else [str(ROOT)]
        options = ["--no-deps", "--no-build-isolation"]
        self._pip(["install", *options, *source], "Molmo Desktop itself")
        self._remember("project", _project_fingerprint())

    def build_wheel(self, group: PackageGroup, out: Path, cmake_options: str) -> None:
        """Compile a group into wheels with given CMake options, never from pip's cache."""
        options = ["--require-hashes", "--no-cache-dir", *group.pip_options]
        self._pip(
            ["wheel", *options, "--wheel-dir", str(out), "-r", str(group.lock_file)],
            group.title,
            {"CMAKE_ARGS": cmake_options},
        )

    def install_wheel(self, wheel: Path, name: str, fingerprint: str) -> None:
        """Install one wheel built here, unless that very one is there already."""
        if self._stamp().get(name) == fingerprint:
            return
        self._pip(["install", "--no-deps", "--force-reinstall", str(wheel)], name)
        self._remember(name, fingerprint)

    def check_loading(self) -> None:
        """Load Qt and the engine once.

        Raises:
            StepFailedError: A library is missing; the message names it.
        """
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        result = subprocess.run(
            [self.python, "-c", _LOAD_CHECK],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if result.returncode:
            last_line = (result.stderr.strip().splitlines() or ["no message"])[-1]
            raise StepFailedError(
                f"Everything is installed, but it cannot be loaded: {last_line}\n"
                "If a “lib….so” is named, install the system package that holds it (README.md, "
                "“What it needs”) and run the command again."
            )

    def _pip(
        self, arguments: Sequence[str], title: str, variables: dict[str, str] | None = None
    ) -> None:
        command = [str(self.python), "-m", "pip", "--verbose", *arguments]
        if arguments[0] == "install" and self._stamp().get(TOOLS.name):
            command += ["--progress-bar", "raw"]  # pip 24.1 and later; a fresh venv's is older
        run_logged(
            command, title, self.log_file, env=_pip_variables() | (variables or {}), cwd=ROOT
        )

    def _works(self) -> bool:
        check = "import sys, pip; raise SystemExit(sys.version_info < (3, 11))"
        try:
            result = subprocess.run([self.python, "-c", check], capture_output=True, check=False)
        except OSError:
            return False
        return result.returncode == 0

    def _stamp(self) -> dict[str, str]:
        try:
            stamp = json.loads((self.folder / STAMP_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not self.python.exists() or not isinstance(stamp, dict):
            return {}
        return stamp

    def _remember(self, key: str, fingerprint: str) -> None:
        stamp = self._stamp() | {key: fingerprint}
        text = json.dumps(stamp, indent=1) + "\n"
        (self.folder / STAMP_NAME).write_text(text, encoding="utf-8")


def warn_about_disk_space() -> None:
    """Say so when the disk has little room left for the set-up."""
    free_bytes = shutil.disk_usage(ROOT).free
    if free_bytes < NEEDED_FREE_BYTES:
        say(
            f"Only {free_bytes / 1e9:.1f} GB are free on this disk; the set-up needs about "
            f"{NEEDED_FREE_BYTES / 1e9:.0f} GB and may fail."
        )


@contextlib.contextmanager
def fresh_log(log_file: Path) -> Iterator[None]:
    """Begin a log anew, and let others that want to write to it wait until this has ended.

    So two set-ups in one folder never mix.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.with_suffix(".lock").open("a+") as file:
        if not _lock(file):
            say("The same is being done by another command; waiting for it to end.")
            while not _lock(file):
                time.sleep(_LOCK_POLL_S)
        log_file.write_text("", encoding="utf-8")
        yield


def _lock(file: IO[str]) -> bool:
    """Lock an open file, and return False at once where another process holds the lock.

    The systems' own ways to wait differ: Windows gives up after ten seconds.
    """
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _project_fingerprint() -> str:
    """Hash of what an installation of the project depends on, and of the place it points to."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = (str(ROOT), content["build-system"], content["project"], content["tool"]["setuptools"])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _pip_variables() -> dict[str, str]:
    """Return the environment for pip and for the compiler it starts."""
    variables = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__"):
        variables.pop(name, None)
    variables |= {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    variables.setdefault("PIP_DEFAULT_TIMEOUT", "60")
    variables.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(_parallel_job_count()))
    return variables


def _parallel_job_count() -> int:
    """Return how many compilers to run at once: one per core, and about 1 GB of memory each."""
    if hasattr(os, "sched_getaffinity"):
        core_count = len(os.sched_getaffinity(0))
    else:
        core_count = os.cpu_count() or 1
    try:
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return core_count
    return max(1, min(core_count, memory_bytes // 1_000_000_000))
