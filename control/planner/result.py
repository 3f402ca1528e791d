"""An optimum read back: powers, prices and what binds, per 15-min step along the expected course."""

from functools import cached_property

import numpy as np

from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.cooling import CoolingTerm
from igoudar.control.planning.plan.events import EventLimits
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.outlook import COURSES, Outlook
from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.plan.segments import CapSegments
from igoudar.control.planning.policy import IMPORT, METERS, View, Why
from igoudar.control.planning.table import Floats, Integers

MW = 1e6
SEEN_W = 1e3  # less than this is rounding
_SIDES = [side for _, side in COURSES]
MIDDLE, LOW, HIGH = _SIDES.index(0.0), _SIDES.index(min(_SIDES)), _SIDES.index(max(_SIDES))


class Result:
    """The solved program in W and prices per MWh; arrays are per step."""

    def __init__(self, model: PlanModel, solved: Solved, look: Outlook, view: View) -> None:
        self._model, self._solved, self._look, self.view = model, solved, look, view
        self._lengths = np.diff(model.grid.edges)
        columns = model.columns
        self.flexible_w = self._power_w(columns.flexible)
        self.import_w = self._power_w(columns.imported) + self._power_w(columns.over_limit)
        self.over_limit_w = self._power_w(columns.over_limit)
        self.late_w = self._power_w(columns.late)
        self.export_w = self._power_w(columns.exported)
        self.curtailed_w = self._power_w(columns.curtailed)
        self.discharge_w = self._power_w(columns.discharge)
        self.charge_w = self._power_w(columns.charge)
        self.stored_wh = self._power_w(columns.stored)
        self.supply_w = self._steps(look.supply_w[MIDDLE])
        self.urgent_w = self._steps(look.urgent_w)
        self.pue = self._steps(look.pue)

    def _steps(self, by_slot: Floats) -> Floats:
        return np.repeat(by_slot, self._lengths)

    def _power_w(self, columns: Integers) -> Floats:
        return self._steps(np.maximum(0.0, self._solved.value[columns[MIDDLE]]) * MW)

    @cached_property
    def saved_w(self) -> Floats:
        """What caps take off flexible power."""
        terms = [term for term in self._model.terms if isinstance(term, CapSegments)]
        each = [self._steps(term.saved_w(self._solved, MIDDLE)) for term in terms]
        total: Floats = np.sum(each, axis=0) if each else np.zeros(len(self.flexible_w))
        return total

    @cached_property
    def warm_w(self) -> Floats | None:
        """What a warmer cooling supply saves of the overhead; None without that term."""
        found = [term for term in self._model.terms if isinstance(term, CoolingTerm)]
        return self._steps(found[0].relief_w(self._solved, MIDDLE)[0]) if found else None

    @property
    def uncapped_w(self) -> Floats:
        """What flexible jobs would draw without caps: the GPUs that they occupy, in power."""
        occupied: Floats = self.flexible_w + self.saved_w
        return occupied

    @cached_property
    def drives_w(self) -> Floats:
        """Desalination and electrolyser together."""
        together: Floats = self.drive_w[0] + self.drive_w[1]
        return together

    @cached_property
    def drive_w(self) -> tuple[Floats, Floats]:
        """Desalination, electrolyser."""
        done = self._solved.value[self._model.columns.drives[MIDDLE]] * MW
        each = np.maximum(0.0, np.diff(done, axis=1, prepend=0.0)) / self._model.grid.hours
        return self._steps(each[0]), self._steps(each[1])

    @cached_property
    def price(self) -> Floats:
        """What one more MWh in this step would cost."""
        per_mw = self._solved.price[self._model.rows.balance[MIDDLE]]
        return self._steps(per_mw / (self._weight() * self._model.grid.hours))

    def _weight(self) -> Floats:
        weight = np.full(len(self._model.grid), self._look.weight[MIDDLE])
        weight[0] = 1.0  # all courses share the first slot
        return weight

    @cached_property
    def peak_price(self) -> Floats:
        """What the billed peak costs in this step per MW; 0 where another step sets the peak."""
        dual = self._solved.price[self._model.rows.peak[MIDDLE]]
        return self._steps(np.abs(dual) / self._look.weight[MIDDLE])

    def powers(self, used_gpus: Floats, run_now_gpus: Floats) -> dict[str, Floats]:
        """Columns by the names of schema.PlanStep."""
        steps, look = len(self.flexible_w), self._look.supply_w
        overhead_w = (self.pue - 1.0) * (self.urgent_w + self.flexible_w)
        run_now_w = (self.urgent_w + run_now_gpus[:steps] * self.view.limits.gpu_w) * self.pue
        return {
            "urgent_w": self.urgent_w,
            "flexible_w": self.flexible_w,
            "cooling_w": overhead_w if self.warm_w is None else overhead_w - self.warm_w,
            "drives_w": self.drives_w,
            "battery_w": self.discharge_w - self.charge_w,
            "import_w": self.import_w,
            "export_w": self.export_w,
            "curtailed_w": self.curtailed_w,
            "run_now_w": run_now_w + self.drives_w,
            "supply_p10_w": self._steps(look[LOW]),
            "supply_p50_w": self.supply_w,
            "supply_p90_w": self._steps(look[HIGH]),
        }

    def gave_way(self) -> tuple[Why, ...]:
        """Constraints that were relaxed, and by how much."""
        found = []
        for name, over_w in (("import_limit", self.over_limit_w), ("cap", self.late_w)):
            if over_w.max(initial=0.0) > SEEN_W:
                params = {"power_w": float(over_w.max()), "energy_wh": float(over_w.sum() / 4.0)}
                found.append(Why(f"planner.gave_way_{name}", params))
        terms = self._model.terms
        return (*found, *(why for term in terms for why in term.gave_way(self._solved, MIDDLE)))

    def bindings(self) -> tuple[Binding, ...]:
        """What the terms beyond the plain plan bind, per step."""
        weight, terms = self._weight(), self._model.terms
        return tuple(
            Binding(one.code, one.name, self._steps(one.figure_w), self._steps(one.per_mwh))
            for term in terms
            for one in term.binds(self._solved, MIDDLE, weight)
        )

    def precharge_w(self) -> Floats:
        """Charge that is bought from the grid for an import limit that comes later in the plan."""
        limits = [
            term.limit_w[METERS.index(IMPORT)] for term in self._model.terms if isinstance(term, EventLimits)
        ]
        limited = np.isfinite(self._steps(limits[0])) if limits else np.zeros(len(self.charge_w), np.bool_)
        later = np.logical_or.accumulate(limited[::-1])[::-1]
        bought = later & ~limited & (self.import_w > SEEN_W)
        return np.where(bought, self.charge_w, 0.0)
