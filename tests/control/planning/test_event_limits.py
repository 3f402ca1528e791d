"""Announced limits in the plan: held or named, prepared for, and no change where there is none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.planning.kept import Kept, rows_of_a_day
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period

from igoudar.control.planning.plan.events import EventLimits, slot_limits
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.policy import (
    FACILITY,
    IMPORT,
    METERS,
    Band,
    Ceiling,
    Forecast,
    Orders,
    View,
)
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import Played, play
from igoudar.lab.events import Announced
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period
from igoudar.lab.relaxed import OVER_LIMIT_PER_MWH

BEGIN, END = 40, 56  # steps of the event
ROOM = replace(LIMITS, ceilings=True)
NO_BATTERY = replace(ROOM, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0)
slow = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def day_of(rows: list[tuple[int, int, int, int]], supply_w: float | list[int], *limits: Ceiling) -> Period:
    inside = [row for row in rows if row[1] + row[2] <= STEPS] or [(1, 0, 1, 0)]
    supply = np.repeat(np.broadcast_to(np.asarray(supply_w, np.float64), 24), 4)
    day = period(job_table(inside), supply)
    return replace(day, limits=tuple(Announced(one, 0.0) for one in limits))


def event(meter: str, limit_w: float, begin: int = BEGIN, end: int = END) -> Ceiling:
    return Ceiling(meter, begin * 900.0, end * 900.0, limit_w)


def metered_w(played: Played, meter: str) -> Any:
    site = played.site
    if meter == IMPORT:
        return site["import_w"]
    return site["urgent_w"] + site["flexible_w"] + site["cooling_w"]


def codes(policy: Kept) -> set[str]:
    return {why.code for said in policy.said for why in said}


def test_without_limits_the_program_is_the_plain_one() -> None:
    plain, room = PlanModel(LIMITS, Grid.of(), 3), PlanModel(ROOM, Grid.of(), 3)
    assert plain.terms == ()
    assert plain.size < room.size
    for ours, theirs in ((plain.columns, room.columns), (plain.rows, room.rows)):
        for name in ours.__slots__:
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))


def test_room_for_limits_that_nobody_announces_changes_no_plan() -> None:
    rows = [(10, 4 * n, 8, 40) for n in range(10)]
    day = day_of(rows, [90_000] * 6 + [10_000] * 18)
    plain, room = (play(day, limits, Rolling(limits), knows(day)).site for limits in (LIMITS, ROOM))
    for name in ("import_w", "flexible_w"):
        assert float(plain[name].sum()) == pytest.approx(float(room[name].sum()), rel=0.02)


def test_the_battery_is_charged_and_kept_for_an_announced_import_limit() -> None:
    limits = replace(ROOM, peak_price_per_mw=0.0)
    begin = 28  # seven hours of 21.6 kW are more than what the battery begins with
    free, held = day_of([(1, 0, 1, 0)], 0.0), day_of([(1, 0, 1, 0)], 0.0, event(IMPORT, 0.0, begin))
    without, with_limit = (play(day, limits, Rolling(limits), knows(day)).site for day in (free, held))
    assert without["import_w"][begin:END].max() > 1e3
    assert with_limit["import_w"][begin:END].max() == pytest.approx(0.0, abs=1.0)
    assert with_limit["soc_wh"][begin - 1] > without["soc_wh"][begin - 1] + 50e3


@pytest.mark.parametrize("meter", METERS)
def test_work_runs_before_a_limit_and_after_it(meter: str) -> None:
    limits = replace(NO_BATTERY, peak_price_per_mw=0.0)
    rows = [(10, 20, 8, 60), (10, 22, 8, 60), (10, 24, 8, 60)]
    limit_w = {IMPORT: 8e3, FACILITY: 23e3}[meter]
    day = day_of(rows, 15e3, event(meter, limit_w))
    policy = Kept(limits)
    played = play(day, limits, policy, knows(day))
    assert metered_w(played, meter)[BEGIN:END].max() <= limit_w + 1.0
    assert played.fleet is not None
    assert (played.fleet.finished_s <= day.jobs.deadline_s).all()
    assert codes(policy) == set()


@pytest.mark.parametrize("meter", METERS)
def test_a_limit_that_no_plan_keeps_is_named_with_what_is_above_it(meter: str) -> None:
    day = day_of([(10, 36, 24, 0)], 0.0, event(meter, 25e3))
    policy = Kept(NO_BATTERY)
    played = play(day, NO_BATTERY, policy, knows(day))
    assert codes(policy) == {f"planner.gave_way_limit_{meter}"}
    assert played.fleet is not None
    assert played.fleet.finished_s[0] <= day.jobs.deadline_s[0]


@slow
@given(rows_of_a_day, st.lists(st.integers(0, 120_000), min_size=24, max_size=24), st.sampled_from(METERS),
       st.integers(0, 60_000), st.integers(0, 80), st.integers(1, 30))  # fmt: skip
def test_every_plan_keeps_a_limit_or_counts_what_is_above_it(
    rows: list[tuple[int, int, int, int]],
    hourly_w: list[int],
    meter: str,
    limit_w: int,
    begin: int,
    steps: int,
) -> None:
    one = event(meter, float(limit_w), begin, min(STEPS, begin + steps))
    day = day_of(rows, hourly_w, one)
    policy = Kept(ROOM)
    played = play(day, ROOM, policy, knows(day))
    best = bound(day, ROOM)
    above_w = np.maximum(0.0, metered_w(played, meter) - limit_w)[begin : begin + steps]
    priced = OVER_LIMIT_PER_MWH / 4e6
    assert (
        best.cost + best.over_limit_wh * 4.0 * priced <= cost(played) + float(above_w.sum()) * priced + 1e-6
    )
    for step in range(0, STEPS, 8):
        check_plan(policy, policy.solved[step], day, step, one)


def check_plan(policy: Kept, solved: Solved, day: Period, step: int, one: Ceiling) -> None:
    """In every course: energy is conserved, and what is above the limit is counted in its slack."""
    model = policy._model
    (term,) = (term for term in model.terms if isinstance(term, EventLimits))
    ends_s = step * 900.0 + model.grid.ends_h[:24] * 3600.0
    under = (ends_s > one.start_s) & (ends_s - 900.0 < one.end_s) & (ends_s <= STEPS * 900.0)
    supply_mw = np.append(day.wind_w[step:], np.full(24, day.wind_w[-1]))[:24] / 1e6
    for course in range(model.courses):
        power = {name: solved.value[getattr(model.columns, name)[course, :24]] for name in POWERS}
        imported_mw = power["imported"] + power["over_limit"]
        facility_mw = (power["flexible"] + 0.02) * 1.08
        went = facility_mw + power["charge"] + power["exported"] + power["curtailed"]
        assert supply_mw + imported_mw + power["discharge"] == pytest.approx(went, abs=1e-6)
        over_mw = solved.value[term.over[course, METERS.index(one.meter), :24]]
        read_mw = imported_mw if one.meter == IMPORT else facility_mw
        assert (read_mw - over_mw <= one.limit_w / 1e6 + 1e-6)[under].all()


POWERS = ("imported", "over_limit", "discharge", "charge", "exported", "curtailed", "flexible")


def cost(played: Played) -> float:
    imported = played.site["import_w"]
    missing_wh = max(0.0, 0.5 * LIMITS.battery_wh - played.site["soc_wh"][-1]) / LIMITS.efficiency
    energy_mwh = (float(imported.sum()) / 4.0 + missing_wh) / 1e6
    return LIMITS.price_per_mwh * energy_mwh + LIMITS.peak_price_per_mw * float(imported.max()) / 1e6


def test_a_slot_that_a_limit_touches_is_wholly_under_it() -> None:
    grid = Grid.of()
    day = day_of([(1, 0, 1, 0)], 0.0, event(IMPORT, 10e3, begin=26, end=30))
    seen: list[View] = []

    class Once(Rolling):
        def decide(self, view: View) -> Orders:
            seen.append(view)
            return super().decide(view)

    play(day, ROOM, Once(ROOM), knows(day))
    found = slot_limits(seen[0], grid, IMPORT)
    assert found[24:26] == pytest.approx([10e3, 10e3])  # two hours, each half under it
    assert np.isinf(found[26:]).all()


def test_before_a_limit_on_import_all_courses_charge_alike_and_after_it_each_its_own_way() -> None:
    day = day_of([(1, 0, 1, 0)], 10e3, event(IMPORT, 0.0, begin=12, end=48))
    policy = Kept(ROOM)
    sure = knows(day)

    def unsure(step: int) -> Forecast:
        given = sure(step)
        return replace(given, wind=Band(given.wind.p50_w - 8e3, given.wind.p50_w, given.wind.p50_w + 20e3))

    play(day, ROOM, policy, unsure)
    charge = policy.solved[4].value[policy._model.columns.charge][:, :24]
    assert charge[:, :8] == pytest.approx(np.broadcast_to(charge[0, :8], (3, 8)), abs=1e-9)
    assert charge[0, :8].max() > 1e-4
    assert not np.allclose(charge[1], charge[2], atol=1e-4)
