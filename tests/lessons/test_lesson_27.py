"""Lesson 27: the reason for a schedule is easy to find, and no fallback is silent."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planner.solve import Planner
from igoudar.control.planning.plan.program import Solver
from igoudar.control.planning.policy import Orders, View, Why
from igoudar.control.planning.rolling import Rolling
from igoudar.core.i18n import LANGUAGES, codes
from igoudar.lab.engine import play
from tests.control import conftest as fixtures
from tests.control.planner import conftest as asks
from tests.control.planner.conftest import job
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period
from tests.control.test_plan_service import T0, asked, service

lab, site, ask_of = fixtures.lab, asks.site, asks.ask_of
Make = Callable[..., Ask]


def test_lesson_27_every_job_and_every_step_has_a_reason_in_words_and_numbers(ask_of: Make) -> None:
    names = [f"job-{n}" for n in range(12)]
    plan = Planner({}).answer(ask_of(*(job(name, gpus=16, due_h=8 + n) for n, name in enumerate(names))))
    assert isinstance(plan, Plan)
    assert set(plan.job_reasons) == set(names)
    told = [*plan.job_reasons.values(), *(why for reasons in plan.step_reasons for why in reasons)]
    assert all(reasons for reasons in plan.step_reasons)
    assert all(isinstance(why.params["hour_cost"], float) for why in plan.job_reasons.values())
    for lang in LANGUAGES:
        assert {why.code for why in told} <= set(codes(lang))


@pytest.mark.parametrize("code", ["planner.infeasible", "planner.timed_out"])
async def test_lesson_27_whatever_plan_is_in_force_says_which_and_why(code: str) -> None:
    planner, solver, _ = service()
    await asked(planner, T0)
    solver.next = NoPlan(Why(code, {"seconds": 3.0}))
    for hours in range(1, 10):
        found = await asked(planner, T0 + timedelta(hours=hours))
        assert found.source in ("last_safe", "greedy")
        assert found.why.code == code


def test_lesson_27_a_study_tells_each_step_that_had_no_plan_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = period(job_table([(10, 0, 8, 40)]), np.full(STEPS, 60_000.0))
    rolling, told = Rolling(LIMITS), []

    class Watched:
        name = "rolling"

        def decide(self, view: View) -> Orders:
            orders = rolling.decide(view)
            told.append([why.code for why in orders.step_reasons])
            return orders

    monkeypatch.setattr(Solver, "solve", lambda _: None)
    play(day, LIMITS, Watched(), knows(day))
    assert all(codes_ == ["planner.last_plan", "planner.greedy"] for codes_ in told)
