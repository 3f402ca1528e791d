"""The lower bound: the cheapest a period could have been, all known beforehand and jobs taken as fluid.

A linear relaxation. Jobs may be split and stopped at no cost, run at any rate up to their GPUs, and are
billed by their true work; so no policy that keeps the same deadlines can be cheaper.
"""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.plan.program import Program, Solver
from igoudar.control.planning.policy import STEP_S, Limits
from igoudar.control.planning.table import Floats, Integers, JobTable
from igoudar.core.errors import ConfigError
from igoudar.lab.periods import FIRST_CHARGE, Period
from igoudar.lab.power import HOURS
from igoudar.lab.relaxed import add_caps, add_cooling, add_limits

MW = 1e6
TIGHTNESS = (0.0, 0.25, 0.5, 0.7, 0.85, 0.95)  # lower ends of the classes of work per window
WEAR_PER_MWH = 1e-4  # among plans of one cost the one that moves least charge; too little to show in a bill
OVER_CAP_PER_MWH = 1e4  # more than any bill: the cap gives way only where no schedule keeps the deadlines


@dataclass(frozen=True, slots=True)
class Groups:
    """Jobs that may run in the same steps, taken together: relaxed, since one job's GPUs may help another."""

    first: Integers
    end: Integers  # the step after the last one
    rate_mw: Floats
    work_mw_steps: Floats

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound's cost and the profile that reaches it (per step)."""

    cost: float
    flexible_w: Floats
    battery_w: Floats  # positive = discharge
    import_w: Floats
    export_w: Floats
    curtailed_w: Floats
    desalination_w: Floats
    electrolyser_w: Floats
    over_cap_w: Floats  # of the IT cap, which gave way where the deadlines ask for more
    missing_wh: float  # charge that the end lacks against the start
    relief_w: Floats | float = 0.0  # of the overhead, by a warmer supply and the tank
    over_limit_wh: float = 0.0  # above announced limits, which give way like the cap


def grouped(jobs: JobTable, limits: Limits, steps: int) -> Groups:
    """Jobs by first step, last step and tightness; who can't keep its deadline may run until the end."""
    first = np.ceil(jobs.submitted_s / STEP_S).astype(np.int64)
    keepable = first * STEP_S + jobs.duration_s <= jobs.deadline_s
    end = np.where(keepable, np.ceil(np.minimum(jobs.deadline_s, steps * STEP_S) / STEP_S), steps)
    end = end.astype(np.int64)
    steps_each = jobs.duration_s / STEP_S
    share = steps_each / np.maximum(1, end - first)
    tightness = np.searchsorted(TIGHTNESS, share, side="right")
    _, member = np.unique(np.stack([first, end, tightness]), axis=1, return_inverse=True)
    gpu_mw = limits.gpu_w / MW
    firsts, ends = np.zeros(member.max() + 1, np.int64), np.zeros(member.max() + 1, np.int64)
    firsts[member], ends[member] = first, end
    power_mw = jobs.gpus.astype(np.float64) * gpu_mw
    rate, work = (
        np.asarray(np.bincount(member, each), np.float64) for each in (power_mw, power_mw * steps_each)
    )
    return Groups(firsts, ends, rate, work)


def bound(period: Period, limits: Limits) -> Bound:
    """The cheapest profile of a period; where deadlines ask for more than the IT cap, it gives way.

    Raises:
        ConfigError: the solver gave up.
    """
    relaxed = Relaxed(period, limits)
    solved = Solver(relaxed.program, method="ipm").solve()
    if solved is None:
        what = "the solver found no lower bound"
        raise ConfigError(what, where=f"period {period.index}", fix="check prices and ratings for extremes")
    value = np.maximum(0.0, solved.value) * MW
    return Bound(
        cost=relaxed.bill(solved.value),
        flexible_w=value[relaxed.flexible],
        battery_w=value[relaxed.discharge] - value[relaxed.charge],
        import_w=value[relaxed.imported],
        export_w=value[relaxed.exported],
        curtailed_w=value[relaxed.curtailed],
        desalination_w=value[relaxed.drives[0]],
        electrolyser_w=value[relaxed.drives[1]],
        over_cap_w=value[relaxed.over_cap],
        missing_wh=float(value[relaxed.missing[0]]),
        relief_w=sum((sign * value[columns] for columns, sign in relaxed.relief), np.zeros(period.steps)),
        over_limit_wh=float(value[relaxed.over_limit].sum()) * HOURS,
    )


class Relaxed:
    """The program, in MW and MWh, and where its columns are."""

    def __init__(self, period: Period, limits: Limits) -> None:
        self.program, self.period, self.limits = Program(), period, limits
        self.steps = period.steps
        self._sources()
        self._drives()
        self._jobs(grouped(period.jobs, limits, period.steps))
        self._battery()
        self._balance()
        self.relief = add_cooling(self)
        self.over_limit = add_limits(self, self.relief)

    def bill(self, value: Floats) -> float:
        """What a solution costs, without the prices that only steer it."""
        cost = np.concatenate(self.program.cost)
        cost[self.charge] = cost[self.discharge] = cost[self.over_cap] = cost[self.over_limit] = 0.0
        return float(cost @ value)

    def _sources(self) -> None:
        add, limits, steps = self.program.add_columns, self.limits, self.steps
        self.imported = add(steps, cost=limits.price_per_mwh * HOURS)
        self.exported = add(steps, high=limits.export_limit_w / MW, cost=-limits.export_price_per_mwh * HOURS)
        self.curtailed = add(steps, high=(self.period.pv_w + self.period.wind_w) / MW)
        peak = add(1, cost=limits.peak_price_per_mw)
        rows = self.program.add_rows(steps, high=0.0)
        self.program.put(rows, self.imported, 1.0)
        self.program.put(rows, peak, -1.0)

    def _drives(self) -> None:
        """Desalination and electrolyser: a quantity for each day."""
        limits, self.drives = self.limits, []
        for rated_w, daily_wh in (
            (limits.desalination_w, limits.desalination_daily_wh),
            (limits.electrolyser_w, limits.electrolyser_daily_wh),
        ):
            columns = self.program.add_columns(self.steps, high=rated_w / MW)
            day = (np.arange(self.steps) * STEP_S // 86_400.0).astype(np.int64)
            owed = np.minimum(daily_wh, rated_w * 24.0) / MW / HOURS
            whole = np.bincount(day) * STEP_S / 86_400.0
            rows = self.program.add_rows(int(day[-1]) + 1, low=owed * np.floor(whole))
            self.program.put(rows[day], columns, 1.0)
            self.drives.append(columns)

    def _jobs(self, groups: Groups) -> None:
        cap_w = np.minimum(self.limits.it_cap_w - self.period.urgent_w, self.limits.gpus * self.limits.gpu_w)
        self.flexible = self.program.add_columns(self.steps)
        self.over_cap = self.program.add_columns(self.steps, cost=OVER_CAP_PER_MWH * HOURS)
        capped = self.program.add_rows(self.steps, high=np.maximum(0.0, cap_w) / MW)
        self.program.put(capped, self.flexible, 1.0)
        self.program.put(capped, self.over_cap, -1.0)
        lengths = groups.end - groups.first
        owner = np.repeat(np.arange(len(groups)), lengths)
        step = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + groups.first[owner]
        run = self.program.add_columns(len(owner), high=groups.rate_mw[owner])
        work = self.program.add_rows(len(groups), groups.work_mw_steps, groups.work_mw_steps)
        self.program.put(work[owner], run, 1.0)
        total = self.program.add_rows(self.steps, 0.0, 0.0)
        self.program.put(total[step], run, 1.0)
        self.program.put(total, self.flexible, -1.0)
        add_caps(self, total)

    def _battery(self) -> None:
        limits, add = self.limits, self.program.add_columns
        wear = WEAR_PER_MWH * HOURS
        self.charge = add(self.steps, high=limits.battery_w / MW, cost=wear)
        self.discharge = add(self.steps, high=limits.battery_w / MW, cost=wear)
        stored = add(self.steps, limits.soc_min_wh / MW, limits.soc_max_wh / MW)
        start = FIRST_CHARGE * limits.battery_wh / MW
        first = np.where(np.arange(self.steps) == 0, start, 0.0)
        rows = self.program.add_rows(self.steps, first, first)
        self.program.put(rows, stored, 1.0)
        self.program.put(rows[1:], stored[:-1], -1.0)
        self.program.put(rows, self.charge, -limits.efficiency * HOURS)
        self.program.put(rows, self.discharge, HOURS / limits.efficiency)
        self.missing = add(1, cost=limits.price_per_mwh / limits.efficiency)
        end = self.program.add_rows(1, low=start)
        self.program.put(end, stored[-1:], 1.0)
        self.program.put(end, self.missing, 1.0)

    def _balance(self) -> None:
        """Supply + import + discharge = load + charge + export + curtailment."""
        period, put = self.period, self.program.put
        net = (period.urgent_w * period.pue - period.pv_w - period.wind_w) / MW
        rows = self.net = self.program.add_rows(self.steps, net, net)
        for columns, sign in (
            *((self.imported, 1.0), (self.discharge, 1.0), (self.charge, -1.0)),
            *((self.exported, -1.0), (self.curtailed, -1.0)),
            *((self.drives[0], -1.0), (self.drives[1], -1.0)),
        ):
            put(rows, columns, sign)
        put(rows, self.flexible, -period.pue)
