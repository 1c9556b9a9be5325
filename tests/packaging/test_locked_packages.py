# SPDX-License-Identifier: Apache-2.0
"""The locks in requirements/ agree with pyproject.toml and keep their promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(*names: str) -> dict[str, set[str]]:
    """Return the locked versions of each package in some locks."""
    found: dict[str, set[str]] = {}
    for name in names:
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for package, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE):
            found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def assert_locked(requirements: list[str], locked: dict[str, set[str]]) -> None:
    for line in requirements:
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name))
        assert versions, f"{wanted.name} is not locked: python3 tasks.py setup --lock"
        assert all(wanted.specifier.contains(version) for version in versions), line


def test_every_dependency_is_locked_in_a_version_that_satisfies_it():
    assert_locked(PROJECT["project"]["dependencies"], pins("runtime", "engine"))
    assert_locked(PROJECT["project"]["optional-dependencies"]["starter"], pins("starter"))
    assert_locked(PROJECT["dependency-groups"]["dev"], pins("dev"))
    assert_locked(PROJECT["dependency-groups"]["package"], pins("package"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_index_and_gives_every_package_a_hash(lock: Path):
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_client_for_online_services_is_locked():
    everything = pins(*(lock.stem for lock in LOCKS))
    assert not {"llm", "openai", "anthropic", "litellm"} & set(everything)


def test_locks_that_share_a_package_agree_on_its_version():
    for package, versions in pins("runtime", "dev", "build", "package").items():
        # numpy has dropped the oldest Python that we support, so it is locked twice.
        assert len(versions) == 1 or package == "numpy", package


def test_the_commit_hooks_lint_with_the_locked_version():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"ruff==([\d.]+)", hooks)) == pins("dev")["ruff"]
