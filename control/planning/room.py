"""How many GPUs a limit in time leaves: gangs that would pass it wait, or give way where they may. Pure."""

import numpy as np

from igoudar.control.planning.policy import FACILITY, STEP_S, Ceiling, View
from igoudar.control.planning.table import Floats, Integers
from igoudar.control.planning.urgency import left_s, running

HOUR_S = 3600.0
LEAST_H = 0.25


def room_gpus(view: View, rows: Integers) -> Floats | None:
    """Per job the GPUs that may draw power in all while it runs; None where nothing limits them.

    Who runs is held to what holds now; who starts also to what begins inside its minimum run.
    """
    if not view.ceilings:
        return None
    jobs = view.jobs
    until_s = view.now_s + np.minimum(jobs.min_run_s[rows], left_s(view, rows))
    until_s = np.where(running(view, rows), view.now_s + STEP_S, np.maximum(until_s, view.now_s + STEP_S))
    most = np.full(len(rows), np.inf)
    for one in view.ceilings:
        touched = (one.start_s < until_s) & (one.end_s > view.now_s)
        most = np.where(touched, np.minimum(most, _under(view, one)), most)
    return most


def _under(view: View, one: Ceiling) -> float:
    """GPUs under one limit, with the supply and the urgent load of the present, or as they are forecast."""
    limits = view.limits
    first = max(0, int((one.start_s - view.now_s) // STEP_S))
    supply_w, urgent_w, pue = _expected(view, first)
    if one.meter == FACILITY:
        it_w = one.limit_w / pue - urgent_w
    else:
        drives_w = limits.desalination_w + limits.electrolyser_w
        it_w = (one.limit_w + supply_w + _battery_w(view, one) - drives_w) / pue - urgent_w
    return max(0.0, it_w / limits.gpu_w)


def _expected(view: View, step: int) -> tuple[float, float, float]:
    """Supply, urgent load and PUE of a step from now."""
    given = view.forecast
    if step == 0 or given is None:
        return view.pv_w + view.wind_w, view.urgent_w, view.pue
    at = min(step, len(given.pue) - 1)
    return (
        float(given.pv.p50_w[at] + given.wind.p50_w[at]),
        float(given.urgent.p50_w[at]),
        float(given.pue[at]),
    )


def _battery_w(view: View, one: Ceiling) -> float:
    """What the battery holds out until the limit ends."""
    limits = view.limits
    hours = max(LEAST_H, (one.end_s - max(one.start_s, view.now_s)) / HOUR_S)
    return min(limits.battery_w, max(0.0, view.soc_wh - limits.soc_min_wh) * limits.efficiency / hours)
