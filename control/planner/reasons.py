"""Why a step and a job are planned as they are: what binds, and what one more hour would cost. Pure."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import numpy as np

from igoudar.control.planner.ask import STEP, floor_step
from igoudar.control.planner.result import SEEN_W, Result
from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.policy import STEP_S, View, Why
from igoudar.control.planning.table import Floats
from igoudar.control.planning.urgency import left_s, slack_s

HOUR_STEPS = 4
NEAR = 0.999  # of a limit counts as at it
SEEN_PRICE = 0.01


def step_reasons(view: View, result: Result) -> tuple[tuple[Why, ...], ...]:
    """Per step: every constraint that binds, and the price of one more MWh."""
    told = result.bindings()
    return tuple((*_of_terms(told, step), *_of_step(view, result, step)) for step in range(len(result.price)))


def _of_terms(told: Sequence[Binding], step: int) -> Iterator[Why]:
    """Announced limits, and whatever else a site has beyond the plain plan, where it binds."""
    for one in told:
        price = round(float(one.per_mwh[step]), 2)
        if np.isfinite(one.figure_w[step]) and price > SEEN_PRICE:
            yield Why(one.code, {one.name: float(one.figure_w[step]), "price": price})


def _of_step(view: View, result: Result, step: int) -> list[Why]:
    limits = view.limits
    imported, supply = float(result.import_w[step]), float(result.supply_w[step])
    found = []
    if limits.import_limit_w and imported >= NEAR * limits.import_limit_w:
        found.append(Why("planner.step_import_limit", {"limit_w": limits.import_limit_w}))
    if imported > SEEN_W and result.peak_price[step] > 0.01:
        price = round(float(result.peak_price[step]), 2)
        found.append(Why("planner.step_peak", {"import_w": imported, "price": price}))
    if result.curtailed_w[step] > SEEN_W:
        found.append(Why("planner.step_curtailed", {"power_w": float(result.curtailed_w[step])}))
    if result.uncapped_w[step] >= NEAR * limits.gpus * limits.gpu_w:
        found.append(Why("planner.step_gpus", {"gpus": limits.gpus}))
    found += _of_battery(view, result, step)
    price = round(float(result.price[step]), 2)
    return [*found, Why("planner.step_price", {"supply_w": supply, "price": price})]


def _of_battery(view: View, result: Result, step: int) -> list[Why]:
    limits = view.limits
    if not limits.battery_w:
        return []
    if max(result.discharge_w[step], result.charge_w[step]) >= NEAR * limits.battery_w:
        return [Why("planner.step_battery_power", {"power_w": limits.battery_w})]
    if result.stored_wh[step] <= limits.soc_min_wh + SEEN_W and result.import_w[step] > SEEN_W:
        return [Why("planner.step_battery_empty")]
    if result.stored_wh[step] >= limits.soc_max_wh - SEEN_W:
        return [Why("planner.step_battery_full")]
    return []


def job_reasons(view: View, result: Result, begin: Mapping[int, int]) -> dict[str, Why]:
    """Per waiting job: what decides its start, in numbers."""
    waiting = np.array([row for row in view.active if np.isnan(view.fleet.since_s[row])], dtype=np.int64)
    slack, left = slack_s(view, waiting), left_s(view, waiting)
    return {
        view.jobs.job_id[row]: _of_job(
            view, result, int(row), begin.get(int(row)), float(slack[i]), float(left[i])
        )
        for i, row in enumerate(waiting)
    }


def _of_job(view: View, result: Result, row: int, step: int | None, slack: float, left: float) -> Why:
    if step is None:
        return Why("planner.job_beyond", {"hours": round(len(result.price) / HOUR_STEPS)})
    steps = max(1, math.ceil(left / STEP_S))
    power_w = float(view.jobs.gpus[row] * view.limits.gpu_w)
    costs = [_cost(result, power_w, at, steps) for at in (0, step, step + HOUR_STEPS)]
    params: dict[str, object] = {
        "start": floor_step(view.time) + STEP * step,
        "end_by": view.time + timedelta(seconds=slack + left),
        "supply_w": float(result.supply_w[step]),
        "power_w": power_w * float(result.pue[step]),
        "now_cost": _told(costs[0] - costs[1]),
        "hour_cost": _told(costs[2] - costs[1]),
    }
    return Why(_what_binds(view, result, step, slack), params)


def _told(cost: float) -> float:
    """A cost to a tenth of a cent's worth, never a negative nothing."""
    return round(cost, 3) + 0.0


def _what_binds(view: View, result: Result, step: int, slack: float) -> str:
    if step >= math.floor(slack / STEP_S):
        return "planner.job_deadline"
    if step == 0:
        return "planner.job_now"
    before = result.uncapped_w[step - 1]
    if before >= NEAR * view.limits.gpus * view.limits.gpu_w:
        return "planner.job_gpus"
    return "planner.job_supply"


def _cost(result: Result, power_w: float, step: int, steps: int) -> float:
    """What running from `step` on costs by the steps' prices; the last one holds beyond the plan."""
    at = np.minimum(np.arange(step, step + steps), len(result.price) - 1)
    energy_mwh: Floats = power_w * result.pue[at] / 4e6
    return float(energy_mwh @ result.price[at])
