from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np

from igoudar.control.plan_service import InForce, PlanService
from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planner.worker import LostError
from igoudar.control.planning.policy import Why
from igoudar.core.i18n import LANGUAGES, codes

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASK = cast("Ask", None)  # handed through, never read here
POWERS = (
    *("urgent_w", "flexible_w", "cooling_w", "drives_w", "battery_w", "import_w", "export_w", "curtailed_w"),
    *("run_now_w", "supply_p10_w", "supply_p50_w", "supply_p90_w"),
)


def plan_of(at: datetime, **more: Any) -> Plan:
    """A plan of one kilowatt everywhere."""
    columns = {name: np.full(192, 1e3) for name in POWERS}
    start = at - timedelta(seconds=at.timestamp() % 900)
    empty = Plan("v1", at, start, columns, np.full(192, 8.0), {}, {}, ((),) * 192, (), (), 0.2)
    return replace(empty, **more)


class Solver:
    """Gives what the test puts there, or raises it."""

    def __init__(self) -> None:
        self.next: Plan | NoPlan | Exception = plan_of(T0)
        self.limits: list[float] = []
        self.closed = False

    async def answer(self, ask: Ask, limit_s: float) -> Plan | NoPlan:
        self.limits.append(limit_s)
        if isinstance(self.next, Exception):
            raise self.next
        return self.next

    def close(self) -> None:
        self.closed = True


def service(speed: float = 60.0) -> tuple[PlanService, Solver, list[float]]:
    solver, wall = Solver(), [100.0]
    return PlanService(solver, speed, lambda: wall[0]), solver, wall


async def asked(planner: PlanService, now: datetime) -> InForce:
    planner.ask(ASK, now)
    await planner.settled()
    return planner.in_force(now)


async def test_before_the_first_plan_the_greedy_rules_hold_and_say_so() -> None:
    planner, _, _ = service()
    assert planner.in_force(T0) == InForce("greedy", Why("planner.starting"))


async def test_it_asks_every_ten_minutes_of_the_site_and_never_twice_in_two_seconds() -> None:
    planner, _, wall = service()
    assert planner.due(T0)
    await asked(planner, T0)
    wall[0] += 60
    assert not planner.due(T0 + timedelta(minutes=9))
    assert planner.due(T0 + timedelta(minutes=10))
    fast, _, wall = service(1440.0)
    await asked(fast, T0)
    wall[0] += 1.9
    assert not fast.due(T0 + timedelta(hours=2))
    wall[0] += 0.2
    assert fast.due(T0 + timedelta(hours=2))


async def test_a_failure_keeps_the_last_safe_plan_then_the_greedy_rules() -> None:
    planner, solver, _ = service()
    first = await asked(planner, T0)
    assert (first.source, first.plan) == ("optimal", solver.next)
    solver.next = NoPlan(Why("planner.infeasible", {"seconds": 0.1}))
    kept = await asked(planner, T0 + timedelta(hours=1))
    assert (kept.source, kept.why.code, kept.plan) == ("last_safe", "planner.infeasible", first.plan)
    gone = planner.in_force(T0 + timedelta(hours=8))
    assert (gone.source, gone.why.code, gone.plan) == ("greedy", "planner.infeasible", None)


async def test_every_way_to_fail_is_told_in_both_languages() -> None:
    for error, code in (
        (TimeoutError(), "planner.timed_out"),
        (LostError("killed"), "planner.lost"),
        (ValueError("odd"), "planner.fault"),
    ):
        planner, solver, _ = service()
        solver.next = error
        found = await asked(planner, T0)
        assert (found.source, found.why.code) == ("greedy", code)
        assert all(code in codes(lang) for lang in LANGUAGES)


async def test_a_plan_that_nobody_renews_is_the_last_safe_one_then_too_old() -> None:
    planner, _, _ = service()
    await asked(planner, T0)
    assert planner.in_force(T0 + timedelta(minutes=29)).source == "optimal"
    late = planner.in_force(T0 + timedelta(minutes=31))
    assert (late.source, late.why.code) == ("last_safe", "planner.late")
    assert planner.in_force(T0 + timedelta(hours=7)).why.code == "planner.too_old"


async def test_the_first_answer_gets_time_to_learn_the_others_less_and_closing_ends_the_worker() -> None:
    planner, solver, _ = service()
    await asked(planner, T0)
    await asked(planner, T0)
    assert solver.limits == [60.0, 15.0]
    await planner.close()
    assert solver.closed
