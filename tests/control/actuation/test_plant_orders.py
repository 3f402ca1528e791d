"""From the plan to the plant: the battery's bound, curtailment, flexible loads; nothing without a reason."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.test_loop import cycles, rig, solver
from tests.control.test_plan_service import plan_of

from igoudar.control.actuation.plant import drive_w
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.planner.ask import Ask, Plan
from igoudar.control.planning.battery import APART, Course, Stock, discharge_most_w

__all__ = ["rig", "solver"]
RATED_W = 500e3


def plan(ask: Ask, stored_wh: float, drive_w: float = 10e3, import_w: float = 300e3) -> Plan:
    """A plan that wants so much in the battery, and so much of each flexible load, in every step."""
    each = np.full(192, drive_w)
    return plan_of(
        ask.view.time,
        powers=plan_of(ask.view.time).powers | {"import_w": np.full(192, import_w)},
        stored_wh=np.full(192, stored_wh),
        drives={"desalination": each, "electrolyser": each},
    )


async def planned(loop: Any, plant: Any) -> None:
    """Past settling, with a plan in force."""
    await cycles(loop, plant, 2)
    await loop.steering.planner.settled()
    await cycles(loop, plant, 3)


def writes(plant: Any, point: str) -> list[tuple[str, float]]:
    return [(write.device, write.value) for write in plant.writes if write.point == point]


async def test_charge_that_the_plan_keeps_is_not_given_away(rig: Any, plant: Any, solver: Any) -> None:
    loop, rooms = rig
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: plan(ask, stored_wh=550e3)
    await planned(loop, plant)
    assert writes(plant, "discharge_rate_pct") == [("battery-1", 0.0)]
    row = next(row for row in rooms.records.actions() if row.target == "battery-1" and row.result == "done")
    assert row.code == "plant.battery_keep"
    assert plant.writes[0].expires_at - plant.clock.now() <= timedelta(minutes=5)


async def test_what_is_stored_beyond_the_plan_is_free(rig: Any, plant: Any, solver: Any) -> None:
    loop, _ = rig
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: plan(ask, stored_wh=100e3)
    await planned(loop, plant)
    assert writes(plant, "discharge_rate_pct") == []


async def test_a_lack_that_the_plan_did_not_expect_is_covered(rig: Any, plant: Any, solver: Any) -> None:
    loop, _ = rig
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: plan(ask, stored_wh=950e3, import_w=0.0)
    await planned(loop, plant)
    assert writes(plant, "discharge_rate_pct") == []


async def test_the_battery_gets_its_own_rule_back(rig: Any, plant: Any, solver: Any) -> None:
    loop, _ = rig
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: plan(ask, stored_wh=550e3)
    await planned(loop, plant)
    plant.powers["pv"] = 700e3
    await cycles(loop, plant, 3)
    assert writes(plant, "discharge_rate_pct") == [("battery-1", 0.0), ("battery-1", 100.0)]


async def test_an_announced_limit_on_import_makes_the_battery_charge(
    rig: Any, plant: Any, solver: Any
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: replace(plan(ask, stored_wh=550e3), precharge_w=np.full(192, 150e3))
    await planned(loop, plant)
    (first, *_) = writes(plant, "discharge_rate_pct")
    assert first == ("battery-1", -30.0)  # of 500 kW: at least 150 kW in
    row = next(row for row in rooms.records.actions() if row.target == "battery-1" and row.result == "done")
    assert row.code == "plant.battery_prepare"
    plant.powers["pv"] = 1_200e3  # more surplus than is wanted: its own rule charges by itself
    await cycles(loop, plant, 3)
    assert writes(plant, "discharge_rate_pct")[-1] == ("battery-1", 100.0)


@pytest.mark.parametrize(("load_w", "pct"), [(1_200e3, -50.0), (1_500e3, 0.0)])
async def test_charge_for_a_limit_to_come_leaves_the_grids_own_limit(
    rig: Any, plant: Any, solver: Any, load_w: float, pct: float
) -> None:
    loop, _ = rig
    plant.powers |= {"pv": 0.0, "wind": 0.0, "transformer": load_w}  # and 50 kW of flexible loads
    solver.made = lambda ask: replace(plan(ask, stored_wh=550e3), precharge_w=np.full(192, 400e3))
    await planned(loop, plant)
    assert writes(plant, "discharge_rate_pct")[0] == ("battery-1", pct)  # of 500 kW; 1.5 MW from the grid


async def test_events_that_are_announced_reach_the_plan(rig: Any, plant: Any, solver: Any) -> None:
    loop, _ = rig
    asked: list[Ask] = []
    solver.made = lambda ask: (asked.append(ask), plan(ask, stored_wh=0.0))[1]
    await cycles(loop, plant, 1)
    assert asked[-1].view.ceilings == ()
    start = plant.clock.now() + timedelta(hours=2)
    request = EventRequest(
        EventKind.IMPORT_CAP,
        "operator",
        "ada",
        limit_w=200e3,
        starts_at=start,
        ends_at=start + timedelta(hours=1),
    )
    loop.events.open(request)
    await cycles(loop, plant, 30)
    (one,) = asked[-1].view.ceilings
    assert one.end_s - one.start_s == 3600.0
    assert asked[-1].view.limits.ceilings


async def test_flexible_loads_follow_the_plan_and_an_even_spread_without_it(
    rig: Any, plant: Any, solver: Any, lab: Any
) -> None:
    loop, _ = rig
    solver.made = lambda ask: plan(ask, stored_wh=0.0, drive_w=10e3)
    await planned(loop, plant)
    assert writes(plant, "limit_w") == []  # their own rule, unless the site says that the plan times them
    (orders,) = loop.acting.sources
    site = replace(lab.site, guard=replace(lab.site.guard, plan_loads=True))
    orders.plant = replace(orders.plant, site=site)
    await cycles(loop, plant, 3)
    assert set(writes(plant, "limit_w")) == {("desalination-1", 10e3), ("electrolyser-1", 10e3)}
    loop.steering.planner._plan = None
    await cycles(loop, plant, 2)
    even = {("desalination-1", 10e3), ("electrolyser-1", 0.35 * 50e3)}
    assert set(writes(plant, "limit_w")[-1:]) <= even


def test_what_is_imported_for_a_load_is_spread_and_surplus_is_taken_at_once(clock: Any) -> None:
    made = plan_of(clock.now())
    steps = {name: np.zeros(192) for name in ("early", "late")}
    steps["early"][:4], steps["late"][4:8] = 20e3, 20e3
    imports = {**made.powers, "import_w": np.full(192, 50e3)}
    free = {**made.powers, "import_w": np.zeros(192)}
    spread = replace(made, drives=steps, powers=imports)
    assert drive_w(spread, "early", 0) == pytest.approx(20e3 * 4 / 48)
    assert drive_w(spread, "late", 0) == 0.0
    assert drive_w(replace(spread, powers=free), "early", 0) == 20e3
    assert drive_w(replace(spread, drives={"early": np.full(192, 20e3)}), "early", 44) == 20e3


async def test_it_curtails_only_where_the_export_limit_is_passed(rig: Any, plant: Any, lab: Any) -> None:
    loop, _ = rig
    limit_w = lab.site.grid.export_limit_w
    plant.powers |= {"pv": 600e3, "grid": -limit_w}
    await cycles(loop, plant, 5)
    assert writes(plant, "limit_pct") == []
    plant.powers["grid"] = -limit_w - 120e3
    await cycles(loop, plant, 1)
    assert writes(plant, "limit_pct") == [("inverter-1", 80.0), ("inverter-2", 80.0)]
    plant.powers |= {"pv": 480e3, "grid": -0.5 * limit_w}
    await cycles(loop, plant, 2)
    assert writes(plant, "limit_pct")[-2:] == [("inverter-1", 100.0), ("inverter-2", 100.0)]
    count = len(plant.writes)
    await cycles(loop, plant, 20)
    assert len(writes(plant, "limit_pct")) == 4, plant.writes[count:]


async def test_in_observe_and_without_the_sites_word_nothing_is_written(
    rig: Any, plant: Any, solver: Any
) -> None:
    loop, _ = rig
    loop.modes.change("observe", "ada", "test", plant.clock.now())
    solver.made = lambda ask: plan(ask, stored_wh=550e3)
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    await planned(loop, plant)
    assert plant.writes == []


@given(
    stored_wh=st.floats(0, 1e6),
    wanted_wh=st.floats(0, 1e6),
    surplus_w=st.floats(-2e6, 2e6),
    hours=st.floats(0, 0.25),
    kept=st.booleans(),
)
def test_a_bound_never_takes_below_the_plan_and_never_bothers_for_little(
    stored_wh: float, wanted_wh: float, surplus_w: float, hours: float, kept: bool
) -> None:
    stock, course = Stock(RATED_W, 0.95, stored_wh, surplus_w), Course(wanted_wh, 300e3, hours)
    most_w = discharge_most_w(stock, course, kept=kept)
    by_itself_w = min(RATED_W, max(0.0, -surplus_w))
    if most_w is None:
        return
    assert 0.0 <= most_w < by_itself_w - (0.0 if kept else APART * RATED_W)
    taken_wh = most_w / 0.95 * max(hours, 1 / 60)
    assert stored_wh - taken_wh >= min(stored_wh, wanted_wh) - 1.0


def test_a_lack_that_wavers_and_a_step_that_ends_do_not_make_a_bound_come_and_go() -> None:
    kept, seen = False, []
    for n in range(30):  # every 30 s of a quarter of an hour
        lack_w = 200e3 + (30e3 if n % 2 else -30e3)
        stock = Stock(RATED_W, 0.95, 514e3, -lack_w)
        most_w = discharge_most_w(stock, Course(500e3, 300e3, 0.25 - n / 120), kept=kept)
        kept = most_w is not None
        seen.append(kept)
    assert seen == [True] * 30


def test_charge_left_as_a_step_ends_is_not_spent_within_seconds() -> None:
    stock = Stock(RATED_W, 0.95, 510e3, -400e3)
    most_w = discharge_most_w(stock, Course(500e3, 300e3, 1 / 3600), kept=False)
    assert most_w == pytest.approx(95e3)
