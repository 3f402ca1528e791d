"""Solves one question: forecast, linear program, and who starts when. Runs in the worker process."""

import time
from dataclasses import replace

import numpy as np

from igoudar.control.planner.ask import Ask, NoPlan, Plan, Teaching, floor_step
from igoudar.control.planner.reasons import job_reasons, step_reasons
from igoudar.control.planner.result import Result
from igoudar.control.planner.starts import starts
from igoudar.control.planning.forecast.forecaster import Forecaster, learned
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.plan.classes import Habit, corridors, with_arrivals
from igoudar.control.planning.plan.feed import Feeder, Tuning
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.outlook import COURSES, Outlook, outlook
from igoudar.control.planning.policy import STEP_S, Limits, View, Why
from igoudar.control.planning.table import Floats
from igoudar.control.planning.urgency import left_s, running

KIND = "model"
STEPS = 192
LIMIT_S = 3.0  # of the solver, wall
LEAST_STEPS = 96  # of readings from which a channel teaches itself
PRESENT_ONLY = ("arrivals",)  # told as a mean, not learned


class Planner:
    """Keeps what was learned and the program between questions."""

    def __init__(self, teaching: Teaching) -> None:
        self._teaching = teaching
        self._forecaster: Forecaster | None = None
        self._day = -1
        self._model: PlanModel | None = None
        self._limits: Limits | None = None

    def answer(self, ask: Ask) -> Plan | NoPlan:
        """The plan from now on, or why there is none."""
        began = time.perf_counter()
        view = self._with_forecast(ask)
        model, grid = self._built(view.limits)
        look = outlook(view, grid, COURSES)
        self._feed(model, view, look)
        solving = time.perf_counter()
        solved = model.solver.solve()
        if solved is None:
            spent_s = time.perf_counter() - solving
            code = "planner.timed_out" if spent_s >= LIMIT_S else "planner.infeasible"
            return NoPlan(Why(code, {"seconds": round(spent_s, 2)}))
        result = Result(model, solved, look, view)
        return _plan(ask, view, result, time.perf_counter() - began)

    def _with_forecast(self, ask: Ask) -> View:
        """Learned anew each day of the site, when yesterday has become history."""
        day = int(ask.view.now_s // 86_400) if ask.view.time else 0
        if self._forecaster is None or day != self._day:
            self._forecaster, self._day = learned(KIND, self._records(ask), ask.most), day
        seen = {name: _seen(record) for name, record in ask.seen.items()}
        issued = self._forecaster.issue(seen)
        arrivals = np.full(STEPS, ask.arrivals_gpu_s)
        notes = tuple(note for note in issued.notes if not note[0].startswith("control.forecast_arrivals"))
        return replace(ask.view, forecast=replace(issued, arrivals_gpu_s=arrivals, notes=notes))

    def _records(self, ask: Ask) -> dict[str, list[Record]]:
        return {
            name: [*self._teaching.get(name, ()), *([own] if _teaches(own) else [])]
            for name, own in ask.seen.items()
        }

    def _built(self, limits: Limits) -> tuple[PlanModel, Grid]:
        if self._model is None or limits != self._limits:
            self._model, self._limits = PlanModel(limits, Grid.of(), len(COURSES), LIMIT_S), limits
        return self._model, self._model.grid

    def _feed(self, model: PlanModel, view: View, look: Outlook) -> None:
        habit = Habit.of(view, int(model.grid.edges[-1]))
        work = with_arrivals(corridors(view, model.grid), look.arrivals_gpu_h, habit, model.grid)
        rows = view.active[running(view, view.active)]
        going = view.jobs.gpus[rows] * np.minimum(1.0, left_s(view, rows) / STEP_S)
        Feeder(model, Tuning()).feed(view, look, work, float(going.sum()) * view.limits.gpu_w)


def _teaches(record: Record) -> bool:
    return int(np.isfinite(record.steps).sum()) >= LEAST_STEPS


def _seen(record: Record) -> Seen:
    return Seen(record.steps, len(record.steps) - 1, record.start_hour, record.month)


def _plan(ask: Ask, view: View, result: Result, spent_s: float) -> Plan:
    gpus = result.uncapped_w / view.limits.gpu_w
    begin, used = starts(view, gpus)
    rows = {view.jobs.job_id[row]: step for row, step in begin.items()}
    powers = result.powers(used, _run_now_gpus(view))
    return Plan(
        version=f"{view.time:%Y%m%dT%H%M%S}",
        issued_at=view.time,
        start=floor_step(view.time),
        powers=powers,
        gpus=gpus,
        starts=rows,
        job_reasons=job_reasons(view, result, begin),
        step_reasons=step_reasons(view, result),
        gave_way=result.gave_way(),
        notes=(*ask.notes, *(Why(code, params) for code, params in _notes(view))),
        solve_s=spent_s,
        drives=dict(zip(("desalination", "electrolyser"), result.drive_w, strict=True)),
        stored_wh=result.stored_wh,
        saved_w=result.saved_w,
        warm_w=result.warm_w,
        precharge_w=result.precharge_w(),
    )


def _notes(view: View) -> tuple[tuple[str, dict[str, object]], ...]:
    return tuple((code, dict(params)) for code, params in view.forecast.notes) if view.forecast else ()


def _run_now_gpus(view: View) -> Floats:
    """GPUs in use if everything started as soon as it finds room, and new work came evenly."""
    room = np.full(STEPS, float(view.limits.gpus))
    _, used = starts(view, room, forced=False)
    coming = view.forecast.arrivals_gpu_s if view.forecast else np.zeros(STEPS)
    busy: Floats = np.minimum(room, used + coming / STEP_S)
    return busy
