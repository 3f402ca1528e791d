"""The rolling plan keeps the plant's rules whatever the day brings, and does what it is for."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.planning.kept import rows_of_a_day
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period
from tests.control.planning.views import view

from igoudar.control.planning.plan.feed import Feeder, Tuning
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.knowledge import Expected
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.program import Solver
from igoudar.control.planning.policy import Limits, Orders, Policy, View
from igoudar.control.planning.rolling import Rolling
from igoudar.control.planning.select import choose, surplus_gpus
from igoudar.lab.engine import Played, play
from igoudar.lab.foresight import Foresight
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period

HOURS = 0.25
SUPPLY = st.lists(st.integers(0, 120_000), min_size=24, max_size=24)


class Greedy:
    """Run on surplus."""

    name = "greedy"

    def decide(self, view: View) -> Orders:
        """As many as the surplus carries."""
        return Orders(choose(view, surplus_gpus(view)))


def _cost(played: Played, limits: Limits) -> float:
    """The bill of a period, with missing charge."""
    imported = played.site["import_w"]
    missing_wh = max(0.0, 0.5 * limits.battery_wh - played.site["soc_wh"][-1]) / limits.efficiency
    energy_mwh = (float(imported.sum()) * HOURS + missing_wh) / 1e6
    return limits.price_per_mwh * energy_mwh + limits.peak_price_per_mw * float(imported.max()) / 1e6


def _day(rows: list[tuple[int, int, int, int]], hourly_w: list[int]) -> Period:
    inside = [row for row in rows if row[1] + row[2] <= STEPS]
    return period(job_table(inside or [(1, 0, 1, 0)]), np.repeat(np.array(hourly_w, float), 4))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=rows_of_a_day, hourly_w=SUPPLY)
def test_every_policy_keeps_the_rules_and_none_beats_the_bound(
    rows: list[tuple[int, int, int, int]], hourly_w: list[int]
) -> None:
    day = _day(rows, hourly_w)
    best = bound(day, LIMITS)
    policies: list[Policy] = [
        Greedy(),
        Rolling(LIMITS),
        Rolling(LIMITS, name="reachable", knowledge=Foresight(day), grid=Grid.of(horizon_h=24.0)),
    ]
    for policy in policies:
        played = play(day, LIMITS, policy, knows(day))
        _keeps_the_rules(day, played)
        assert best.cost <= _cost(played, LIMITS) + 1e-6


def _keeps_the_rules(day: Period, played: Played) -> None:
    site, fleet = played.site, played.fleet
    assert fleet is not None
    load_w = site["urgent_w"] + site["flexible_w"] + site["cooling_w"]
    came_w = site["pv_w"] + site["wind_w"] - site["curtailed_w"] + site["import_w"] + site["battery_w"]
    assert came_w == pytest.approx(load_w + site["export_w"], abs=1e-3)
    assert (site["urgent_w"] + site["flexible_w"] <= LIMITS.it_cap_w + 1e-6).all()
    assert (site["soc_wh"] >= -1e-6).all()
    assert (site["soc_wh"] <= LIMITS.battery_wh + 1e-6).all()
    assert (np.abs(site["battery_w"]) <= LIMITS.battery_w + 1e-6).all()
    assert (fleet.first_start_s >= day.jobs.submitted_s).all()
    assert (fleet.done_s <= day.jobs.duration_s + 1e-6).all()
    most_w = np.array([0.0])
    for rows, power_w in zip(played.schedule_row, played.schedule_power_w, strict=True):
        most_w = day.jobs.gpus[rows] * LIMITS.gpu_w
        assert (power_w <= most_w + 1e-6).all()


def test_work_waits_for_the_wind_that_is_forecast() -> None:
    calm_then_wind = [20_000] * 8 + [100_000] * 16
    day = _day([(20, 0, 8, 60)], calm_then_wind)
    played = play(day, replace(LIMITS, battery_wh=0.0, battery_w=0.0), Rolling(_no_battery()), knows(day))
    assert played.fleet is not None
    assert played.fleet.first_start_s[0] >= 8 * 3600.0


def test_a_passing_cloud_does_not_flap() -> None:
    hourly = [90_000] * 6 + [30_000] + [90_000] * 17
    day = _day([(10, step, 24, 12) for step in range(0, 40, 8)], hourly)
    played = play(day, LIMITS, Rolling(LIMITS), knows(day))
    assert played.fleet is not None
    assert int(played.fleet.stops.sum()) == 0


def test_a_solver_that_gives_up_leaves_the_last_plan_then_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    day = _day([(10, 0, 8, 40)], [60_000] * 24)
    rolling, seen = Rolling(LIMITS), []
    solve = Solver.solve

    class Watched:
        name = "rolling"

        def decide(self, view: View) -> Orders:
            monkeypatch.setattr(Solver, "solve", solve if view.step == 0 else lambda _: None)
            orders = rolling.decide(view)
            seen.append([why.code for why in orders.step_reasons])
            return orders

    play(day, LIMITS, Watched(), knows(day))
    assert seen[1] == ["planner.last_plan"]
    assert seen[-1] == ["planner.last_plan", "planner.greedy"]


def test_a_plan_that_can_not_be_says_what_gave_way_and_by_how_much() -> None:
    limits = replace(LIMITS, import_limit_w=1000.0, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0)
    day = _day([(10, 0, 8, 0)], [0] * 24)
    found = []

    class Watched(Rolling):
        def decide(self, view: View) -> Orders:
            orders = super().decide(view)
            found.extend(orders.step_reasons)
            return orders

    play(day, limits, Watched(limits), knows(day))
    assert {why.code for why in found} == {"planner.gave_way_import_limit"}
    assert float(str(found[0].params["power_w"])) > 10_000


def _no_battery() -> Limits:
    return replace(LIMITS, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0)


def test_a_plan_does_before_what_the_choice_of_gangs_would_ask_for_later() -> None:
    """480 GPU steps due by step 16, the last four of them with wind: 80 GPUs fit, known jobs may claim 64."""
    day = period(job_table([(40, 0, 4, 12)] * 3), np.repeat([0.0, 100_000.0], [12, STEPS - 12]))
    scene = replace(view(day.jobs, urgent_w=20_000.0), forecast=knows(day)(0))
    grid, knowledge = Grid.of(), Expected()
    model = PlanModel(LIMITS, grid, knowledge.courses)
    look, work = knowledge.ahead(scene, grid)
    Feeder(model, Tuning()).feed(scene, look, work, 0.0)
    solved = model.solver.solve()
    assert solved is not None
    done_gpu_steps = solved.value[model.columns.work[0]].sum(axis=0) * 1e6 / LIMITS.gpu_w * 4.0
    assert done_gpu_steps[11] >= 480 - 4 * 64 - 1e-3
    assert solved.value[model.columns.late].max() < 1e-6
