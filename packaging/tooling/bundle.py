# SPDX-License-Identifier: Apache-2.0
"""Build the bundle: portable engine, PyInstaller, licences, proof, archive.

The engine is compiled a second time here, in an environment of its own: what `setup` compiles
is tuned for the processor of this machine and would end with an illegal instruction on an
older one. The portable build asks for AVX2, FMA and F16C, which laptops have had since about
2013 to 2015; `doctor` says in words when they are missing.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tooling import licences, smoke
from tooling.environment import (
    BUILD_FOLDER,
    ENGINE,
    PACKAGING,
    ROOT,
    RUNTIME,
    STARTER,
    TOOLS,
    Environment,
)
from tooling.progress import ProgressLine, StepFailedError, run_logged, say

PACKAGE_LOG = BUILD_FOLDER / "package.log"
DIST_FOLDER = ROOT / "dist"
WORK_FOLDER = BUILD_FOLDER / "pyinstaller"
SOURCES_FILE = WORK_FOLDER / "molmo-desktop" / "sources.json"  # written by the spec file
BUNDLE_FOLDER = DIST_FOLDER / "molmo-desktop"
PROGRAM = BUNDLE_FOLDER / ("molmo-desktop.exe" if sys.platform == "win32" else "molmo-desktop")
PORTABLE_OPTIONS = "-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON"

# Registers and instructions of AVX-512 and AMX as objdump writes them.
_TOO_NEW = re.compile(r"%zmm\d|%k[0-7]\b|%tmm\d|\btileload")


def build() -> Path:
    """Build the bundle and prove it.

    Returns:
        The folder that holds the program.

    Raises:
        StepFailedError: A step failed, or the bundle does not do what it should.
    """
    say("Building the bundle in build/package-venv and dist/.")
    venv = Environment(BUILD_FOLDER / "package-venv", PACKAGE_LOG)
    venv.create()
    for group in venv.lacks((TOOLS, RUNTIME, STARTER, PACKAGING)):
        venv.install(group)
    _install_portable_engine(venv)
    if venv.lacks_project():
        venv.install_project()
    _run_pyinstaller(venv)
    _link_copies(BUNDLE_FOLDER)
    _check_instructions(BUNDLE_FOLDER)
    _strip_python(BUNDLE_FOLDER)
    licences.collect(venv, BUNDLE_FOLDER, SOURCES_FILE)
    say(f"The bundle takes {_size_bytes(BUNDLE_FOLDER) / 1e6:.0f} MB.")
    smoke.prove(PROGRAM)
    if sys.platform == "linux":
        _pack()
    return BUNDLE_FOLDER


def _install_portable_engine(venv: Environment) -> None:
    """Compile the engine for any recent processor, once per version and options."""
    key = hashlib.sha256((ENGINE.fingerprint + PORTABLE_OPTIONS).encode()).hexdigest()
    folder = BUILD_FOLDER / "wheels" / key[:12]
    if not any(folder.glob("*.whl")):
        venv.build_wheel(ENGINE, folder, PORTABLE_OPTIONS)
    (wheel,) = folder.glob("*.whl")
    venv.install_wheel(wheel, "portable engine", key)


def _run_pyinstaller(venv: Environment) -> None:
    command: Sequence[str | Path] = [
        *(venv.python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"),
        *("--distpath", DIST_FOLDER, "--workpath", WORK_FOLDER),
        ROOT / "packaging" / "molmo-desktop.spec",
    ]
    run_logged(command, "bundle", PACKAGE_LOG, cwd=ROOT)


def _link_copies(folder: Path) -> None:
    """Replace ``libX.so`` by a link to the identical ``libX.so.0``.

    Saves space, and makes the two names one library in memory: as separate files they would be
    loaded twice, each with its own list of devices.
    """
    for plain in folder.rglob("llama_cpp/lib/lib*.so"):
        numbered = plain.with_name(plain.name + ".0")
        if numbered.is_file() and not plain.is_symlink():
            plain.unlink()
            plain.symlink_to(numbered.name)


def _strip_python(folder: Path) -> None:
    """Take the symbols for debugging out of Python's library, which is most of it."""
    strip = shutil.which("strip")
    if strip and sys.platform == "linux":
        for library in folder.rglob("libpython3*.so*"):
            subprocess.run([strip, "--strip-unneeded", str(library)], check=False)


def _check_instructions(folder: Path) -> None:
    """Refuse an engine with instructions that only some machines have; x86-64 Linux only.

    Raises:
        StepFailedError: Such an instruction was found.
    """
    objdump = shutil.which("objdump")
    if objdump is None or platform.machine() != "x86_64" or sys.platform != "linux":
        say("  processor instructions: not checked here, that needs objdump on x86-64 Linux")
        return
    line = ProgressLine("processor instructions")
    libraries = [file for file in folder.rglob("llama_cpp/lib/*.so.*") if not file.is_symlink()]
    if not libraries:
        raise StepFailedError("The bundle holds no inference engine.")
    for library in libraries:
        command = [objdump, "--disassemble", "--no-show-raw-insn", str(library)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for output in process.stdout:
                if _TOO_NEW.search(output):
                    process.kill()
                    line.finish("failed")
                    raise StepFailedError(
                        f"{library.name} uses an instruction that older processors lack: "
                        f"{output.strip()}"
                    )
    line.finish(f"neither AVX-512 nor AMX in {len(libraries)} libraries of the engine")


def _pack() -> None:
    """Pack the bundle as ``dist/molmo-desktop-VERSION-linux-MACHINE.tar.gz``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = f"molmo-desktop-{project['version']}-linux-{platform.machine()}"
    line = ProgressLine("archive")
    file = DIST_FOLDER / f"{name}.tar.gz"
    with tarfile.open(file, "w:gz", compresslevel=6) as archive:
        archive.add(BUNDLE_FOLDER, arcname=name)
    line.finish(f"{file.name}, {file.stat().st_size / 1e6:.0f} MB")


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if not file.is_symlink())
