"""The latest safe start of every waiting job, when they share their GPUs.

Backward list scheduling: the job with the latest end is placed first, as late as its GPUs allow, so that a
crowd with the same deadline spreads over the hours before it instead of starting at once and queueing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.requests import JobRequest, Margins

STEP_S = 900.0
HORIZON_S = 4 * 86_400.0


class _Grid:
    """GPUs in use per step from `now`, the start of the present step, on."""

    def __init__(self, now: datetime, gpus: float) -> None:
        self.now, self.gpus = now, gpus
        self.used: NDArray[np.float64] = np.zeros(int(HORIZON_S / STEP_S))

    def occupy(self, first: int, steps: int, gpus: int) -> None:
        self.used[first : first + steps] += gpus

    def last_fit(self, steps: int, end: int, gpus: int) -> int | None:
        """The latest first step of a run that ends by `end` and fits, None when there is none."""
        busy = np.concatenate([[0], np.cumsum(self.used + gpus > max(self.gpus, gpus))])
        last = min(end, self.used.size) - steps
        if last < 0:
            return None
        free = np.flatnonzero(busy[steps : last + steps + 1] == busy[: last + 1])
        return int(free[-1]) if free.size else None


def latest_starts(
    now: datetime,
    gpus: int,
    running: Sequence[JobRequest],
    waiting: Sequence[JobRequest],
    margins: Margins,
) -> dict[str, datetime]:
    """Latest start per waiting job; a job that finds no room must start now."""
    # The grid stands on the quarters of the clock, so that answers stay the same from cycle to cycle.
    grid = _Grid(now - timedelta(seconds=now.timestamp() % STEP_S), gpus * margins.capacity_share)
    for job in running:
        _occupy_until_done(grid, job, margins)
    for job in waiting:
        if job.keeps_gpus:
            grid.occupy(0, max(1, ceil((margins.end_by(job) - grid.now).total_seconds() / STEP_S)), job.gpus)
    return {
        job.job_id: _place(grid, job, margins)
        for job in sorted(waiting, key=lambda job: (margins.end_by(job), job.job_id), reverse=True)
    }


def _occupy_until_done(grid: _Grid, job: JobRequest, margins: Margins) -> None:
    left = (job.started or grid.now) + margins.longest(job) - grid.now
    grid.occupy(0, max(1, ceil(left.total_seconds() / STEP_S)), job.gpus)


def _place(grid: _Grid, job: JobRequest, margins: Margins) -> datetime:
    longest = margins.longest(job)
    latest = margins.end_by(job) - longest
    if job.keeps_gpus:
        return latest  # nobody can take its place
    steps = max(1, ceil(longest.total_seconds() / STEP_S))
    end = int((margins.end_by(job) - grid.now).total_seconds() // STEP_S)
    first = grid.last_fit(steps, end, job.gpus) if end >= steps else None
    if first is None:
        grid.occupy(0, steps, job.gpus)
        return min(latest, grid.now)
    grid.occupy(first, steps, job.gpus)
    crowded = first + steps < min(end, grid.used.size)
    return min(latest, grid.now + timedelta(seconds=first * STEP_S)) if crowded else latest
