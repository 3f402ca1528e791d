"""Jobs as a few classes: how much of their work can be done by when, and how much must be.

A class is a corridor: between its earliest work (all run from now on) and its latest (all wait as long as
their deadlines allow) lies every schedule of its jobs; the disaggregation, least slack first, follows one.
"""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.headroom import HORIZON_STEPS
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Booleans, Floats
from igoudar.control.planning.urgency import left_s, locked, needed_work, slack_s

HOUR_S = 3600.0
SLACK_H = (1.0, 3.0, 6.0, 12.0, 24.0)  # upper ends of the classes of slack; the last is open
LONG_H = 8.0  # work left from which a job counts as long
CLASSES = 2 * (len(SLACK_H) + 1)
# A week of work before any is seen: short jobs with little slack, long ones with more (our assumption).
PRIOR_LEFT_H, PRIOR_SLACK_H = np.array([1.0, 6.0, 24.0]), np.array([1.0, 6.0, 12.0])
PRIOR_GPUS = np.array([600.0, 100.0, 100.0])


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of its slack the plan lets a job wait: less the longer it runs; tuned in the lab.

    Each job alone could use all of it. But a class of fluid work bends further than gangs that pay for each
    stop, and what waited to its very end must all run at once, whatever the weather then. A long job spans
    the next calm as well: what it waits in this one it lacks there.
    """

    most: float = 1.0
    least: float = 0.2
    reach_h: float = 4.0

    def share(self, left_h: Floats) -> Floats:
        """Of the slack, by hours of work left."""
        return np.clip(self.reach_h / np.maximum(left_h, self.reach_h / 100.0), self.least, self.most)


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Corridor:
    """Work of classes in GPU hours by the end of each slot; arrays are (class, slot)."""

    latest: Floats  # must be done by then
    earliest: Floats  # can be done by then
    rate: Floats  # most GPUs at once
    needed: Floats  # (slot,): of all classes together, since the choice of gangs will ask for it


def corridors(view: View, grid: Grid, patience: Patience = PATIENCE) -> Corridor:
    """The classes of the jobs that wait or run; running ones that may not stop are not asked."""
    rows = view.active
    left_h = left_s(view, rows) / HOUR_S
    fixed = locked(view, rows)
    slack_h = np.maximum(0.0, slack_s(view, rows) / HOUR_S)
    gpus = view.jobs.gpus[rows].astype(np.float64)
    ends = grid.ends_h
    earliest = gpus[:, None] * np.minimum(left_h[:, None], ends)
    waits_h = slack_h * patience.share(left_h)
    waits = np.where(fixed, 0.0, waits_h)[:, None]
    latest = gpus[:, None] * np.clip(ends - waits, 0.0, left_h[:, None])
    latest = np.where(fixed[:, None], _locked_latest(view, gpus, left_h, waits_h, ends), latest)
    member = members(slack_h, left_h)
    until = np.where(fixed, left_h, left_h + slack_h)[:, None]  # nothing runs beyond its deadline
    rate = member @ (gpus[:, None] * (ends - grid.hours < until))
    return Corridor(member @ latest, member @ earliest, rate, _needed(view, grid))


def _needed(view: View, grid: Grid) -> Floats:
    """GPU hours due by the end of each slot so that jobs to come find room."""
    steps = np.minimum(grid.edges[1:], HORIZON_STEPS) - 1
    return needed_work(view, view.active, steps) * (STEP_S / HOUR_S)


def _locked_latest(view: View, gpus: Floats, left_h: Floats, waits_h: Floats, ends: Floats) -> Floats:
    """A job inside its minimum run goes on until that ends; afterwards it may wait."""
    rows = view.active
    since_s = np.nan_to_num(view.now_s - view.fleet.since_s[rows], nan=0.0)
    block_s = np.where(view.jobs.preemptible[rows], view.jobs.min_run_s[rows] - since_s, np.inf)
    block_h = np.minimum(np.maximum(0.0, block_s) / HOUR_S, left_h)[:, None]
    done = np.minimum(ends, block_h)
    later = np.clip(ends - block_h - waits_h[:, None], 0.0, left_h[:, None] - block_h)
    worked: Floats = gpus[:, None] * (done + later)
    return worked


def members(slack_h: Floats, left_h: Floats) -> Booleans:
    """Who belongs to which class, (class, job)."""
    index = 2 * np.searchsorted(SLACK_H, slack_h, side="right") + (left_h >= LONG_H)
    members: Booleans = np.arange(CLASSES)[:, None] == index
    return members


@dataclass(frozen=True, slots=True)
class Habit:
    """What arriving work is like, per GPU hour and by quarter-hours since its arrival; (class, step)."""

    latest: Floats
    earliest: Floats
    gpus: Floats  # that may run

    @classmethod
    def of(cls, view: View, steps: int, patience: Patience = PATIENCE) -> "Habit":
        """From the jobs submitted so far, and a prior that weighs like a first hour of them."""
        count = int(np.searchsorted(view.jobs.submitted_s, view.now_s, side="right"))
        longest_h = np.concatenate([PRIOR_LEFT_H, view.jobs.longest_s[:count] / HOUR_S])
        span_h = (view.jobs.deadline_s[:count] - view.jobs.submitted_s[:count]) / HOUR_S
        slack_h = np.concatenate([PRIOR_SLACK_H, np.maximum(0.0, span_h - longest_h[len(PRIOR_LEFT_H) :])])
        gpus = np.concatenate([PRIOR_GPUS, view.jobs.gpus[:count].astype(np.float64)])
        member = members(slack_h, longest_h) * gpus / float(gpus @ longest_h)
        hours, left = np.arange(1, steps + 1) / 4.0, longest_h[:, None]
        waits = (slack_h * patience.share(longest_h))[:, None]
        latest, may_run = np.clip(hours - waits, 0.0, left), hours - 0.25 < left + slack_h[:, None]
        return cls(member @ latest, member @ np.minimum(hours, left), member @ may_run)


def with_arrivals(known: Corridor, arrivals_gpu_h: Floats, habit: Habit, grid: Grid) -> Corridor:
    """The corridor of known jobs and of work expected to be submitted, given per step from now on."""
    steps = int(grid.edges[-1])
    given = np.zeros(steps)
    given[: min(steps, len(arrivals_gpu_h))] = arrivals_gpu_h[:steps]
    given[0] = 0.0  # what has arrived by now is among the jobs
    at = grid.edges[1:] - 1
    latest = np.stack([np.convolve(given, shape)[at] for shape in habit.latest])
    earliest = np.stack([np.convolve(given, shape)[at] for shape in habit.earliest])
    rate = np.stack([np.convolve(given, shape)[at] for shape in habit.gpus])
    needed = known.needed + latest.sum(axis=0)
    return Corridor(known.latest + latest, known.earliest + earliest, known.rate + rate, needed)
