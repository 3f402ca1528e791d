"""Reserve for wind that falls short: charge and power of the battery, and load that can wait, kept free."""

from typing import TYPE_CHECKING

import numpy as np

from igoudar.control.planning.plan import shared
from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE, Solved
from igoudar.control.planning.policy import View, Why
from igoudar.control.planning.table import Floats

if TYPE_CHECKING:
    from igoudar.control.planning.plan.model import PlanModel

MW = 1e6
AHEAD_H = 6.0  # further ahead the courses of supply carry the error
HOLD_H = 0.5  # a reserve lasts so long: two plans later others have stepped in; our assumption
SHORT_PER_MWH = 1000.0  # below the price of every limit, above that of import; our assumption
SEEN_MW = 1e-3


class Reserve:
    """Per slot: battery room + load that can wait + what is short >= what the wind may lack."""

    def __init__(self, model: "PlanModel") -> None:
        self._model = model
        self.battery, self.load, self.short = (model.shared() for _ in range(3))
        self.need = model.shared(row=True)
        self._power, self._energy, self._runs, self._waits = (model.shared(row=True) for _ in range(4))
        self.needed_w = np.zeros(len(model.grid))
        for column in (self.battery, self.load, self.short):
            model.put(self.need, column, 1.0)
        self._battery_entries()
        self._load_entries()

    def _battery_entries(self) -> None:
        """The battery can add what its power and its charge leave."""
        model, columns = self._model, self._model.columns
        for column, sign in ((self.battery, 1.0), (columns.discharge, 1.0), (columns.charge, -1.0)):
            model.put(self._power, column, sign)
        model.put(self._energy, self.battery, HOLD_H / model.limits.efficiency)
        model.put(self._energy, columns.stored, -1.0)

    def _load_entries(self) -> None:
        """Flexible load can be dropped as far as it runs, and as far as its work is ahead of what is due."""
        model, columns = self._model, self._model.columns
        model.put(self._runs, self.load, 1.0)
        model.put(self._runs, columns.flexible, -1.0)
        model.put(self._waits, self.load, HOLD_H)
        model.put(self._waits[:, None, :], columns.work, -1.0)

    def feed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """What may lack, what is due."""
        solver, limits = self._model.solver, view.limits
        self.needed_w = self._needed_w(view)
        shared.sides(solver, self.need, self.needed_w / MW, FREE)
        shared.sides(solver, self._power, -FREE, limits.battery_w / MW)
        shared.sides(solver, self._energy, -FREE, -limits.soc_min_wh / MW)
        shared.sides(solver, self._runs, -FREE, 0.0)
        shared.sides(solver, self._waits, -FREE, -work.latest.sum(axis=0) * limits.gpu_w / MW)
        shared.price(
            solver, self.short, self._model.weights(outlook) * self._model.grid.hours * SHORT_PER_MWH
        )

    def _needed_w(self, view: View) -> Floats:
        """The larger of what is always kept and the share of the wind forecast's P50 less P10."""
        grid, limits = self._model.grid, view.limits
        needed = np.full(len(grid), limits.reserve_w)
        if view.forecast is not None and limits.reserve_share:
            wind = view.forecast.wind
            needed = np.maximum(needed, limits.reserve_share * grid.mean(wind.p50_w - wind.p10_w))
        return np.where(grid.ends_h <= AHEAD_H, needed, 0.0)

    def gave_way(self, solved: Solved, course: int) -> tuple[Why, ...]:
        """What of the reserve is not kept."""
        short_mw = np.maximum(0.0, solved.value[self.short[course]])
        if short_mw.max() <= SEEN_MW:
            return ()
        hours = float(self._model.grid.hours[short_mw > SEEN_MW].sum())
        return (Why("planner.gave_way_reserve", {"power_w": float(short_mw.max()) * MW, "hours": hours}),)

    def binds(self, solved: Solved, course: int, weight: Floats) -> tuple[Binding, ...]:
        """Where keeping it costs something."""
        per_mwh = np.abs(solved.price[self.need[course]]) / (weight * self._model.grid.hours)
        return (Binding("planner.step_reserve", "power_w", self.needed_w, per_mwh),)
