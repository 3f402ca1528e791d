"""Concurrent jobs stay under a total power limit; breaker, leg and UPS chains are summed right."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.profiles import load_profiles
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.feeds import FeedTree, at_worst, carried, overloads, rack_powers, tree
from igoudar.control.demand_response.levers import JobLever, Levers, Limit, Sight
from igoudar.control.demand_response.memory import Effect, Memory
from igoudar.core.model import Feed, JobState, Rack, Site
from igoudar.core.site import load_site
from tests.control.demand_response.cases import GPU_W, NOW, RULES, job, remembering

MW = 1e6


@pytest.fixture(scope="module")
def phase1() -> Site:
    return load_site("dakhla-phase1", load_profiles())


@given(st.lists(st.integers(1, 600), min_size=1, max_size=40), st.floats(5.0, 20.0), st.booleans())
def test_lesson_26_jobs_that_want_to_run_at_once_stay_under_the_total(
    sizes: list[int], limit_mw: float, acting: bool
) -> None:
    """Every cycle lets in what fits beside what it has let in before and no meter shows yet."""
    standing = [job(n, JobState.SUSPENDED, gpus, 1.0, 50.0, 0.0) for n, gpus in enumerate(sizes)]
    limit = Limit(limit_mw * MW, None, NOW + timedelta(hours=1), acting=acting)
    memory = replace(remembering(*standing), room_since=NOW - timedelta(hours=1))
    base_w = 4.0 * MW
    rising_w = 0.0
    for cycle in range(5):
        now = NOW + timedelta(seconds=cycle * 10)
        sight = Sight(now, base_w, None, NOW - timedelta(seconds=60))  # the meter shows none of it yet
        waiting = [one for one in standing if one.job_id in memory.paused]
        wishes, memory = decide(limit, sight, Levers(tuple(waiting)), memory, RULES)
        memory, rise_w = _started(memory, wishes.resumes, waiting)
        rising_w += rise_w
        assert base_w + rising_w <= limit_mw * MW


def _started(memory: Memory, names: tuple[str, ...], jobs: list[JobLever]) -> tuple[Memory, float]:
    rise_w = sum(one.rise_w for one in jobs if one.job_id in names)
    paused = {name: one for name, one in memory.paused.items() if name not in names}
    effects = (*memory.effects, Effect(NOW, "jobs", rise_w, rise_w))
    return replace(memory, paused=paused, effects=effects), rise_w


@given(st.data())
def test_lesson_26_each_rack_is_counted_once_on_every_feed_above_it(data: st.DataObject) -> None:
    power = _tree()
    rack_w = {rack: data.draw(st.floats(0, 150e3)) for rack in power.legs}
    loads = carried(power, rack_w)
    total_w = sum(rack_w.values())
    assert loads["grid"] == loads["bus"] == pytest.approx(total_w)
    assert loads["ups-1"] + loads["ups-2"] == pytest.approx(total_w)
    assert loads["row-a"] == pytest.approx(loads["row-b"])
    lost = carried(power, rack_w, lost=("ups-2",))
    assert lost["row-b"] == 0.0
    assert lost["row-a"] == lost["ups-1"] == lost["grid"] == pytest.approx(total_w)


def test_lesson_26_a_leg_is_reckoned_with_what_it_carries_alone(phase1: Site) -> None:
    power = tree(phase1)
    rack_w = {rack.name: rack.peak_w for rack in phase1.racks}
    worst = at_worst(power, rack_w).loads_w
    assert worst["a1-a"] == pytest.approx(16 * 132e3)  # the whole row, not half of it
    assert worst["hall-a"] == pytest.approx(80 * 132e3)  # both legs hang below it: once, not twice
    assert worst["grid"] == pytest.approx(sum(rack_w.values()))
    assert carried(power, rack_w)["a1-a"] == pytest.approx(8 * 132e3)
    assert carried(power, rack_w, lost=("a1-b",))["a1-a"] == pytest.approx(16 * 132e3)


def test_lesson_26_no_breaker_of_the_seed_is_overloaded_at_full_power(phase1: Site) -> None:
    power = tree(phase1)
    rack_w = {rack.name: rack.peak_w for rack in phase1.racks}
    assert overloads(power, at_worst(power, rack_w).loads_w) == {}


def test_lesson_26_a_silent_meter_counts_at_the_peak(phase1: Site) -> None:
    assert rack_powers(phase1.racks[:2], {phase1.racks[0].name: 40e3}) == {
        phase1.racks[0].name: 40e3,
        phase1.racks[1].name: phase1.racks[1].peak_w,
    }


def test_lesson_26_a_job_does_not_go_on_behind_a_full_breaker() -> None:
    power = _tree(leg_w=200e3)
    feeds = at_worst(power, {"rack-1": 90e3, "rack-2": 90e3, "rack-3": 0.0})
    here = replace(job(1, JobState.SUSPENDED, 50, 1.0, 5.0, 0.0), racks=("rack-1",))
    there = replace(job(2, JobState.SUSPENDED, 50, 1.0, 9.0, 0.0), racks=("rack-3",))
    assert 2 * 90e3 + 50 * GPU_W > 200e3
    wishes, _ = decide(
        Limit(20 * MW, None, None, acting=False),
        Sight(NOW, 1 * MW, None, NOW),
        Levers((here, there), feeds=feeds),
        remembering(here, there),
        RULES,
    )
    assert wishes.resumes == ("job-2",)


def _tree(leg_w: float = 300e3) -> FeedTree:
    """Two legs with a UPS each below one bus; the third rack stands on legs of its own."""
    parents: Mapping[str, tuple[str, float]] = {
        "grid": ("", 10e6), "bus": ("grid", 10e6), "ups-1": ("bus", 5e6), "ups-2": ("bus", 5e6),
        "row-a": ("ups-1", leg_w), "row-b": ("ups-2", leg_w),
        "other-a": ("ups-1", leg_w), "other-b": ("ups-2", leg_w),
    }  # fmt: skip
    feeds = [Feed(name, "feeder", parent, rated) for name, (parent, rated) in parents.items()]
    legs = {"rack-1": ("row-a", "row-b"), "rack-2": ("row-a", "row-b")}
    if leg_w < 300e3:
        legs["rack-3"] = ("other-a", "other-b")
    racks = [
        Rack(name, "hall", "a", n, 72, 132e3, 29e3, feeds) for n, (name, feeds) in enumerate(legs.items())
    ]
    site = Site("x", "x", 0, 0, 0, "UTC", (), tuple(racks), tuple(feeds), ())
    return tree(site)
