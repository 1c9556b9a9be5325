# SPDX-License-Identifier: Apache-2.0
"""Energy of spans: known waveforms, sources that fail on the way, and honest unknowns."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import pytest

from molmo_desktop.core.answer import ReadingKind
from molmo_desktop.meters.battery import BatterySource
from molmo_desktop.meters.carbon import grid_of, grids
from molmo_desktop.meters.chain import PowerChain
from molmo_desktop.meters.cpu_model import CpuTimeModel
from molmo_desktop.meters.energy import EnergySpan, EnergySum
from molmo_desktop.meters.machine import PowerGuess
from molmo_desktop.meters.power import Problem, SourceReading
from molmo_desktop.meters.rapl import RaplSource


class _Waveform:
    """A source whose power is a function of time, sampled or counted."""

    name = "battery"
    kind: ReadingKind = "measured"
    scope = "whole machine"
    interval_s = 0.05
    method = "A known waveform."

    def __init__(self, clock, power_w: Callable[[float], float]) -> None:
        self._clock, self._power_w, self._start_s = clock, power_w, clock()

    def read(self) -> SourceReading | None:
        return SourceReading(power_w=self._power_w(self._clock() - self._start_s))

    def problem(self) -> Problem | None:
        return None


@pytest.fixture
def estimate(clock) -> CpuTimeModel:
    return CpuTimeModel(PowerGuess("laptop", 8.0, 28.0), 4, lambda: 0.0, clock)


def _span(chain: PowerChain, clock, idle_w: float | None = None) -> EnergySpan:
    return EnergySpan(
        chain, lambda source: idle_w, grid_of("DEU"), clock=clock, samples_itself=False
    )


def _sampled(span: EnergySpan, clock, duration_s: float, interval_s: float) -> float:
    for _ in range(round(duration_s / interval_s) - 1):
        clock.pass_s(interval_s)
        span.take_sample()
    clock.pass_s(interval_s)
    return span.end().energy_j


@pytest.mark.parametrize("duration_s", [5, 12, 60])
@pytest.mark.parametrize(
    ("waveform", "mean_w"),
    [
        pytest.param(lambda t: 20.0, lambda d: 20.0, id="constant"),
        pytest.param(lambda t: 5 + 3 * t, lambda d: 5 + 1.5 * d, id="ramp"),
        pytest.param(
            lambda t: 20 + 10 * math.sin(2 * math.pi * t / 2.5),
            lambda d: 20 - 10 * (math.cos(2 * math.pi * d / 2.5) - 1) * 2.5 / (2 * math.pi * d),
            id="sine of 2.5 s",
        ),
        pytest.param(lambda t: 30.0 if t > 1.02 else 6.0, lambda d: 30 - 24 * 1.02 / d, id="step"),
    ],
)
def test_sampled_power_is_integrated_within_one_percent(
    clock, estimate, waveform, mean_w, duration_s
):
    chain = PowerChain([_Waveform(clock, waveform)], estimate)
    energy_j = _sampled(_span(chain, clock), clock, duration_s, _Waveform.interval_s)
    assert energy_j == pytest.approx(mean_w(duration_s) * duration_s, rel=0.01)


@pytest.mark.parametrize("duration_s", [5, 20])
@pytest.mark.parametrize("period_s", [10.0, 15.0])
def test_slow_changes_are_within_one_percent_even_at_one_sample_a_second(
    clock, estimate, duration_s, period_s
):
    omega = 2 * math.pi / period_s
    chain = PowerChain([_Waveform(clock, lambda t: 20 + 4 * math.sin(omega * t))], estimate)
    true_j = 20 * duration_s - 4 / omega * (math.cos(omega * duration_s) - 1)
    energy_j = _sampled(_span(chain, clock), clock, duration_s, 1.0)
    assert energy_j == pytest.approx(true_j, rel=0.01)


def test_counted_energy_is_exact_however_short_the_span(clock, sysfs, package, estimate):
    package(262143328850 - 1000)
    span = _span(PowerChain([RaplSource(sysfs, clock)], estimate), clock, idle_w=5.0)
    clock.pass_s(0.2)
    package(3_999_000)
    use = span.end()
    assert use.energy_j == pytest.approx(4.0)
    assert use.above_idle_j == pytest.approx(4.0 - 5.0 * 0.2)
    assert (use.kind, use.source) == ("measured", "rapl")
    assert use.carbon_g == pytest.approx(4.0 / 3.6e6 * 330)
    assert use.grid_g_per_kwh == 330


def test_without_a_known_idle_power_the_share_above_it_is_unknown(clock, sysfs, package, estimate):
    package(0)
    span = _span(PowerChain([RaplSource(sysfs, clock)], estimate), clock, idle_w=None)
    clock.pass_s(1)
    package(7_000_000)
    use = span.end()
    assert (use.energy_j, use.above_idle_j) == (pytest.approx(7.0), None)


def test_a_source_that_vanishes_on_the_way_leaves_an_estimate(clock, sysfs, package, estimate):
    folder = package(0)
    span = _span(PowerChain([RaplSource(sysfs, clock)], estimate), clock)
    clock.pass_s(1)
    (folder / "energy_uj").unlink()
    span.take_sample()
    clock.pass_s(1)
    package(50_000_000)
    use = span.end()
    assert (use.kind, use.source) == ("estimated", "cpu time model")
    assert use.energy_j == pytest.approx(2 * 8.0)


def test_a_counter_that_stands_still_is_not_a_zero(clock, sysfs, package, estimate):
    package(123_000_000)
    span = _span(PowerChain([RaplSource(sysfs, clock)], estimate), clock)
    clock.pass_s(2)
    assert span.end().kind == "estimated"


def test_plugging_in_on_the_way_leaves_an_estimate(clock, sysfs, battery, estimate):
    battery()
    span = _span(PowerChain([BatterySource(sysfs)], estimate), clock)
    clock.pass_s(1)
    battery(status="Charging")
    assert span.end().source == "cpu time model"


def test_a_machine_that_slept_on_the_way_has_no_measured_energy(clock, sysfs, battery, estimate):
    battery()
    span = _span(PowerChain([BatterySource(sysfs)], estimate), clock)
    clock.pass_s(3600)
    assert span.end().kind == "estimated"


def test_the_estimate_counts_only_this_programs_work_as_its_own(clock):
    busy_s, own_s = [0.0], [70.0]
    model = CpuTimeModel(PowerGuess("laptop", 8.0, 28.0), 4, lambda: busy_s[0], clock)
    span = EnergySpan(
        PowerChain([], model),
        lambda source: None,
        grid_of("WORLD"),
        clock=clock,
        own_cpu_s=lambda: own_s[0],
        samples_itself=False,
    )
    clock.pass_s(10)
    busy_s[0] += 40  # all four processors, of which the answer took one
    own_s[0] += 10
    use = span.end()
    assert use.energy_j == pytest.approx(10 * (8 + 28))
    assert use.above_idle_j == pytest.approx(10 * 28 / 4)


def test_nothing_at_all_is_not_available():
    energy_sum = EnergySum()
    assert energy_sum.energy_j is None
    energy_sum.add(SourceReading(power_w=5.0), 0.0)
    assert energy_sum.energy_j is None, "one look is no energy"
    energy_sum.add(None, 1.0)
    energy_sum.add(SourceReading(power_w=5.0), 2.0)
    assert energy_sum.energy_j is None


def test_a_broken_estimate_gives_an_honest_nothing(clock, estimate, monkeypatch):
    monkeypatch.setattr(estimate, "read", lambda: None)
    use = _span(PowerChain([], estimate), clock).end()
    assert (use.energy_j, use.above_idle_j, use.carbon_g) == (None, None, None)
    assert (use.kind, use.source) == ("not available", "none")


def test_a_span_samples_by_itself_and_leaves_no_thread(estimate, sysfs, battery):
    battery(power_now=10_000_000)
    source = BatterySource(sysfs)
    source.interval_s = 0.02
    before = threading.active_count()
    done = threading.Event()
    with EnergySpan(PowerChain([source], estimate), lambda s: None, grid_of("WORLD")) as span:
        assert threading.active_count() == before + 1
        done.wait(0.3)
    assert threading.active_count() == before
    use = span.end()
    assert use == span.end(), "the second time, the same again"
    assert use.energy_j == pytest.approx(3.0, rel=0.3)


def test_sources_are_tried_in_order_and_anew_each_time(clock, sysfs, package, battery, estimate):
    chain = PowerChain([RaplSource(sysfs, clock), BatterySource(sysfs)], estimate)
    assert chain.read().source.name == "cpu time model"
    battery()
    assert chain.read().source.name == "battery"
    package(1)
    assert chain.read().source.name == "rapl"
    rows = {row["name"]: row for row in chain.describe()}
    assert [name for name, row in rows.items() if row["chosen"]] == ["rapl"]
    assert all(row["usable"] for row in rows.values())


# --- carbon ----------------------------------------------------------------------------------


def test_grids_have_a_year_and_a_source():
    assert len(grids()) > 30
    assert grids()[0].code == "WORLD"
    for grid in grids():
        assert 0 < grid.g_per_kwh < 1500
        assert grid.year >= 2020
        assert grid.source


@pytest.mark.parametrize("country", ["WORLD", "world", "", "XXX", "Atlantis"])
def test_an_unknown_country_is_counted_with_the_world(country):
    assert grid_of(country).g_per_kwh == 458.5


def test_a_country_is_found_in_any_case():
    assert (grid_of("fra").name, grid_of(" FRA ").g_per_kwh) == ("France", 41)
    assert grid_of("EU").g_per_kwh == 210


def test_one_kilowatt_hour_is_one_intensity():
    assert grid_of("FRA").grams(3.6e6) == pytest.approx(41)
