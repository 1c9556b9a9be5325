# SPDX-License-Identifier: Apache-2.0
"""The machine, the container and the limits of the process each bound what is free."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
import pytest

from molmo_desktop.models import free_memory as bounds
from molmo_desktop.models.free_memory import container_free_bytes, free_memory, held_bytes

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="control groups are of Linux")


def _write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n", encoding="ascii")


def test_without_limits_all_that_the_machine_has_free_may_be_taken():
    free = free_memory()
    assert 0 < free.free_bytes <= psutil.virtual_memory().total


def test_what_an_engine_holds_counts_as_free_when_it_will_end():
    free = free_memory(reclaimed_bytes=1 << 40)
    assert free.free_bytes > 1 << 39


def test_a_process_holds_less_than_it_shares_and_a_missing_one_nothing():
    assert 0 < held_bytes(os.getpid()) <= psutil.Process().memory_info().rss
    assert held_bytes(None) == 0
    assert held_bytes(2**22 + 1) == 0


@_LINUX
def test_the_tightest_group_on_the_way_up_bounds_a_container(tmp_path):
    root, membership = tmp_path / "cgroup", tmp_path / "membership"
    membership.write_text("0::/user/app\n", encoding="ascii")
    stat = "anon 100\ninactive_file 30\nactive_file 20"
    _write(root / "user" / "app", memory__max=1000, memory__current=600, memory__stat=stat)
    _write(root / "user", memory__max="max", memory__current=5000, memory__stat=stat)
    assert container_free_bytes(root, membership) == 450
    _write(root / "user", memory__max=5100)
    assert container_free_bytes(root, membership) == 150


@_LINUX
def test_groups_of_the_first_version_are_read_as_well(tmp_path):
    root, membership = tmp_path / "cgroup", tmp_path / "membership"
    membership.write_text("9:name=systemd:/\n4:cpu,memory:/docker/1:2\n", encoding="ascii")
    _write(
        root / "memory" / "docker" / "1:2",
        memory__limit_in_bytes=1000,
        memory__usage_in_bytes=900,
        memory__stat="inactive_file 1\ntotal_inactive_file 10\ntotal_active_file 5",
    )
    _write(
        root / "memory",
        memory__limit_in_bytes=9223372036854771712,
        memory__usage_in_bytes=10**9,
        memory__stat="total_inactive_file 10",
    )
    assert container_free_bytes(root, membership) == 115


@_LINUX
def test_a_limit_of_the_container_bounds_the_choice_of_a_model_too(tmp_path, monkeypatch):
    root, membership = tmp_path / "cgroup", tmp_path / "membership"
    monkeypatch.setattr(bounds, "_ROOT", root)
    monkeypatch.setattr(bounds, "_MEMBERSHIP", membership)
    assert bounds.total_memory_bytes() == psutil.virtual_memory().total
    membership.write_text("0::/\n", encoding="ascii")
    _write(root, memory__max=900, memory__current=800)
    assert bounds.total_memory_bytes() == 900


@_LINUX
def test_inside_a_container_the_mounted_group_is_the_own_one(tmp_path):
    root, membership = tmp_path / "cgroup", tmp_path / "membership"
    membership.write_text("0::/host/path/that/is/not/mounted/here\n", encoding="ascii")
    _write(root, memory__max=700, memory__current=200, memory__stat="")
    assert container_free_bytes(root, membership) == 500


@_LINUX
def test_a_system_without_control_groups_has_no_limit(tmp_path):
    assert container_free_bytes(tmp_path, tmp_path / "nothing") is None
    (tmp_path / "membership").write_text("garbage\n0::/\n", encoding="ascii")
    assert container_free_bytes(tmp_path, tmp_path / "membership") is None
