"""From a number of GPUs to the jobs that get them: forced ones, then those that run, then the most urgent."""

import numpy as np

from igoudar.control.planning.policy import View
from igoudar.control.planning.table import Floats, Integers
from igoudar.control.planning.urgency import forced, locked, needed_gpus, running, slack_s


def choose(view: View, wanted_gpus: float, *, preempt: bool = True) -> Integers:
    """Rows to run in this step: close to `wanted_gpus`, more where deadlines ask for it, never over the cap.

    A job that runs goes on rather than another starts (a stop costs work); with `preempt` jobs with slack are
    stopped when fewer GPUs are wanted.
    """
    rows = view.active
    if not len(rows):
        return rows
    slack, runs = slack_s(view, rows), running(view, rows)
    must = locked(view, rows) | forced(view, rows) | (runs if not preempt else False)
    target = max(wanted_gpus, needed_gpus(view, rows))
    rank = np.lexsort((slack, ~runs, ~must, ~locked(view, rows)))
    ordered, gpus = rows[rank], view.jobs.gpus[rows[rank]]
    count = int(must.sum())
    room = np.full(len(rows), min(target, view.gpus_by_power), dtype=float)
    room[:count] = view.gpus_by_power
    return ordered[_fitting(gpus, room)]


def _fitting(gpus: Integers, room: Floats) -> Integers:
    """Positions taken in order while they fit; a gang that is too large is passed over for smaller ones."""
    taken: list[int] = []
    prefix = np.cumsum(gpus)
    whole = int(np.argmax(prefix > room)) if (prefix > room).any() else len(gpus)
    taken.extend(range(whole))
    used = int(prefix[whole - 1]) if whole else 0
    smallest = int(gpus.min()) if len(gpus) else 0
    for position in range(whole, len(gpus)):
        if used + smallest > room[-1] and used + smallest > room[position]:
            break
        if used + gpus[position] <= room[position]:
            taken.append(position)
            used += int(gpus[position])
    return np.array(taken, dtype=np.int64)


def surplus_gpus(view: View) -> float:
    """GPUs that on-site generation can carry beside everything else that draws power."""
    limits = view.limits
    drives_w = limits.desalination_w + limits.electrolyser_w
    free_w = view.pv_w + view.wind_w - view.urgent_w * view.pue - drives_w
    return max(0.0, free_w / (limits.gpu_w * view.pue))
