"""Cooling that gives way: a warmer supply inside its envelope, and a chilled-water tank as a second battery.

A warmer supply saves overhead in proportion to IT power, never below the least PUE. The tank is counted in
the electricity that makes its cold: cooling done before, when power is there, is cooling saved later.
"""

from typing import TYPE_CHECKING

import numpy as np

from igoudar.control.planning.plan import shared
from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE, Solved
from igoudar.control.planning.policy import Cooling, View, Why
from igoudar.control.planning.table import Floats, Integers

if TYPE_CHECKING:
    from igoudar.control.planning.plan.model import PlanModel

MW = 1e6
WARM_PER_MWH = 2.0  # saved: racks stand at their setpoint unless it is worth something; our assumption
WEAR_PER_MWH = 0.5  # of the tank, each way
LEFT_OVER = 0.9  # of the import price: what cold at the horizon is worth


class CoolingTerm:
    """Relief of the overhead: warmer supply + cold from the tank - cold into it [MW of electricity]."""

    def __init__(self, model: "PlanModel", cooling: Cooling) -> None:
        self._model, self._cooling = model, cooling
        self.warm, self.out, self.into, self.held = (model.shared() for _ in range(4))
        self._range, self._least, self._tank = (model.shared(row=True) for _ in range(3))
        self._told = np.ones(len(model.grid))
        for column, sign in ((self.warm, 1.0), (self.out, 1.0), (self.into, -1.0)):
            model.put(model.rows.balance, column, sign)
            model.relief.append((column, sign))
        self._envelope_entries()
        self._tank_entries()

    def _envelope_entries(self) -> None:
        """No warmer than the envelope, no less overhead than fans and pumps take."""
        model, flexible = self._model, self._model.columns.flexible
        model.put(self._range, self.warm, 1.0)
        model.put(self._range, flexible, -self._cooling.most_ratio)
        for column in (self.warm, self.out):
            model.put(self._least, column, 1.0)
        model.put(self._least, flexible, -1.0)  # times what of the overhead may go, which changes

    def _tank_entries(self) -> None:
        model, hours = self._model, self._model.grid.hours
        model.put(self._tank, self.held, 1.0)
        model.put_before(self._tank, self.held, -self._kept())
        model.put(self._tank, self.into, -hours)
        model.put(self._tank, self.out, hours)

    def _kept(self) -> Floats:
        """What of the tank's cold a slot leaves."""
        kept: Floats = (1.0 - self._cooling.loss_per_h) ** self._model.grid.hours
        return kept

    def feed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """The load beside jobs, the PUE, the tank as it stands."""
        model, solver, cooling = self._model, self._model.solver, self._cooling
        shared.sides(solver, self._range, -FREE, cooling.most_ratio * outlook.urgent_w / MW)
        room = np.maximum(0.0, outlook.pue - cooling.least_pue)
        shared.sides(solver, self._least, -FREE, room * outlook.urgent_w / MW)
        self._room(room)
        start = np.zeros(len(model.grid))
        start[0] = self._kept()[0] * view.tank_wh / MW
        shared.sides(solver, self._tank, start, start)
        for column in (self.out, self.into):
            shared.bound(solver, column, 0.0, cooling.tank_w / MW)
        shared.bound(solver, self.held, 0.0, cooling.tank_wh / MW)
        self._prices(view, outlook)

    def _room(self, room: Floats) -> None:
        """What of the overhead may go, per flexible power; told anew where it has changed."""
        slots = np.flatnonzero(np.abs(room - self._told) > 1e-4)
        for course in range(self._model.courses):
            columns = self._model.columns.flexible[course, slots]
            self._model.solver.put(self._least[course, slots], columns, -room[slots])
        self._told[slots] = room[slots]

    def _prices(self, view: View, outlook: Outlook) -> None:
        solver, weight = self._model.solver, self._model.weights(outlook)
        shared.price(solver, self.warm, weight * self._model.grid.hours * WARM_PER_MWH)
        for column in (self.out, self.into):
            shared.price(solver, column, weight * self._model.grid.hours * WEAR_PER_MWH)
        worth = outlook.weight * view.limits.price_per_mwh * LEFT_OVER
        solver.price_columns(self.held[:, -1], -worth)

    def relief_w(self, solved: Solved, course: int) -> tuple[Floats, Floats]:
        """Per slot, what a warmer supply saves and what the tank gives, negative while it fills [W]."""
        warm, out, into = (_w(solved, column[course]) for column in (self.warm, self.out, self.into))
        return warm, out - into

    def gave_way(self, solved: Solved, course: int) -> tuple[Why, ...]:
        """Nothing: the envelope is a bound of the columns' rows."""
        return ()

    def binds(self, solved: Solved, course: int, weight: Floats) -> tuple[Binding, ...]:
        """Where the supply is as warm as it may be."""
        price = np.abs(solved.price[self._range[course]]) / (weight * self._model.grid.hours)
        return (Binding("planner.step_warm", "power_w", self.relief_w(solved, course)[0], price),)


def _w(solved: Solved, columns: Integers) -> Floats:
    power: Floats = np.maximum(0.0, solved.value[columns]) * MW
    return power
