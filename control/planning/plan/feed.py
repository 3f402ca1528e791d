"""What changes in the program from step to step: bounds, sides and costs, from a view and an outlook."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.plan import shared
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE
from igoudar.control.planning.policy import View
from igoudar.control.planning.table import Floats, Integers

MW = 1e6
DAY_H = 24.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """Prices that steer the plan but are not in the bill, and how the future is discounted; tuned in lab."""

    later_per_h: float = 0.002  # imports this much cheaper per hour ahead: do not hurry to burn imports
    leftover: float = 0.9  # of the import price: what undone work at the horizon will cost
    stored: float = 1.0  # of the import price: what charge at the horizon is worth
    wear_per_mwh: float = 0.5
    stop_per_mw: float = 10.0  # ten minutes of work
    expected_peak: float = 0.25  # of the IT cap: an import that a calm brings anyway; tuned
    expected_share: float = 0.3  # of the peak's price counts up to there
    curtail_per_mwh: float = 3.0  # now, falling to nothing at the horizon: do run early what runs on surplus
    late_per_mwh: float = 5000.0
    over_limit_per_mwh: float = 2000.0
    ramp_per_mw: float = 500.0


class Feeder:
    """Puts a step's figures into the program."""

    def __init__(self, model: PlanModel, tuning: Tuning) -> None:
        self.model, self.tuning = model, tuning
        self._pue = np.full(len(model.grid), np.nan)
        self._put_costs_of_limits()

    def feed(self, view: View, outlook: Outlook, work: Corridor, running_w: float) -> None:
        """Everything that this step knows anew."""
        self._work(view, work)
        self._needed(view, outlook, work)
        self._drives(view)
        self._sources(view, outlook)
        self._overhead(outlook)
        self._battery(view)
        self._peak(view, outlook)
        self._prices(view, outlook, running_w)
        self._values(view, outlook, due=self._end(view))
        for term in self.model.terms:
            term.feed(view, outlook, work)

    def _bound(self, columns: Integers, low: Floats | float, high: Floats | float) -> None:
        """Bounds for all courses; shared columns once."""
        shared.bound(self.model.solver, columns, low, high)

    def _sides(self, rows: Integers, low: Floats | float, high: Floats | float) -> None:
        shared.sides(self.model.solver, rows, low, high)

    def _cost(self, columns: Integers, cost: Floats | float) -> None:
        shared.price(self.model.solver, columns, cost)

    def _work(self, view: View, work: Corridor) -> None:
        model, unit = self.model, view.limits.gpu_w / MW
        self._bound(model.columns.work, work.latest * unit, np.maximum(work.earliest, work.latest) * unit)
        self._sides(model.rows.rate, 0.0, work.rate * unit * model.grid.hours)

    def _needed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """What the choice of gangs will ask for, as far as work run from now on finds room under the cap."""
        model, unit = self.model, view.limits.gpu_w / MW
        room = np.cumsum(_cap_w(view, outlook) / MW * model.grid.hours)
        ahead = np.minimum.accumulate(np.minimum(work.earliest.sum(axis=0) * unit - room, 0.0))
        self._sides(model.rows.needed, np.minimum(work.needed * unit, room + ahead), FREE)

    def _drives(self, view: View) -> None:
        """Daily quantities as corridors: owed by each midnight, not drawn before the day begins."""
        model, limits = self.model, view.limits
        ends = model.grid.ends_h
        clock = view.now_s / 3600.0 % DAY_H + ends
        day, of_day = np.floor(clock / DAY_H - 1e-9), clock - DAY_H * np.floor(clock / DAY_H - 1e-9)
        low, high, rate = np.zeros((3, 2, len(ends)))
        for index, (rated_w, daily_wh, done_wh) in enumerate(
            (
                (limits.desalination_w, limits.desalination_daily_wh, view.desalinated_wh),
                (limits.electrolyser_w, limits.electrolyser_daily_wh, view.electrolysed_wh),
            )
        ):
            need = np.maximum(0.0, daily_wh - rated_w * (DAY_H - of_day))
            low[index] = np.maximum(0.0, day * daily_wh + need - done_wh) / MW
            high[index] = np.maximum(low[index], ((day + 1) * daily_wh - done_wh) / MW)
            rate[index] = rated_w / MW * model.grid.hours
        self._bound(model.columns.drives, low, high)
        self._sides(model.rows.drive_rate, 0.0, rate)

    def _sources(self, view: View, outlook: Outlook) -> None:
        model, limits = self.model, view.limits
        net = (outlook.urgent_w * outlook.pue - outlook.supply_w) / MW
        self._sides(model.rows.balance, net, net)
        self._sides(model.rows.flexible, 0.0, 0.0)
        self._bound(model.columns.flexible, 0.0, _cap_w(view, outlook) / MW)
        self._bound(model.columns.imported, 0.0, limits.import_limit_w / MW)

    def _overhead(self, outlook: Outlook) -> None:
        """Jobs load the site with their share of the overhead; told anew only where the PUE has changed."""
        model = self.model
        slots = np.flatnonzero(~(np.abs(outlook.pue - self._pue) <= 1e-3))
        for course in range(model.courses):
            rows, columns = model.rows.balance[course, slots], model.columns.flexible[course, slots]
            model.solver.put(rows, columns, -outlook.pue[slots])
        self._pue[slots] = outlook.pue[slots]

    def _battery(self, view: View) -> None:
        model, limits = self.model, view.limits
        start = np.zeros(len(model.grid))
        start[0] = view.soc_wh / MW
        self._sides(model.rows.stored, start, start)
        self._bound(
            model.columns.stored,
            np.where(np.arange(len(start)) == 0, 0.0, limits.soc_min_wh / MW),
            limits.soc_max_wh / MW,
        )

    def _end(self, view: View) -> bool:
        """Beyond the period's end no peak is billed; whether it is in sight and asks for charge."""
        model, limits, hours = self.model, view.limits, self.model.grid.hours
        left_h = (view.period_end_s - view.now_s) / 3600.0
        inside = np.clip(left_h - model.grid.ends_h + hours, 0.0, hours) / hours
        peaks = model.rows.peak
        high = np.broadcast_to(np.where(inside > 0.0, 0.0, FREE), peaks.shape).ravel().copy()
        model.solver.bound_rows(peaks.ravel(), np.full(peaks.size, -FREE), high)
        power = limits.battery_w / MW * (inside if limits.charge_due_wh else np.ones(len(hours)))
        self._bound(model.columns.charge, 0.0, power)
        self._bound(model.columns.discharge, 0.0, power)
        due = limits.charge_due_wh > 0.0 and inside[-1] < 1.0
        low = np.full(len(model.rows.end), limits.charge_due_wh / MW if due else -FREE)
        model.solver.bound_rows(model.rows.end, low, np.full(len(low), FREE))
        return due

    def _peak(self, view: View, outlook: Outlook) -> None:
        model, tuning = self.model, self.tuning
        price, weight = view.limits.peak_price_per_mw, outlook.weight
        so_far = view.peak_import_w / MW
        expected = max(0.0, tuning.expected_peak * view.limits.it_cap_w / MW - so_far)
        high = np.broadcast_to(np.array([so_far, expected, FREE]), model.columns.peak.shape)
        cost = weight[:, None] * price * np.array([0.0, tuning.expected_share, 1.0])
        flat = model.columns.peak.ravel()
        model.solver.bound_columns(flat, np.zeros(len(flat)), high.ravel().copy())
        model.solver.price_columns(flat, cost.ravel())

    def _prices(self, view: View, outlook: Outlook, running_w: float) -> None:
        model, tuning, limits = self.model, self.tuning, view.limits
        hours = model.grid.hours
        middle = model.grid.ends_h - hours / 2
        price = limits.price_per_mwh
        weight = outlook.weight[:, None] * np.ones(len(hours))
        weight[:, 0] = 1.0  # the shared slot
        discounted = price * (1.0 - tuning.later_per_h * middle)
        columns = model.columns
        self._cost(columns.imported, weight * hours * discounted)
        self._cost(columns.discharge, weight * hours * tuning.wear_per_mwh)
        sooner = 1.0 - middle / model.grid.ends_h[-1]
        unused = sooner * tuning.curtail_per_mwh  # exported surplus is as unused as curtailed
        self._cost(columns.curtailed, weight * hours * unused)
        self._cost(columns.exported, weight * hours * (unused - limits.export_price_per_mwh))
        self._cost(columns.down, weight * tuning.stop_per_mw)
        low = np.full(len(hours), 0.0)
        low[0] = running_w / MW
        self._sides(model.rows.down, low, FREE)

    def _values(self, view: View, outlook: Outlook, *, due: bool) -> None:
        """What work left undone and charge left over are worth at the horizon, or at the period's end."""
        model, tuning, limits = self.model, self.tuning, view.limits
        worth = outlook.weight * limits.price_per_mwh
        work = model.columns.work[:, :, -1]
        model.solver.price_columns(work.ravel(), np.repeat(-worth * tuning.leftover, work.shape[1]))
        model.solver.price_columns(model.columns.stored[:, -1], worth * (0.0 if due else -tuning.stored))
        model.solver.price_columns(model.columns.missing, worth / limits.efficiency)

    def _put_costs_of_limits(self) -> None:
        columns, hours = self.model.columns, self.model.grid.hours
        self._cost(columns.late, np.broadcast_to(hours * self.tuning.late_per_mwh, columns.late.shape))
        self._cost(
            columns.over_limit, np.broadcast_to(hours * self.tuning.over_limit_per_mwh, columns.late.shape)
        )
        self._cost(columns.ramp, self.tuning.ramp_per_mw)
        ramp = self.model.limits.ramp_w / MW
        self._sides(self.model.rows.ramp_up, -FREE, ramp)
        self._sides(self.model.rows.ramp_down, -FREE, ramp)


def _cap_w(view: View, outlook: Outlook) -> Floats:
    """IT power that the cap and the GPUs leave to jobs."""
    limits = view.limits
    cap_w = np.minimum(limits.it_cap_w - outlook.urgent_w, limits.gpus * limits.gpu_w)
    return np.asarray(np.maximum(0.0, cap_w), np.float64)
