"""The rolling plan as a policy: forecast, linear program, gangs; only the first step is carried out."""

import time
from dataclasses import dataclass, replace

import numpy as np

from igoudar.control.planning.extras import Extras
from igoudar.control.planning.plan.feed import Feeder, Tuning
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.knowledge import Expected, Knowledge
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.policy import Limits, Orders, View, Why
from igoudar.control.planning.select import choose, drawn_gpus, surplus_gpus
from igoudar.control.planning.table import Floats, Integers
from igoudar.control.planning.urgency import running

LIMIT_S = 3.0  # of the solver
SEEN_MW = 1e-3
STAYS_S = 30 * 86_400.0  # less slack than any job has; who must run still comes first


@dataclass(frozen=True, slots=True)
class Course:
    """What a plan does in its quarter-hours, from the step it was made in on."""

    step: int
    flexible_w: Floats  # with what would be curtailed: jobs may take it
    import_w: Floats
    extras: Extras


class Rolling:
    """Plans 48 h at every step; when that fails, the last plan goes on while it lasts, then greedy."""

    def __init__(
        self,
        limits: Limits,
        *,
        name: str = "rolling",
        tuning: Tuning | None = None,
        knowledge: Knowledge | None = None,
        grid: Grid | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.name, self._grid = name, grid or Grid.of()
        self._knowledge = knowledge or Expected()
        self._model = PlanModel(limits, self._grid, self._knowledge.courses, limit_s)
        self._feeder = Feeder(self._model, tuning or Tuning())
        self._last: Course | None = None

    def decide(self, view: View) -> Orders:
        """The first quarter-hour of a fresh plan, in whole gangs; none is made where it can add nothing."""
        if only_surplus_pays(view.limits) and not self._model.terms and within_import(view):
            return Orders(choose(view, surplus_gpus(view)), step_reasons=(Why("planner.greedy"),))
        began = time.perf_counter()
        self._feed(view)
        solved = self._model.solver.solve()
        reasons = self._gave_way(solved) if solved else self._failed(view)
        if solved:
            self._last = self._course(view, solved)
        course = self._last
        if course is None or view.step - course.step >= len(course.flexible_w):
            greedy = choose(view, surplus_gpus(view))
            return Orders(greedy, step_reasons=(*reasons, Why("planner.greedy")))
        index = view.step - course.step
        wanted_w = float(course.flexible_w[index])
        if only_surplus_pays(view.limits) and not view.ceilings:
            wanted_w = surplus_gpus(view) * view.limits.gpu_w
        wanted_w += float(course.extras.saved_w[index])
        followed = course.extras.carried(view, follow(view, wanted_w, float(course.import_w[index])), index)
        return replace(followed, step_reasons=reasons, solve_s=time.perf_counter() - began)

    def _feed(self, view: View) -> None:
        look, work = self._knowledge.ahead(view, self._grid)
        rows = view.active[running(view, view.active)]
        going_w = float(drawn_gpus(view, rows).sum()) * view.limits.gpu_w
        self._feeder.feed(view, look, work, going_w)

    def _course(self, view: View, solved: Solved) -> Course:
        fine = np.flatnonzero(np.diff(self._grid.edges) == 1)
        columns = self._model.columns
        imported = solved.value[columns.imported[0, fine]] + solved.value[columns.over_limit[0, fine]]
        flexible = solved.value[columns.flexible[0, fine]]
        spare = solved.value[columns.curtailed[0, fine]] / view.pue
        if view.limits.export_price_per_mwh == 0.0:
            spare = spare + solved.value[columns.exported[0, fine]] / view.pue
        extras = Extras.of(self._model, solved, fine)
        return Course(view.step, (flexible + spare) * 1e6, imported * 1e6, extras)

    def _gave_way(self, solved: Solved) -> tuple[Why, ...]:
        columns, found = self._model.columns, []
        for name, over in (("import_limit", columns.over_limit), ("cap", columns.late)):
            over_mw = solved.value[over[0]]
            if over_mw.max() > SEEN_MW:
                energy_wh = float(over_mw @ self._grid.hours) * 1e6
                params = {"power_w": float(over_mw.max()) * 1e6, "energy_wh": energy_wh}
                found.append(Why(f"planner.gave_way_{name}", params))
        return (*found, *(why for term in self._model.terms for why in term.gave_way(solved, 0)))

    def _failed(self, view: View) -> tuple[Why, ...]:
        age_steps = view.step - self._last.step if self._last else 0
        return (Why("planner.last_plan", {"age_steps": age_steps}),)


def only_surplus_pays(limits: Limits) -> bool:
    """Whether nothing but surplus makes an hour cheaper than another.

    Then the earliest surplus is the best one and waiting for it the best plan (greedy is the optimum but for
    the cap, which the choice of jobs looks after), and what a forecast adds is error.
    """
    return limits.peak_price_per_mw == 0.0 and limits.battery_w == 0.0


def within_import(view: View) -> bool:
    """Whether the import limit holds whatever runs, without any generation."""
    limits = view.limits
    drives_w = limits.desalination_w + limits.electrolyser_w
    return limits.it_cap_w * view.pue + drives_w <= limits.import_limit_w


def keep_on(view: View, wanted_gpus: float) -> Integers:
    """Rows to run under a plan: who runs goes on before others with slack start in its place.

    Changing places wins nothing that the plan counts, and costs each time the work since the last checkpoint.
    """
    return choose(view, wanted_gpus, hold_s=STAYS_S)


def follow(view: View, flexible_w: float, import_w: float) -> Orders:
    """Gangs close to a power, and the battery so that the import is as planned."""
    run = keep_on(view, flexible_w / view.limits.gpu_w)
    drawn_w = float(drawn_gpus(view, run).sum()) * view.limits.gpu_w
    drives_w = view.limits.desalination_w + view.limits.electrolyser_w
    net_w = (view.urgent_w + drawn_w) * view.pue + drives_w - view.pv_w - view.wind_w
    return Orders(run, battery_w=net_w - import_w if view.limits.battery_w else None)
