# SPDX-License-Identifier: Apache-2.0
"""Each power source on recorded trees: wraps, vanishing, permissions, going backwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from molmo_desktop.meters import nvml as nvml_module
from molmo_desktop.meters.battery import BatterySource
from molmo_desktop.meters.cpu_model import CpuTimeModel, busy_cpu_seconds
from molmo_desktop.meters.machine import PowerGuess, guess_power
from molmo_desktop.meters.nvml import NvmlSource
from molmo_desktop.meters.power import UnwrappedCounter
from molmo_desktop.meters.rapl import RaplSource

RANGE_UJ = 262143328850

# --- RAPL ------------------------------------------------------------------------------------


def test_rapl_counts_joules_from_the_first_reading(sysfs, package, clock):
    package(5_000_000_000)
    source = RaplSource(sysfs, clock)
    assert source.read().energy_j == 0
    clock.pass_s(2)
    package(5_030_000_000)
    assert source.read().energy_j == pytest.approx(30.0)
    assert source.problem() is None
    assert (source.kind, source.scope) == ("measured", "processor")


def test_rapl_goes_on_counting_over_a_wrap(sysfs, package, clock):
    package(RANGE_UJ - 10_000_000)
    source = RaplSource(sysfs, clock)
    source.read()
    clock.pass_s(1)
    package(15_000_000)
    reading = source.read()
    assert reading.energy_j == pytest.approx(25.0)
    assert reading.gaps == 0


def test_rapl_adds_up_packages_and_memory_but_not_their_parts(sysfs, package, write, clock):
    def tree(step_uj: int) -> None:
        package(step_uj, 0)
        package(2 * step_uj, 1)
        package(100 * step_uj, 2, "psys")
        for part, label in enumerate(("core", "uncore", "dram")):
            files = {"name": label, "energy_uj": step_uj, "max_energy_range_uj": 65712999613}
            write(f"class/powercap/intel-rapl:0:{part}", files)
        write("class/powercap/intel-rapl-mmio:0", {"name": "package-0", "energy_uj": 7 * step_uj})

    tree(0)
    source = RaplSource(sysfs, clock)
    source.read()
    clock.pass_s(1)
    tree(1_000_000)
    assert source.read().energy_j == pytest.approx(1 + 2 + 1)
    assert source.scope == "processor and memory"


def test_rapl_without_permission_says_how_to_allow_it(sysfs, package, monkeypatch):
    folder = package(1)
    _forbid(monkeypatch, folder / "energy_uj")
    source = RaplSource(sysfs)
    assert source.read() is None
    problem = source.problem()
    assert "administrator" in problem.reason
    assert "chmod" in problem.fix


def _forbid(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Take the permission to read a file away, also from root."""
    if os.getuid() != 0:
        path.chmod(0o000)
        return
    read_text = Path.read_text

    def refuse(self: Path, *args: Any, **kwargs: Any) -> str:
        if self == path:
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refuse)


def test_a_machine_without_rapl_says_so(sysfs):
    source = RaplSource(sysfs)
    assert source.read() is None
    assert "no energy counters" in source.problem().reason


def test_rapl_that_vanishes_gives_nothing_and_comes_back_with_a_gap(sysfs, package, clock):
    folder = package(1_000_000)
    source = RaplSource(sysfs, clock)
    before = source.read()
    (folder / "energy_uj").unlink()
    assert source.read() is None
    package(9_000_000)
    assert source.read().gaps > before.gaps


def test_rapl_with_unreadable_contents_gives_nothing(sysfs, package, write):
    package(1)
    write("class/powercap/intel-rapl:0", {"energy_uj": "<no>"})
    assert RaplSource(sysfs).read() is None


def test_a_counter_that_goes_back_without_a_range_is_a_gap():
    counter = UnwrappedCounter(None)
    counter.update(100.0, 0.0)
    counter.update(90.0, 1.0)
    assert (counter.total_j, counter.gaps) == (0.0, 1)
    counter.update(95.0, 2.0)
    assert (counter.total_j, counter.gaps) == (5.0, 1)


def test_a_counter_that_goes_back_a_little_is_not_taken_for_a_wrap():
    counter = UnwrappedCounter(RANGE_UJ * 1e-6)
    counter.update(1000.0, 0.0)
    counter.update(999.0, 1.0)
    assert (counter.total_j, counter.gaps) == (0.0, 1)


def test_a_counter_that_jumps_ahead_is_a_gap():
    counter = UnwrappedCounter(None)
    counter.update(0.0, 0.0)
    counter.update(1e9, 1.0)
    assert (counter.total_j, counter.gaps) == (0.0, 1)


def test_a_clock_that_goes_back_is_a_gap():
    counter = UnwrappedCounter(None)
    counter.update(0.0, 10.0)
    counter.update(5.0, 9.0)
    assert counter.gaps == 1


# --- battery ---------------------------------------------------------------------------------


def test_a_discharging_battery_gives_the_power_of_the_machine(sysfs, battery):
    battery()
    source = BatterySource(sysfs)
    assert source.read().power_w == pytest.approx(8.412)
    assert source.problem() is None
    assert (source.kind, source.scope) == ("measured", "whole machine")


def test_current_and_voltage_do_as_well(sysfs, battery):
    folder = battery(current_now=-612_000, voltage_now=11_850_000)
    (folder / "power_now").unlink()
    assert BatterySource(sysfs).read().power_w == pytest.approx(0.612 * 11.85)


def test_two_batteries_add_up_and_a_mouse_does_not_count(sysfs, battery, write):
    battery(0, power_now=5_000_000)
    battery(1, power_now=-2_000_000)
    battery(2, status="Charging", power_now=30_000_000)
    write(
        "class/power_supply/hidpp_battery_0",
        {"type": "Battery", "scope": "Device", "status": "Discharging", "power_now": 1_000_000},
    )
    write("class/power_supply/AC", {"type": "Mains", "online": 1})
    assert BatterySource(sysfs).read().power_w == pytest.approx(7.0)


@pytest.mark.parametrize("status", ["Charging", "Full", "Not charging", "Unknown"])
def test_a_battery_that_is_not_in_use_measures_nothing(sysfs, battery, status):
    battery(status=status)
    source = BatterySource(sysfs)
    assert source.read() is None
    assert "not in use" in source.problem().reason
    assert "Unplug" in source.problem().fix


def test_a_battery_that_reports_zero_is_unknown(sysfs, battery):
    battery(power_now=0)
    source = BatterySource(sysfs)
    assert source.read() is None
    assert "does not report" in source.problem().reason


def test_a_battery_that_vanishes_gives_nothing(sysfs, battery):
    folder = battery()
    source = BatterySource(sysfs)
    assert source.read() is not None
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert source.read() is None
    assert "no battery" in source.problem().reason


# --- NVIDIA ----------------------------------------------------------------------------------


class _NvmlError(Exception):
    pass


@dataclass
class _FakeNvml:
    """Stands in for pynvml: two cards."""

    energy_mj: list[int] | None = None
    power_mw: list[int] | None = None
    has_driver: bool = True
    pids: list[int] = field(default_factory=lambda: [42])
    is_shut_down: bool = False
    NVMLError = _NvmlError

    def nvmlInit(self) -> None:
        if not self.has_driver:
            raise _NvmlError("Driver Not Loaded")

    def nvmlShutdown(self) -> None:
        self.is_shut_down = True

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetComputeRunningProcesses(self, card: int) -> list[Any]:
        @dataclass
        class Process:
            pid: int

        return [Process(pid) for pid in self.pids] if card == 0 else []

    def nvmlDeviceGetTotalEnergyConsumption(self, card: int) -> int:
        if self.energy_mj is None:
            raise _NvmlError("Not Supported")
        return self.energy_mj[card]

    def nvmlDeviceGetPowerUsage(self, card: int) -> int:
        if self.power_mw is None:
            raise _NvmlError("Not Supported")
        return self.power_mw[card]


def test_cards_that_count_energy_are_added_up(clock):
    library = _FakeNvml(energy_mj=[1000, 5000])
    source = NvmlSource(lambda: 42, library, clock)
    assert source.read().energy_j == 0
    clock.pass_s(1)
    library.energy_mj = [31_000, 15_000]
    assert source.read().energy_j == pytest.approx(40.0)
    source.close()
    assert library.is_shut_down


def test_cards_that_do_not_count_give_power():
    source = NvmlSource(lambda: 42, _FakeNvml(power_mw=[70_500, 20_000]))
    assert source.read().power_w == pytest.approx(90.5)
    source.close()


def test_a_card_that_the_engine_does_not_use_says_nothing_about_an_answer():
    source = NvmlSource(lambda: 7, _FakeNvml(energy_mj=[1, 1]))
    assert source.read() is None
    assert "does not run on a graphics card" in source.problem().reason
    source.close()


@pytest.mark.parametrize("library", [_FakeNvml(has_driver=False), _FakeNvml()])
def test_no_driver_or_no_figures_are_told_and_never_a_zero(library):
    source = NvmlSource(lambda: 42, library)
    assert source.read() is None
    assert source.problem().reason
    source.close()


def test_without_the_package_the_hint_names_it(monkeypatch):
    monkeypatch.setattr(nvml_module.importlib.util, "find_spec", lambda name: None)
    source = NvmlSource(lambda: 42)
    assert source.read() is None
    assert "nvidia-ml-py" in source.problem().fix


# --- the estimate ----------------------------------------------------------------------------


def _model(clock, busy: list[float], cpu_count: int = 4) -> CpuTimeModel:
    return CpuTimeModel(PowerGuess("laptop", 8.0, 28.0), cpu_count, lambda: busy[0], clock)


def test_the_estimate_is_idle_power_plus_busy_share(clock):
    busy = [500.0]
    model = _model(clock, busy)
    clock.pass_s(10)
    busy[0] += 20  # half of four processors
    assert model.read().energy_j == pytest.approx(10 * 8 + 0.5 * 28 * 10)
    assert model.kind == "estimated"
    assert "8 W" in model.method
    assert "28 W" in model.method


def test_processor_time_that_steps_back_or_jumps_stays_within_the_machines_power(clock):
    busy = [500.0]
    model = _model(clock, busy)
    clock.pass_s(1)
    busy[0] -= 3
    assert model.read().energy_j == pytest.approx(8.0)
    clock.pass_s(1)
    busy[0] += 1000
    assert model.read().energy_j == pytest.approx(2 * 8 + 28)


def test_busy_seconds_grow_with_work_and_only_with_work():
    before = busy_cpu_seconds()
    deadline = psutil.Process().cpu_times().user + 0.2
    while psutil.Process().cpu_times().user < deadline:
        pass
    assert busy_cpu_seconds() - before >= 0.15


def test_the_kind_of_machine_is_guessed(tmp_path):
    cpuinfo = tmp_path / "proc" / "cpuinfo"
    cpuinfo.parent.mkdir()
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx2\n")
    assert guess_power(8, False, tmp_path).machine == "desktop"
    assert guess_power(8, True, tmp_path).machine == "laptop"
    chassis = tmp_path / "sys" / "class" / "dmi" / "id" / "chassis_type"
    chassis.parent.mkdir(parents=True)
    chassis.write_text("10\n")
    assert guess_power(8, False, tmp_path).machine == "laptop"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu sse2 hypervisor\n")
    virtual = guess_power(8, False, tmp_path)
    assert virtual.machine == "virtual machine"
    assert virtual.idle_w + virtual.full_load_cpu_w == pytest.approx(8 * 3.5)
