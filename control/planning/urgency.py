"""How late jobs may run: latest starts, and how many GPUs they need now when they share the site."""

import numpy as np

from igoudar.control.planning.arrivals import to_come
from igoudar.control.planning.headroom import HORIZON_STEPS, headroom
from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Booleans, Floats, Integers, Phase

OVERRUN = 1.0  # of what a job has done is still ahead once it outlasts what was reckoned; our assumption
# Of the GPUs that known jobs may claim, by hours ahead: jobs not yet submitted will want the rest. What runs
# in the next half day is mostly known, of what runs the day after only half; tuned in the lab.
AHEAD_H, CLAIMED = np.array([12.0, 30.0]), np.array([0.8, 0.5])
IN_ALL = 0.95  # of the GPUs known jobs and those to come may claim: gangs leave gaps; tuned in the lab


def left_s(view: View, rows: Integers) -> Floats:
    """Work still to do, at the longest to reckon with [s]; who outlasts that may go on as long again."""
    done, longest = view.fleet.done_s[rows], view.jobs.longest_s[rows]
    return np.where(done < longest, longest - done, OVERRUN * done)


def running(view: View, rows: Integers) -> Booleans:
    """Which of the rows run now."""
    runs: Booleans = view.fleet.phase[rows] == Phase.RUNNING
    return runs


def slack_s(view: View, rows: Integers) -> Floats:
    """How long a job may still not run [s]; for a running one the cost of its stop is taken off."""
    stop_s = np.where(running(view, rows), view.jobs.checkpoint_s[rows], 0.0)
    return view.jobs.deadline_s[rows] - view.now_s - left_s(view, rows) - stop_s


def waits_s(view: View, rows: Integers, ahead: Floats) -> Floats:
    """Slack, less for a gang so large that at its latest start the cap (`ahead`) does not carry it [s].

    One that finds room nowhere before its deadline keeps its slack: nothing that it does sooner helps.
    """
    slack, gpus = slack_s(view, rows), view.jobs.gpus[rows]
    steps = np.ceil(left_s(view, rows) / STEP_S)
    inside = (slack >= STEP_S) & (slack / STEP_S + steps <= len(ahead))
    for index in np.flatnonzero(inside & (gpus > ahead.min())):
        last = _last_start(ahead >= gpus[index], int(steps[index]), int(slack[index] // STEP_S))
        slack[index] = slack[index] if last is None else min(slack[index], last * STEP_S)
    return slack


def _last_start(room: Booleans, steps: int, latest: int) -> int | None:
    """The last step up to `latest` from which there is room for that many on end; None without one."""
    so_far = np.concatenate([[0], np.cumsum(room[: latest + steps])])
    starts = np.flatnonzero(so_far[steps:] - so_far[:-steps] == steps)
    return int(starts[-1]) if len(starts) else None


def locked(view: View, rows: Integers) -> Booleans:
    """Running jobs that may not be stopped: not preemptible, or inside their minimum run."""
    jobs, fleet = view.jobs, view.fleet
    inside = view.now_s - fleet.since_s[rows] < jobs.min_run_s[rows]
    return running(view, rows) & (~jobs.preemptible[rows] | inside)


def forced(view: View, rows: Integers) -> Booleans:
    """Jobs that miss their deadline unless they run in this step."""
    return slack_s(view, rows) < STEP_S


def lost(view: View, rows: Integers) -> Booleans:
    """Jobs that miss their deadline even if they run from now on."""
    late: Booleans = view.jobs.deadline_s[rows] - view.now_s - left_s(view, rows) < -1.0
    return late


def needed_gpus(view: View, rows: Integers, ahead: Floats | None = None) -> int:
    """GPUs that must run now so that, everybody starting as late as possible, no later step is overfull.

    The latest runs of all jobs are laid over the coming steps; what exceeds what known jobs may claim of a
    step's headroom (`ahead`, GPUs under the cap) is carried to the step before it, back to now.
    """
    free = claimable(view, headroom(view) if ahead is None else ahead)
    return int(np.ceil(_carried(_latest_gpus(view, rows), free)))


def needed_work(view: View, rows: Integers, steps: Integers) -> Floats:
    """Work that must be done by the end of each of some coming steps for the same reason [GPU steps].

    Whatever is done meanwhile: what lacks of it in a step is what `needed_gpus` asks for there, when the
    hours after it are nearer and may be claimed more than now.
    """
    latest = np.cumsum(_latest_gpus(view, rows))
    after = np.arange(HORIZON_STEPS) - steps[:, None]
    ahead, coming = headroom(view), to_come(view, HORIZON_STEPS)
    free = np.where(after > 0, _claimed(after, ahead, coming), 0.0)
    return np.asarray(np.where(after >= 0, latest - np.cumsum(free, axis=1), -np.inf).max(axis=1), np.float64)


def _latest_gpus(view: View, rows: Integers) -> Floats:
    """GPUs of each coming step when everybody runs as late as possible; (HORIZON_STEPS,)."""
    slack = np.floor(np.maximum(0.0, slack_s(view, rows)) / STEP_S)
    length = np.ceil(left_s(view, rows) / STEP_S)
    first = np.minimum(slack, HORIZON_STEPS).astype(np.int64)
    last = np.minimum(first + length, HORIZON_STEPS).astype(np.int64)
    edges = np.zeros(HORIZON_STEPS + 1)
    np.add.at(edges, first, view.jobs.gpus[rows])
    np.add.at(edges, last, -view.jobs.gpus[rows])
    return np.asarray(np.cumsum(edges[:-1]), np.float64)


def claimable(view: View, ahead: Floats) -> Floats:
    """GPUs per step that known jobs may claim; less than nothing where those to come alone are too many."""
    return _claimed(np.arange(HORIZON_STEPS), ahead, to_come(view, HORIZON_STEPS))


def _claimed(after: Integers, ahead: Floats, coming: Floats) -> Floats:
    """The same, by how many steps after the deciding one each is."""
    share = np.interp(after * STEP_S / 3600.0, AHEAD_H, CLAIMED)
    claimed: Floats = np.minimum(share * ahead, IN_ALL * ahead - coming)
    return claimed


def _carried(latest: Floats, capacity: Floats) -> float:
    """Load of the first step after every overfull step passed its excess to the one before."""
    excess = np.cumsum((latest[1:] - capacity[1:])[::-1])
    lowest = np.minimum.accumulate(np.minimum(excess, 0.0))
    carry = float(excess[-1] - lowest[-1]) if len(excess) else 0.0
    return float(latest[0]) + carry
