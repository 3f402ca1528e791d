"""Everything known beforehand, for the plan of `best-known`: the supply and all jobs as they will come."""

import numpy as np

from igoudar.control.planning.plan.classes import HOUR_S, PATIENCE, Corridor, corridors, members
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Floats, Phase
from igoudar.lab.periods import Period


class Foresight:
    """One course, which comes true; only the choice of gangs is still to be made."""

    courses = 1

    def __init__(self, period: Period) -> None:
        self._period = period

    def ahead(self, view: View, grid: Grid) -> tuple[Outlook, Corridor]:
        """What is to come, and the corridor of all jobs that will be submitted within the grid."""
        period, step = self._period, view.step

        def mean(series: Floats) -> Floats:
            return grid.mean(series[step:])

        supply_w, nothing = mean(period.pv_w + period.wind_w)[None], np.zeros(int(grid.edges[-1]))
        look = Outlook(np.ones(1), supply_w, mean(period.urgent_w), mean(period.pue), nothing)
        known, coming = corridors(view, grid), _coming(view, grid)
        latest, earliest = known.latest + coming.latest, known.earliest + coming.earliest
        needed = known.needed + coming.needed
        return look, Corridor(latest, earliest, known.rate + coming.rate, needed)


def _coming(view: View, grid: Grid) -> Corridor:
    """Jobs that are still ahead, each from the first step that it may run in."""
    jobs, rows = view.jobs, np.flatnonzero(view.fleet.phase == Phase.AHEAD)
    first_s = np.ceil(jobs.submitted_s[rows] / STEP_S) * STEP_S
    left_h = jobs.longest_s[rows] / HOUR_S
    slack_h = np.maximum(0.0, (jobs.deadline_s[rows] - first_s) / HOUR_S - left_h)
    gpus, left = jobs.gpus[rows].astype(np.float64)[:, None], left_h[:, None]
    since_h = grid.ends_h - ((first_s - view.now_s) / HOUR_S)[:, None]
    waits_h = (slack_h * PATIENCE.share(left_h))[:, None]
    may_run = (since_h > 0.0) & (since_h - grid.hours < left + slack_h[:, None])
    member = members(slack_h, left_h)
    latest = member @ (gpus * np.clip(since_h - waits_h, 0.0, left))
    earliest = member @ (gpus * np.clip(since_h, 0.0, left))
    return Corridor(latest, earliest, member @ (gpus * may_run), latest.sum(axis=0))
