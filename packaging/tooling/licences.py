# SPDX-License-Identifier: Apache-2.0
"""Gather the licences of everything in the bundle, and refuse what must not be in it.

Each bundled package brings its licence texts in its metadata; they are copied to the bundle's
``licenses/`` folder with a list of names, versions and licences. Texts that no package brings
(Qt's LGPL, the model's licence, libraries inside libraries) lie in ``packaging/licenses/``.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tooling.environment import ROOT, Environment
from tooling.progress import StepFailedError, say

OWN_TEXTS = ROOT / "packaging" / "licenses"

# Licences under which the program could not be given away as it is. LGPL is well: Qt's libraries
# stay files of their own, which anyone may replace. PyInstaller is GPL with an exception for
# what it bundles.
_REFUSED = re.compile(r"\bA?GPL|GNU (AFFERO )?GENERAL PUBLIC", re.IGNORECASE)
_ALLOWED = re.compile(r"\bLGPL|LESSER GENERAL PUBLIC", re.IGNORECASE)
_EXCEPTIONS = frozenset({"pyinstaller"})

# Names of system libraries that the GPL keeps out.
_REFUSED_LIBRARIES = ("libreadline", "libgdbm")

# Run by the Python of the environment that is bundled: reads the files that are in the bundle,
# prints the packages that they belong to. The bootloader of PyInstaller is in every bundle.
_LIST_PACKAGES = """
import importlib.metadata as m, json, os, sys
bundled = {os.path.realpath(f) for f in json.load(sys.stdin)}
rows = []
for d in m.distributions():
    files = [f for f in d.files or ()]
    code = [f for f in files if ".dist-info" not in f.parts[0]]
    meta = d.metadata
    if meta["Name"].lower() != "pyinstaller" and not any(
        os.path.realpath(d.locate_file(f)) in bundled for f in code
    ):
        continue
    rows.append({
        "name": meta["Name"], "version": d.version,
        "expression": meta.get("License-Expression") or meta.get("License") or "",
        "classifiers": [c for c in meta.get_all("Classifier") or () if c.startswith("License")],
        "files": [[str(d.locate_file(f)), "/".join(f.parts[1:])] for f in files if f not in code],
    })
print(json.dumps(rows))
"""


@dataclass(frozen=True)
class Licensed:
    """One package in the bundle.

    Attributes:
        licence: As its author states it; the last words of the classifiers if nothing else does.
        texts: Licence files that it brings, each with the place that it is to have.
    """

    name: str
    version: str
    licence: str
    texts: tuple[tuple[Path, str], ...] = ()


def collect(venv: Environment, bundle: Path, sources_file: Path) -> None:
    """Write ``licenses/`` into a bundle.

    Args:
        venv: The environment that was bundled.
        bundle: Its folder.
        sources_file: JSON list of the files that went into the bundle.

    Raises:
        StepFailedError: A package has a licence that forbids bundling, or states none.
    """
    sources = json.loads(sources_file.read_text(encoding="utf-8"))
    packages = bundled_packages(venv, sources)
    refused = [package for package in packages if not is_allowed(package)]
    if refused:
        names = ", ".join(f"{package.name} ({package.licence})" for package in refused)
        raise StepFailedError(f"The licence of these packages does not allow bundling: {names}")
    target = bundle / "licenses"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(OWN_TEXTS, target)
    shutil.copy(ROOT / "LICENSE", target / "molmo-desktop.txt")
    _copy_python_licence(target)
    for package in packages:
        for text, place in package.texts:
            file = target / f"{package.name}-{package.version}" / place
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(text, file)
    rows = [f"{package.name} {package.version}: {package.licence}" for package in packages]
    (target / "PACKAGES.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    system_count = _copy_system_licences(sources, target / "system")
    say(f"  licences: of {len(packages)} Python packages and {system_count} system packages")


def bundled_packages(venv: Environment, sources: Sequence[str]) -> list[Licensed]:
    """Return the packages that have files in the bundle, by name, without our own."""
    listing = subprocess.run(
        [str(venv.python), "-c", _LIST_PACKAGES],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    packages = []
    for row in json.loads(listing.stdout):
        name = re.sub(r"[-_.]+", "-", row["name"]).lower()
        if name == "molmo-desktop":
            continue
        classifiers = [words.rpartition(" :: ")[2] for words in row["classifiers"]]
        stated = row["expression"].strip().splitlines()
        licence = stated[0] if stated else "; ".join(classifiers)
        texts = tuple((Path(file), place) for file, place in row["files"] if is_licence(place))
        packages.append(Licensed(name, row["version"], licence, texts))
    return sorted(packages, key=lambda package: package.name)


def is_allowed(package: Licensed) -> bool:
    """Return whether a package may be bundled; a package that states no licence may not."""
    if package.name in _EXCEPTIONS:
        return True
    if not package.licence:
        return False
    return not _REFUSED.search(package.licence) or bool(_ALLOWED.search(package.licence))


def is_licence(place: str) -> bool:
    """Return whether a file among a package's metadata is a licence text, by its place."""
    folder, _, name = place.rpartition("/")
    words = ("LICEN", "COPYING", "NOTICE", "AUTHORS", "COPYRIGHT")
    return folder.startswith("licenses") or any(word in name.upper() for word in words)


def _copy_python_licence(target: Path) -> None:
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    if not text.exists():
        raise StepFailedError(f"The licence of Python is missing: {text}")
    shutil.copy(text, target / "Python.txt")


def _copy_system_licences(sources: Sequence[str], target: Path) -> int:
    """Copy the licences of libraries that came from Debian packages; return how many packages.

    Raises:
        StepFailedError: A library is under the GPL, or belongs to no package.
    """
    libraries = [Path(file) for file in sources if file.startswith(("/lib", "/usr/lib"))]
    libraries = [file for file in libraries if ".so" in file.name and "python3" not in file.parts]
    refused = [file.name for file in libraries if file.name.startswith(_REFUSED_LIBRARIES)]
    if refused:
        raise StepFailedError(f"These libraries are under the GPL: {', '.join(refused)}")
    if not shutil.which("dpkg"):
        say("  licences of system libraries: not gathered, that needs Debian")
        return 0
    packages = {_debian_package(file) for file in libraries}
    target.mkdir()
    for package in packages:
        shutil.copy(Path("/usr/share/doc", package, "copyright"), target / f"{package}.txt")
    return len(packages)


def _debian_package(library: Path) -> str:
    """Return the Debian package that a library came with."""
    real = str(library.resolve())
    for path in (real, real.removeprefix("/usr"), str(library)):
        found = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.partition(":")[0]
    raise StepFailedError(f"{library} belongs to no package, so its licence is not known.")
