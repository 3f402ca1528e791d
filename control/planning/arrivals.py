"""Jobs that are still to come, taken as those that came so far: what their latest runs will ask for."""

import numpy as np

from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Floats, Integers

# Over which what came is spread at least: a first morning is no week; tuned in the lab.
LEAST_S = 3 * 86_400.0
HOUR_S = 3600.0


def to_come(view: View, steps: int) -> Floats:
    """GPUs per coming step of jobs not yet submitted, everybody starting as late as possible; (steps,).

    Each job seen so far comes again at an even rate until it would not end in the billing period any more;
    its deadline is as far from its submission as it was, or the end of the period.
    """
    jobs = view.jobs
    count = int(np.searchsorted(jobs.submitted_s, view.now_s, side="right"))
    rate = np.asarray(jobs.gpus[:count] * STEP_S / max(view.now_s, LEAST_S), np.float64)
    longest_s = jobs.longest_s[:count]
    length = np.maximum(1, np.ceil(longest_s / STEP_S)).astype(np.int64)
    slack_s = jobs.deadline_s[:count] - jobs.submitted_s[:count] - longest_s
    slack = np.clip(np.floor(slack_s / STEP_S), 0, steps).astype(np.int64)
    end = int(max(0.0, view.period_end_s - view.now_s) // STEP_S)
    return _free(rate, length, slack, end, steps) + _before_the_end(rate, length, slack, end, steps)


def burst_gpus(view: View) -> float:
    """The most GPUs that jobs with less slack than a minimum run asked for in one hour so far.

    Who lacks slack only because the billing period ends is no burst: that end is known.
    """
    jobs = view.jobs
    count = int(np.searchsorted(jobs.submitted_s, view.now_s, side="right"))
    deadline_s, submitted_s = jobs.deadline_s[:count], jobs.submitted_s[:count]
    short = deadline_s - submitted_s - jobs.longest_s[:count] < jobs.min_run_s[:count]
    gpus = np.where(short & (deadline_s < view.period_end_s), jobs.gpus[:count], 0)
    return float(np.bincount((submitted_s // HOUR_S).astype(np.int64), gpus, minlength=1).max())


def _free(rate: Floats, length: Integers, slack: Integers, end: int, steps: int) -> Floats:
    """Load of those that come early enough to have all their slack: it rises and falls evenly."""
    comes = np.maximum(0, end - length - slack)  # steps in which they do
    slope = np.zeros(steps + 1)
    for at, sign in ((slack, 1), (slack + length, -1), (slack + comes, -1), (slack + comes + length, 1)):
        slope += np.bincount(np.minimum(at, steps), sign * rate, minlength=steps + 1)
    return np.asarray(np.cumsum(np.cumsum(slope))[:-1], np.float64)


def _before_the_end(rate: Floats, length: Integers, slack: Integers, end: int, steps: int) -> Floats:
    """Load of those that come later: they all run last before the end."""
    late = np.clip(end - length, 0, slack) * rate
    edges = np.bincount(np.clip(end - length, 0, steps), late, minlength=steps + 1)
    edges[min(end, steps)] -= late.sum()
    return np.asarray(np.cumsum(edges)[:-1], np.float64)
