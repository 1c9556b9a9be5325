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
from dataclasses import dataclass
from pathlib import Path

from tooling.environment import ROOT, Environment
from tooling.progress import StepFailedError, say

OWN_TEXTS = ROOT / "packaging" / "licenses"

# Installed for building, or by a dependency, but no file of theirs is in the bundle.
NOT_BUNDLED = frozenset(
    {
        "altgraph",
        "cmake",
        "hf-xet",
        "macholib",
        "ninja",
        "pathspec",
        "pefile",
        "pip",
        "pyinstaller-hooks-contrib",
        "pywin32-ctypes",
        "scikit-build-core",
        "setuptools",
    }
)

# Licences under which the program could not be given away as it is. LGPL is well: Qt's libraries
# stay files of their own, which anyone may replace. PyInstaller is GPL with an exception for
# what it bundles.
_REFUSED = re.compile(r"\bA?GPL|GNU (AFFERO )?GENERAL PUBLIC", re.IGNORECASE)
_ALLOWED = re.compile(r"\bLGPL|LESSER GENERAL PUBLIC", re.IGNORECASE)
_EXCEPTIONS = frozenset({"pyinstaller"})

# Prints what is installed, run by the Python of the environment that is bundled.
_LIST_PACKAGES = """
import importlib.metadata as m, json
rows = []
for d in m.distributions():
    meta = d.metadata
    files = [str(d.locate_file(f)) for f in d.files or () if ".dist-info/" in str(f)]
    rows.append({
        "name": meta["Name"], "version": d.version,
        "expression": meta.get("License-Expression") or meta.get("License") or "",
        "classifiers": [c for c in meta.get_all("Classifier") or () if c.startswith("License")],
        "files": files,
    })
print(json.dumps(rows))
"""


@dataclass(frozen=True)
class Licensed:
    """One package in the bundle.

    Attributes:
        licence: As its author states it; the last words of the classifier if there is no other.
        texts: Licence files that it brings.
    """

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]


def collect(venv: Environment, bundle: Path) -> None:
    """Write ``licenses/`` into a bundle.

    Raises:
        StepFailedError: A package has a licence that forbids bundling, or states none.
    """
    packages = bundled_packages(venv)
    refused = [package for package in packages if not is_allowed(package)]
    if refused:
        names = ", ".join(f"{package.name} ({package.licence})" for package in refused)
        raise StepFailedError(f"The licence of these packages does not allow bundling: {names}")
    target = bundle / "licenses"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(OWN_TEXTS, target)
    shutil.copy(ROOT / "LICENSE", target / "molmo-desktop.txt")
    for package in packages:
        for text in package.texts:
            folder = target / f"{package.name}-{package.version}"
            folder.mkdir(exist_ok=True)
            shutil.copy(text, folder / text.name)
    rows = [f"{package.name} {package.version}: {package.licence}" for package in packages]
    (target / "PACKAGES.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    say(f"  licences: {len(packages)} packages, texts in {target.name}/")


def bundled_packages(venv: Environment) -> list[Licensed]:
    """Return the packages of an environment that go into the bundle, by name."""
    listing = subprocess.run(
        [str(venv.python), "-c", _LIST_PACKAGES], capture_output=True, text=True, check=True
    )
    packages = []
    for row in json.loads(listing.stdout):
        name = re.sub(r"[-_.]+", "-", row["name"]).lower()
        if name in NOT_BUNDLED or name == "molmo-desktop":
            continue
        classifiers = [words.rpartition(" :: ")[2] for words in row["classifiers"]]
        stated = row["expression"].strip().splitlines()
        licence = stated[0] if stated else "; ".join(classifiers)
        texts = tuple(Path(file) for file in row["files"] if _is_licence_text(Path(file)))
        packages.append(Licensed(name, row["version"], licence, texts))
    return sorted(packages, key=lambda package: package.name)


def is_allowed(package: Licensed) -> bool:
    """Return whether a package may be bundled; a package that states no licence may not."""
    if package.name in _EXCEPTIONS:
        return True
    if not package.licence:
        return False
    return not _REFUSED.search(package.licence) or bool(_ALLOWED.search(package.licence))


def _is_licence_text(file: Path) -> bool:
    name = file.name.upper()
    words = ("LICEN", "COPYING", "NOTICE", "AUTHORS", "COPYRIGHT")
    return file.is_file() and ("licenses" in file.parts or any(word in name for word in words))
