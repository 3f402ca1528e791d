"""From a number of GPUs to the jobs that get them: those that must run, then least slack first.

Who can't keep its deadline any more still runs at once, but after those who can keep theirs.
"""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.arrivals import burst_gpus
from igoudar.control.planning.headroom import headroom
from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.room import room_gpus
from igoudar.control.planning.table import Booleans, Floats, Integers
from igoudar.control.planning.urgency import left_s, locked, lost, needed_gpus, running, waits_s

# Of the cap: what starts early locks its GPUs for a while, and urgent jobs arrive in bursts.
START_SHARE = 0.9
# For starts that the cap of later steps asks for; tuned in the lab. All of it where no such burst came.
NEEDED_SHARE = 0.95
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
    ahead = headroom(view) if ahead is None else ahead
    fixed, runs, slack = locked(view, rows), running(view, rows), waits_s(view, rows, ahead)
    must = fixed | (slack < STEP_S) | (runs if not preempt else False)
    rank = np.lexsort((slack - hold_s * runs, lost(view, rows), ~must, ~fixed))
    ordered, must_run, goes_on = rows[rank], must[rank], (runs & ~must)[rank]
    soon = ~must_run & ~goes_on & (slack < view.jobs.min_run_s[rows])[rank]
    needed = min(float(needed_gpus(view, rows, ahead)), float(view.gpus_by_power))
    line = _Line(
        gpus=view.jobs.gpus[ordered].astype(np.float64),
        drawn=drawn_gpus(view, ordered),
        limit=np.where(must_run | goes_on, float(view.gpus_by_power), _starts_gpus(view, needed)),
        wanted=_wanted(view, ordered, wanted_gpus, must_run, runs[rank]),
        goes_on=goes_on,
        soon=soon,
        early=~must_run & ~goes_on & ~soon,
    )
    return ordered[_fitting(line, needed, _soon_gpus(view, rows, ahead) if soon.any() else np.inf)]


@dataclass(frozen=True, slots=True)
class _Line:
    """Jobs in the order in which they are asked, each with the GPUs up to which it may be taken."""

    gpus: Floats
    drawn: Floats
    limit: Floats  # of all GPUs taken
    wanted: Floats  # of the full GPUs drawn
    goes_on: Booleans  # runs, and could be stopped at any step
    soon: Booleans  # waits, and must start inside the minimum run of who starts now
    early: Booleans  # starts with more slack: it leaves those room


def _starts_gpus(view: View, needed: float) -> float:
    """GPUs up to which jobs with slack may start."""
    cap = float(view.gpus_by_power)
    burst = min((1.0 - NEEDED_SHARE) * cap, burst_gpus(view))
    return max(START_SHARE * cap, needed * (1.0 - burst / cap)) if cap else 0.0


def _soon_gpus(view: View, rows: Integers, ahead: Floats) -> float:
    """GPUs that there are in all steps of the longest minimum run."""
    steps = max(1, int(np.ceil(view.jobs.min_run_s[rows].max() / STEP_S)))
    return float(ahead[:steps].min())


def _wanted(view: View, ordered: Integers, wanted_gpus: float, must: Booleans, runs: Booleans) -> Floats:
    """Full GPUs up to which each may draw."""
    wanted = np.where(must, np.inf, max(wanted_gpus, 0.0))
    wanted[_pausing(view, ordered) & ~must] = -1.0
    wanted = wanted + KEPT * drawn_gpus(view, ordered) * runs
    room = room_gpus(view, ordered)
    return wanted if room is None else np.where(must, wanted, np.minimum(wanted, room))


def _pausing(view: View, rows: Integers) -> Booleans:
    """Who was stopped only just now."""
    paused: Booleans = ~running(view, rows) & (view.now_s - view.fleet.stopped_s[rows] < PAUSE_S)
    return paused


def _fitting(line: _Line, needed: float, soon_gpus: float) -> Booleans:
    """Who fits in order; a gang that does not is passed over for smaller ones behind it.

    Who starts early leaves room in `soon_gpus` for all that can't be stopped and all that is due soon.
    """
    gpus, drawn, taken = line.gpus, line.drawn, np.zeros(len(line.gpus), np.bool_)
    for _ in range(PASSES):
        so_far, so_far_drawn = float(gpus[taken].sum()), float(drawn[taken].sum())
        more = ~taken & (so_far + gpus <= line.limit)
        more &= (so_far_drawn + drawn <= line.wanted) | (so_far + gpus <= needed)
        total, power = so_far + np.cumsum(gpus * more), so_far_drawn + np.cumsum(drawn * more)
        fits = more & (total <= line.limit) & ((power <= line.wanted) | (total <= needed))
        kept = (taken & ~line.goes_on) | line.soon
        later = float(gpus[kept].sum()) + np.cumsum(gpus * (more & ~line.goes_on & ~line.soon))
        fits &= ~line.early | (later <= soon_gpus)
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
