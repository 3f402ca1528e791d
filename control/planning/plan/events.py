"""Limits in time: an announced event binds import or facility load in its slots, at a named, priced slack."""

from typing import TYPE_CHECKING

import numpy as np

from igoudar.control.planning.plan import shared
from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE, Solved
from igoudar.control.planning.policy import FACILITY, IMPORT, METERS, STEP_S, View, Why
from igoudar.control.planning.table import Floats, Integers

if TYPE_CHECKING:
    from igoudar.control.planning.plan.model import PlanModel

MW, HOUR_S = 1e6, 3600.0
BREACH_PER_MWH = 4000.0  # above the import limit's price, below a missed deadline's; our assumption
LATER_PER_H = 0.001
SEEN_MW = 1e-3
ROUND_S = 1.0
TIED_H = 6.0  # before a limit begins; further ahead there is time to change one's mind
PUE_APART = 1e-3  # a change of less is not told to the solver


class EventLimits:
    """One row per meter and slot; without a limit in force it is free."""

    def __init__(self, model: "PlanModel") -> None:
        self._model = model
        self.rows = model.shared(len(METERS), row=True)
        self.over = model.shared(len(METERS))  # the slack: load above the limit [MW]
        self.limit_w = np.full((len(METERS), len(model.grid)), np.inf)
        self._pue = np.ones(len(model.grid))
        imported = self.rows[:, METERS.index(IMPORT)]
        model.put(imported, model.columns.imported, 1.0)
        model.put(imported, model.columns.over_limit, 1.0)
        model.put(self.rows[:, METERS.index(FACILITY)], model.columns.flexible, 1.0)  # times the PUE
        model.put(self.rows, self.over, -1.0)
        self._tied = model.shared(row=True)
        model.put_later(self._tied[1:], model.columns.charge[1:], 1.0)
        model.put_later(self._tied[1:], model.columns.charge[:1], -1.0)
        for column, sign in model.relief:
            model.put(self.rows[:, METERS.index(FACILITY)], column, -sign)

    def feed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """What is announced by now."""
        model, solver = self._model, self._model.solver
        self.limit_w = np.stack([slot_limits(view, model.grid, meter) for meter in METERS])
        beside_w = np.stack([np.zeros(len(model.grid)), outlook.urgent_w * outlook.pue])
        shared.sides(solver, self.rows, -FREE, (self.limit_w - beside_w) / MW)
        shared.price(solver, self.over, self._breach(outlook))
        self._overhead(outlook)
        self._together()

    def _together(self) -> None:
        """Until a limit on import begins, the courses charge alike.

        They know no more in the next slot than now; left apart, each puts off what its own supply may spare
        it, and the charge is bought in the last quarter-hour at whatever peak that makes.
        """
        limited = np.flatnonzero(np.isfinite(self.limit_w[METERS.index(IMPORT)]))
        ends_h = self._model.grid.ends_h
        slots = np.arange(len(ends_h))
        within = (slots < limited[0]) & (ends_h <= TIED_H) if len(limited) else slots < 0
        within = within & (np.arange(self._model.courses) > 0)[:, None]
        shared.sides(
            self._model.solver, self._tied, np.where(within, 0.0, -FREE), np.where(within, 0.0, FREE)
        )

    def _breach(self, outlook: Outlook) -> Floats:
        """Costs (course, 1, slot) of passing a limit: a little less later, since it may still be averted."""
        grid, weight = self._model.grid, self._model.weights(outlook)
        sooner = 1.0 - LATER_PER_H * (grid.ends_h - grid.hours / 2)
        cost: Floats = (weight * grid.hours * sooner * BREACH_PER_MWH)[:, None, :]
        return cost

    def _overhead(self, outlook: Outlook) -> None:
        """Jobs load the facility with their share of the overhead."""
        slots = np.flatnonzero(np.abs(outlook.pue - self._pue) > PUE_APART)
        rows = self.rows[:, METERS.index(FACILITY)]
        for course in range(self._model.courses):
            columns = self._model.columns.flexible[course, slots]
            self._model.solver.put(rows[course, slots], columns, outlook.pue[slots])
        self._pue[slots] = outlook.pue[slots]

    def gave_way(self, solved: Solved, course: int) -> tuple[Why, ...]:
        """Each meter whose limit the plan does not keep, with the most and the energy above it."""
        hours, found = self._model.grid.hours, []
        for meter, columns in zip(METERS, self.over[course], strict=True):
            over_mw = np.maximum(0.0, solved.value[columns])
            if over_mw.max() > SEEN_MW:
                params = {"power_w": float(over_mw.max()) * MW, "energy_wh": float(over_mw @ hours) * MW}
                found.append(Why(f"planner.gave_way_limit_{meter}", params))
        return tuple(found)

    def binds(self, solved: Solved, course: int, weight: Floats) -> tuple[Binding, ...]:
        """The limit on each meter."""
        rows: Integers = self.rows[course]
        per_mwh = np.abs(solved.price[rows]) / (weight * self._model.grid.hours)
        codes = [f"planner.step_limit_{meter}" for meter in METERS]
        return tuple(Binding(code, "limit_w", self.limit_w[at], per_mwh[at]) for at, code in enumerate(codes))


def slot_limits(view: View, grid: Grid, meter: str) -> Floats:
    """The strictest limit of each slot [W], inf where none is.

    A slot that a limit touches counts as wholly under it: what prepares for it is done in time and lasts.
    Slots count from the clock's quarter-hour that `now_s` is in, as forecasts and the steps of a plan do.
    """
    ends_s = view.now_s - view.now_s % STEP_S + grid.ends_h * HOUR_S
    found = np.full(len(grid), np.inf)
    for one in view.ceilings:
        touched = (one.start_s < ends_s - ROUND_S) & (one.end_s > ends_s - grid.hours * HOUR_S + ROUND_S)
        if one.meter == meter:
            found = np.where(touched, np.minimum(found, one.limit_w), found)
    return found
