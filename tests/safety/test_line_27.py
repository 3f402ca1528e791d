"""Line 27: solver timeout or infeasibility: the last safe plan, then the fallback."""

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from igoudar.control.planner import solve
from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planner.solve import Planner
from igoudar.control.planner.worker import LostError
from igoudar.control.planning.plan.program import Program, Solver
from igoudar.control.planning.policy import Orders, View, Why
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import play
from tests.control import conftest as fixtures
from tests.control.planner import conftest as asks
from tests.control.planner.conftest import job
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period
from tests.control.test_plan_service import T0, asked, service

lab, site, ask_of = fixtures.lab, asks.site, asks.ask_of
Make = Callable[..., Ask]


@pytest.mark.parametrize(
    "failure",
    [
        NoPlan(Why("planner.infeasible", {"seconds": 0.1})),
        NoPlan(Why("planner.timed_out", {"seconds": 3.0})),
        TimeoutError(),
        LostError("killed"),
    ],
)
async def test_line_27_the_last_safe_plan_first_then_the_fallback(failure: NoPlan | Exception) -> None:
    planner, solver, _ = service()
    first = await asked(planner, T0)
    solver.next = failure
    kept = await asked(planner, T0 + timedelta(hours=1))
    assert (kept.source, kept.plan) == ("last_safe", first.plan)
    gone = await asked(planner, T0 + timedelta(hours=8))
    assert (gone.source, gone.plan) == ("greedy", None)


def test_line_27_a_solver_out_of_time_is_no_plan(ask_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve, "LIMIT_S", 0.0)
    answer = Planner({}).answer(ask_of(job("a")))
    assert isinstance(answer, NoPlan)
    assert answer.why.code == "planner.timed_out"


def test_line_27_an_infeasible_program_is_no_plan_at_once(ask_of: Make) -> None:
    planner = Planner({})
    assert isinstance(planner.answer(ask_of(job("a"))), Plan)
    program = Program()
    column = program.add_columns(1, low=2.0)
    program.put(program.add_rows(1, high=1.0), column, 1.0)
    assert planner._model is not None
    planner._model.solver = Solver(program)
    answer = planner.answer(ask_of(job("a")))
    assert isinstance(answer, NoPlan)


def test_line_27_jobs_keep_their_deadlines_when_no_plan_ever_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    day = period(job_table([(10, 0, 8, 40), (20, 16, 12, 8)]), np.zeros(STEPS))
    monkeypatch.setattr(Solver, "solve", lambda _: None)
    fleet = play(day, LIMITS, Rolling(LIMITS), knows(day)).fleet
    assert fleet is not None
    assert (fleet.finished_s <= day.jobs.deadline_s).all()


def test_line_27_the_last_plan_goes_on_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    day = period(job_table([(10, 0, 8, 40)]), np.full(STEPS, 60_000.0))
    rolling, solved, told = Rolling(LIMITS), Solver.solve, []

    class Watched:
        name = "rolling"

        def decide(self, view: View) -> Orders:
            monkeypatch.setattr(Solver, "solve", solved if view.step < 4 else lambda _: None)
            orders = rolling.decide(view)
            told.append([why.code for why in orders.step_reasons])
            return orders

    play(day, LIMITS, Watched(), knows(day))
    lasts = sum(reasons == ["planner.last_plan"] for reasons in told)
    assert 0 < lasts < STEPS - 4
    assert told[-1] == ["planner.last_plan", "planner.greedy"]
