"""What gangs reach with everything known: the bound's plan followed as it stands, and the best that we know.

The bound takes jobs as fluid and uses up all of their slack, so gangs that follow it (`reachable`) pay for it
at the peak. For `best-known` it is also drawn up with part of the slack kept back and followed under the
plant's rules; and the rolling plan is played with everything known. Of what was played the cheapest counts.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.policy import METERS, STEP_S, Limits, Orders, Policy, View
from igoudar.control.planning.rolling import Rolling, keep_on, only_surplus_pays
from igoudar.control.planning.select import drawn_gpus
from igoudar.control.planning.table import Floats, Phase
from igoudar.lab.engine import Played, play
from igoudar.lab.events import metered, strictest
from igoudar.lab.foresight import Foresight
from igoudar.lab.oracle import Bound, bound
from igoudar.lab.periods import FIRST_CHARGE, Period
from igoudar.lab.power import HOURS, charge_after_wh, feasible_battery_w

WAITED = (0.8, 0.7, 0.5)  # of each job's slack that a plan to be followed may use
LEAST_S = 3600.0  # of slack is kept back, where there is so much: gangs start on the quarter-hour
CAUGHT_UP = 0.25  # of what the gangs lag behind or run ahead, in each step


def reachable(period: Period, limits: Limits) -> Played:
    """The bound's plan in gangs as it stands."""
    return play(period, limits, Following(period, limits, bound(period, limits)))


def best_known(period: Period, limits: Limits) -> Played:
    """The best of the candidates: fewest missed deadlines, least above announced limits, then least cost."""
    played = [play(period, limits, policy) for policy in _candidates(period, limits)]
    return min(
        played, key=lambda each: (_missed(period, each), _over(period, each), billed(each.site, limits))
    )


def _candidates(period: Period, limits: Limits) -> Iterator[Policy]:
    grid = Grid.of(horizon_h=period.end_s / 3600.0)
    yield Rolling(limits, name="best-known", knowledge=Foresight(period), grid=grid)
    if only_surplus_pays(limits):
        return
    yield Following(period, limits, bound(period, limits))
    for share in WAITED:
        yield Following(period, limits, bound(with_reserve(period, share), limits))


def with_reserve(period: Period, share: float) -> Period:
    """The period with deadlines so much earlier that jobs use `share` of their slack; late ones stay."""
    jobs = period.jobs
    first_s = np.ceil(jobs.submitted_s / STEP_S) * STEP_S
    slack_s = np.maximum(0.0, jobs.deadline_s - first_s - jobs.duration_s)
    kept_s = np.minimum(slack_s, np.maximum((1.0 - share) * slack_s, LEAST_S))
    return replace(period, jobs=replace(jobs, deadline_s=jobs.deadline_s - kept_s))


class Following:
    """Gangs close to a bound's profile of work, the battery to its charge, under its import peak."""

    name = "following"

    def __init__(self, period: Period, limits: Limits, plan: Bound) -> None:
        self._plan = plan
        self._peak_w = float(plan.import_w.max())
        self._due_gpu_s = np.cumsum(plan.flexible_w) / limits.gpu_w * STEP_S  # done by the end of each step
        self._work_gpu_s = float(period.jobs.gpus @ period.jobs.duration_s)
        self._stored_wh = charges_wh(limits, plan.battery_w)

    def decide(self, view: View) -> Orders:
        """As much as the plan's step has, and a part of what the gangs lag behind."""
        step, limits = view.step, view.limits
        desalination_w = float(self._plan.desalination_w[step])
        electrolyser_w = float(self._plan.electrolyser_w[step])
        else_w = view.urgent_w * view.pue + desalination_w + electrolyser_w - view.pv_w - view.wind_w
        most_w = self._peak_w + feasible_battery_w(limits, view.soc_wh, limits.battery_w) - else_w
        wanted_w = min(self._wanted_w(view), most_w / view.pue)
        run = keep_on(view, max(0.0, wanted_w) / limits.gpu_w)
        net_w = else_w + float(drawn_gpus(view, run).sum()) * limits.gpu_w * view.pue
        battery_w = net_w - self._import_w(view, net_w) if limits.battery_w else None
        return Orders(run, battery_w, desalination_w, electrolyser_w)

    def _wanted_w(self, view: View) -> float:
        behind_gpu_s = float(self._due_gpu_s[view.step]) - (self._work_gpu_s - _left_gpu_s(view))
        planned_w = float(self._plan.flexible_w[view.step])
        return planned_w + CAUGHT_UP * (behind_gpu_s / STEP_S * view.limits.gpu_w - planned_w)

    def _import_w(self, view: View, net_w: float) -> float:
        """What brings the battery to the plan's charge, below the plan's peak."""
        lack_wh, efficiency = float(self._stored_wh[view.step]) - view.soc_wh, view.limits.efficiency
        charge_w = (lack_wh / efficiency if lack_wh > 0.0 else lack_wh * efficiency) / HOURS
        return min(max(0.0, net_w + charge_w), self._peak_w)


def _left_gpu_s(view: View) -> float:
    """Work of the jobs that wait or run, and of those that will come."""
    jobs, ahead = view.jobs, view.fleet.phase == Phase.AHEAD
    left_s = jobs.duration_s[view.active] - view.fleet.done_s[view.active]
    return float(jobs.gpus[view.active] @ left_s) + float(jobs.gpus[ahead] @ jobs.duration_s[ahead])


def charges_wh(limits: Limits, battery_w: Floats) -> Floats:
    """State of charge at the end of each step of a battery's profile."""
    soc_wh, held_wh = np.zeros(len(battery_w)), FIRST_CHARGE * limits.battery_wh
    for step, power_w in enumerate(battery_w):
        held_wh = soc_wh[step] = charge_after_wh(limits, held_wh, float(power_w))
    return soc_wh


def billed(site: dict[str, Floats], limits: Limits) -> float:
    """A period's cost: energy, the charge that lacks at its end, the peak."""
    lacks_wh = max(0.0, FIRST_CHARGE * limits.battery_wh - float(site["soc_wh"][-1])) / limits.efficiency
    imported_mwh = (float(site["import_w"].sum()) * HOURS + lacks_wh) / 1e6
    exported_mwh = float(site["export_w"].sum()) * HOURS / 1e6
    peak_mw = float(site["import_w"].max()) / 1e6
    paid = limits.price_per_mwh * imported_mwh + limits.peak_price_per_mw * peak_mw
    return paid - limits.export_price_per_mwh * exported_mwh


def _missed(period: Period, played: Played) -> int:
    if played.fleet is None:
        return 0  # no jobs were placed
    kept = played.fleet.finished_s <= period.jobs.deadline_s + 1e-6  # NaN: never finished
    return int(np.count_nonzero(~kept))


def _over(period: Period, played: Played) -> int:
    """Energy above announced limits [kWh]; less than one is rounding."""
    site = pl.DataFrame(played.site)
    over_w = [
        np.maximum(
            0.0,
            site.select(metered(meter)).to_series().to_numpy()
            - strictest(period.limits, meter, period.steps),
        )
        for meter in METERS
    ]
    return round(float(np.sum(over_w)) * HOURS / 1e3)
