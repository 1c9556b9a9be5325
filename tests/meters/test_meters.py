# SPDX-License-Identifier: Apache-2.0
"""All meters together, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from molmo_desktop.core.settings import Settings
from molmo_desktop.meters.battery_charge import BatteryCharge
from molmo_desktop.meters.carbon import grid_of
from molmo_desktop.meters.chain import ChosenReading, PowerChain, default_chain
from molmo_desktop.meters.cpu_model import CpuTimeModel
from molmo_desktop.meters.live import IdlePower, LivePower, LivePowerMeter, LoadMeter
from molmo_desktop.meters.machine import PowerGuess
from molmo_desktop.meters.memory import process_memory
from molmo_desktop.meters.meters import Meters
from molmo_desktop.meters.own_time import own_cpu_seconds
from molmo_desktop.meters.power import SourceReading
from molmo_desktop.meters.rapl import RaplSource


@pytest.fixture
def meters():
    meters = Meters(Settings(country="FRA"), os.getpid)
    yield meters
    meters.close()


def _work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_live_reading_has_memory_power_and_load(meters):
    first = meters.sample()
    assert first.power_w is None, "there is nothing to compare with yet"
    assert first.cpu_percent is None
    _work(0.3)
    reading = meters.sample()
    assert reading.engine_rss_bytes > 5_000_000
    assert reading.window_rss_bytes > 5_000_000
    assert 0 < reading.system_available_bytes < reading.system_total_bytes
    assert reading.power_w > 0
    assert reading.power_kind in ("measured", "estimated")
    assert reading.power_source != "none"
    assert 0 < reading.cpu_percent <= 100
    assert reading.time_s > first.time_s


def test_memory_that_cannot_be_read_is_unknown_and_not_zero(meters, monkeypatch):
    monkeypatch.setattr("molmo_desktop.meters.meters.process_memory", lambda pid=None: None)
    assert meters.sample().window_rss_bytes is None


def test_without_an_engine_its_memory_is_unknown():
    meters = Meters(Settings(), lambda: None)
    assert meters.sample().engine_rss_bytes is None
    meters.close()


def test_an_engine_that_ended_has_no_memory():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        deadline = time.monotonic() + 20
        # Ended but not waited for: the system still lists it.
        while process_memory(process.pid) is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert process_memory(process.pid) is None
        process.wait()
        assert process_memory(process.pid) is None


def test_looking_is_cheap(meters):
    meters.sample()
    durations = []
    for _ in range(50):
        started = time.perf_counter()
        meters.sample()
        durations.append(time.perf_counter() - started)
    assert sorted(durations)[25] < 0.003  # measured 0.3 ms


def test_a_span_gives_energy_and_carbon(meters):
    span = meters.begin_span()
    _work(0.3)
    use = span.end()
    assert use.energy_j > 0
    assert use.carbon_g == pytest.approx(use.energy_j / 3.6e6 * 41)
    assert use.kind in ("measured", "estimated")
    if use.source == "cpu time model":
        assert 0 < use.above_idle_j < use.energy_j


def test_the_users_own_figures_are_used():
    settings = Settings(idle_power_w=100.0, full_load_cpu_power_w=50.0)
    estimate = default_chain(settings, lambda: None).estimate
    assert (estimate.guess.idle_w, estimate.guess.full_load_cpu_w) == (100.0, 50.0)


def test_changed_settings_hold_from_the_next_answer_on(meters):
    meters.use_settings(Settings(country="POL", idle_power_w=500.0, full_load_cpu_power_w=90.0))
    estimate = meters._chain.estimate
    assert (estimate.guess.idle_w, estimate.guess.full_load_cpu_w) == (500.0, 90.0)
    span = meters.begin_span()
    _work(0.1)
    use = span.end()
    assert use.carbon_g == pytest.approx(use.energy_j / 3.6e6 * grid_of("POL").g_per_kwh)
    meters.use_settings(Settings())
    assert estimate.guess.idle_w not in (0, 500.0), "the program's own guess is back"


def test_a_corrected_estimate_leaves_what_was_counted():
    chain = default_chain(Settings(idle_power_w=1.0), lambda: None)
    before_j = chain.estimate.read().energy_j
    time.sleep(0.05)
    chain.correct_estimate(PowerGuess("desktop", 5000.0, 1.0))
    assert chain.estimate.read().energy_j - before_j < 50.0


def test_the_programs_own_time_includes_children_alive_and_gone():
    work = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    before = own_cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert own_cpu_seconds() - before >= 0.28
        process.communicate(b"\n")
    assert own_cpu_seconds() - before >= 0.28


def test_closing_ends_spans_that_nobody_ended():
    before = threading.active_count()
    meters = Meters(Settings(), lambda: None)
    meters.begin_span()
    meters.begin_span()
    meters.close()
    meters.close()
    assert threading.active_count() == before


def test_threads_may_look_while_spans_begin_and_end(meters):
    failures: list[BaseException] = []

    def look() -> None:
        try:
            for _ in range(100):
                meters.sample()
                with meters.begin_span():
                    pass
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_each_source_is_described_with_a_reason_where_it_cannot_be_used(meters):
    rows = meters.describe()
    assert [row["name"] for row in rows] == ["rapl", "nvml", "battery", "cpu time model"]
    assert sum(row["chosen"] for row in rows) == 1
    for row in rows:
        assert row["usable"] or row["reason"]
        assert row["method"]
    assert rows[-1]["usable"]
    assert rows[-1]["kind"] == "estimated"


def test_the_idle_power_of_a_measured_source_is_learnt_between_answers(sysfs, package, clock):
    estimate = CpuTimeModel(PowerGuess("laptop", 8.0, 28.0), 4, lambda: 0.0, clock)
    source = RaplSource(sysfs, clock)
    chain = PowerChain([source], estimate)
    live, idle = LivePowerMeter(), IdlePower()
    energy_uj = 0
    for second in range(12):
        package(energy_uj)
        idle.add(live.update(chain.read(), clock()))
        clock.pass_s(1)
        energy_uj += 30_000_000 if second == 6 else 4_000_000
    assert idle.of(source) == pytest.approx(4.0)
    assert idle.of(estimate) is None


# --- live power ------------------------------------------------------------------------------


class _Counter:
    name, kind, scope, interval_s, method = "rapl", "measured", "processor", 1.0, ""


def _chosen(
    energy_j: float | None = None, power_w: float | None = None, gaps: int = 0, source=_Counter
):
    return ChosenReading(source, SourceReading(energy_j, power_w, gaps))


def test_power_is_the_growth_of_a_counter():
    meter = LivePowerMeter()
    assert meter.update(_chosen(0.0), 0.0) == LivePower(None, "measured", "rapl", "processor")
    assert meter.update(_chosen(20.0), 2.0).power_w == 10.0
    assert meter.update(_chosen(20.1), 2.01).power_w == 10.0, "too soon: the last figure stands"
    assert meter.update(_chosen(35.0), 3.0).power_w == pytest.approx(15.0)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param((_chosen(0.0), 1.0), id="frozen"),
        pytest.param((_chosen(50.0, gaps=1), 1.0), id="gap"),
        pytest.param((_chosen(50.0), 3600.0), id="long pause"),
        pytest.param((_chosen(50.0), -1.0), id="clock went back"),
        pytest.param((None, 1.0), id="no source at all"),
    ],
)
def test_power_is_unknown_rather_than_wrong(later):
    meter = LivePowerMeter()
    meter.update(_chosen(0.0), 0.0)
    assert meter.update(*later).power_w is None


def test_another_source_begins_anew():
    class Other(_Counter):
        name = "cpu time model"

    meter = LivePowerMeter()
    meter.update(_chosen(0.0), 0.0)
    assert meter.update(_chosen(500.0, source=Other), 1.0).power_w is None
    assert meter.update(_chosen(506.0, source=Other), 2.0).power_w == 6.0
    assert meter.update(_chosen(power_w=9.0), 3.0).power_w == 9.0


def test_the_load_stays_between_0_and_100_percent():
    load = LoadMeter(2)
    assert load.update(100.0, 0.0) is None
    assert load.update(101.0, 1.0) == pytest.approx(50.0)
    assert load.update(90.0, 2.0) == 0.0
    assert load.update(500.0, 3.0) == 100.0


def test_the_battery_is_asked_rarely_and_unknown_without_one(monkeypatch):
    class Charge:
        percent, power_plugged = 81, False

    asked = []

    def sensors():
        asked.append(1)
        return Charge if len(asked) == 1 else None

    monkeypatch.setattr("psutil.sensors_battery", sensors, raising=False)
    charge = BatteryCharge()
    assert charge.read(0.0) == (81.0, True)
    assert charge.read(5.0) == (81.0, True)
    assert charge.read(11.0) == (None, None)
    assert len(asked) == 2
