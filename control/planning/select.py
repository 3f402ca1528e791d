"""From a number of GPUs to the jobs that get them: those that must run, then least slack first.

Who can't keep its deadline any more still runs at once, but after those who can keep theirs.
"""

import numpy as np

from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.room import room_gpus
from igoudar.control.planning.table import Booleans, Floats, Integers
from igoudar.control.planning.urgency import forced, left_s, locked, lost, needed_gpus, running, slack_s

# Of the cap: what starts early locks its GPUs for a while, and urgent jobs arrive in bursts.
START_SHARE = 0.9
NEEDED_SHARE = 0.95  # of the cap, for starts that the cap of later steps asks for; tuned in the lab
PASSES = 3
PAUSE_S = 1800.0  # a job that was stopped waits at least so long, unless its deadline says otherwise
KEPT = 0.5  # of a running gang may be more than what is wanted: gangs round to the nearest, they do not flap
HOLD_S = 2 * 3600.0  # a waiting job displaces a running one only with this much less slack; tuned in the lab


def choose(
    view: View,
    wanted_gpus: float,
    *,
    preempt: bool = True,
    hold_s: float = HOLD_S,
    ahead: Floats | None = None,
) -> Integers:
    """Rows to run in this step: drawing close to `wanted_gpus` full GPUs, more where deadlines ask for it.

    A gang that ends within the step counts toward the power wanted with the part that it runs, toward the cap
    with all its GPUs. With `preempt`, running jobs with slack are stopped when fewer GPUs are wanted. `ahead`
    is the headroom that `needed_gpus` takes.
    """
    rows = view.active
    if not len(rows):
        return rows
    fixed, runs = locked(view, rows), running(view, rows)
    must = fixed | forced(view, rows) | (runs if not preempt else False)
    rank = np.lexsort((slack_s(view, rows) - hold_s * runs, lost(view, rows), ~must, ~fixed))
    ordered = rows[rank]
    gpus = view.jobs.gpus[ordered].astype(np.float64)
    cap = float(view.gpus_by_power)
    needed = min(float(needed_gpus(view, rows, ahead)), cap)
    limit = np.where((must | runs)[rank], cap, max(START_SHARE * cap, NEEDED_SHARE * needed))
    wanted = np.where(must[rank], np.inf, max(wanted_gpus, 0.0))
    wanted[_pausing(view, ordered) & ~must[rank]] = -1.0
    drawn = drawn_gpus(view, ordered)
    wanted = wanted + KEPT * drawn * runs[rank]
    room = room_gpus(view, ordered)
    if room is not None:
        wanted = np.where(must[rank], wanted, np.minimum(wanted, room))
    return ordered[_fitting(gpus, drawn, limit, wanted, needed)]


def _pausing(view: View, rows: Integers) -> Booleans:
    """Who was stopped only just now."""
    paused: Booleans = ~running(view, rows) & (view.now_s - view.fleet.stopped_s[rows] < PAUSE_S)
    return paused


def _fitting(gpus: Floats, drawn: Floats, limit: Floats, wanted: Floats, needed: float) -> Booleans:
    """Who fits in order; a gang that does not is passed over for smaller ones behind it."""
    taken = np.zeros(len(gpus), np.bool_)
    for _ in range(PASSES):
        so_far, so_far_drawn = float(gpus[taken].sum()), float(drawn[taken].sum())
        more = ~taken & (so_far + gpus <= limit)
        more &= (so_far_drawn + drawn <= wanted) | (so_far + gpus <= needed)
        total, power = so_far + np.cumsum(gpus * more), so_far_drawn + np.cumsum(drawn * more)
        fits = more & (total <= limit) & ((power <= wanted) | (total <= needed))
        if not fits.any():
            break
        taken |= fits
    return taken


def drawn_gpus(view: View, rows: Integers) -> Floats:
    """Full GPUs that jobs draw over a step on average: those that end in it draw less."""
    return np.asarray(view.jobs.gpus[rows] * np.minimum(1.0, left_s(view, rows) / STEP_S), np.float64)


def surplus_gpus(view: View) -> float:
    """GPUs that on-site generation can carry beside everything else that draws power."""
    limits = view.limits
    drives_w = limits.desalination_w + limits.electrolyser_w
    free_w = view.pv_w + view.wind_w - view.urgent_w * view.pue - drives_w
    return max(0.0, free_w / (limits.gpu_w * view.pue))
