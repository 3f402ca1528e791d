"""The jobs' side of a step: who starts, who stops, who ends, and what they draw."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Fleet, Floats, Integers, JobTable, Phase
from igoudar.control.planning.urgency import locked
from igoudar.core.errors import CommandError


@dataclass(frozen=True, slots=True)
class Running:
    """The jobs that ran in a step and what each drew on average [W]."""

    rows: Integers
    power_w: Floats


def submit(fleet: Fleet, jobs: JobTable, now_s: float) -> None:
    """Jobs submitted by `now_s` begin to wait."""
    count = int(np.searchsorted(jobs.submitted_s, now_s, side="right"))
    arrived = fleet.phase[:count] == Phase.AHEAD
    fleet.phase[:count][arrived] = Phase.WAITING


def active(fleet: Fleet) -> Integers:
    """Rows of jobs that wait or run."""
    return np.flatnonzero((fleet.phase == Phase.WAITING) | (fleet.phase == Phase.RUNNING))


def check(view: View, run: Integers, ratio: Floats | None = None) -> None:
    """Refuse orders that no scheduler could carry out.

    Raises:
        CommandError: a job twice, not active, too many GPUs, capped lower than may be, or stopped inside its
            minimum run, unless the cap fell so far that those that may not be stopped do not fit.
    """
    fleet, jobs = view.fleet, view.jobs
    if len(np.unique(run)) != len(run) or not np.isin(run, view.active).all():
        raise _refused(view, "a job is ordered twice, or one that does not wait or run")
    if int(jobs.gpus[run].sum()) > view.gpus_by_power:
        raise _refused(view, f"{int(jobs.gpus[run].sum())} GPUs are ordered, {view.gpus_by_power} may run")
    stopped = np.setdiff1d(np.flatnonzero(fleet.phase == Phase.RUNNING), run)
    curve = view.limits.cap_curve
    if ratio is not None and not (
        curve and ratio.min(initial=1.0) >= curve[0][0] and ratio.max(initial=1.0) <= 1.0
    ):
        raise _refused(view, "a job is capped where none may be, or lower")
    if locked(view, stopped).any() and not _crowded(view):
        raise _refused(view, "a job is stopped that may not be")


def _crowded(view: View) -> bool:
    """Whether the jobs that may not be stopped need more GPUs than may run: the cap comes first."""
    kept = view.active[locked(view, view.active)]
    return int(view.jobs.gpus[kept].sum()) > view.gpus_by_power


def _refused(view: View, what: str) -> CommandError:
    return CommandError(
        what, where=f"step {view.step}", fix="the policy's orders break the rules of the plant"
    )


def follow(view: View, run: Integers, ratio: Floats | None = None) -> Running:
    """Stop, start and advance jobs over one step; ends fall to the minute, GPUs are free at the next step.

    `ratio` is each job's power over full power; the curve of the limits says how much slower it then is.
    """
    fleet, jobs, now_s = view.fleet, view.jobs, view.now_s
    _stop(fleet, jobs, np.setdiff1d(np.flatnonzero(fleet.phase == Phase.RUNNING), run), now_s)
    _start(fleet, run[fleet.phase[run] == Phase.WAITING], now_s)
    left_s = jobs.duration_s[run] - fleet.done_s[run]
    power, speed = _slowed(view, run, ratio)
    worked_s = np.minimum(left_s, STEP_S * speed)
    fleet.done_s[run] += worked_s
    ended = left_s <= STEP_S * speed
    fleet.finished_s[run[ended]] = now_s + left_s[ended] / speed[ended]
    fleet.phase[run[ended]] = Phase.DONE
    fleet.since_s[run[ended]] = np.nan
    power_w = jobs.gpus[run] * (view.limits.gpu_w / STEP_S) * (worked_s / speed) * power
    return Running(run, power_w.astype(np.float64))


def _slowed(view: View, run: Integers, ratio: Floats | None) -> tuple[Floats, Floats]:
    """Shares of full power and of full speed."""
    if ratio is None:
        return np.ones(len(run)), np.ones(len(run))
    powers, works = (np.array(column) for column in zip(*view.limits.cap_curve, strict=True))
    return ratio, np.interp(ratio, powers, works)


def _stop(fleet: Fleet, jobs: JobTable, rows: Integers, now_s: float) -> None:
    fleet.done_s[rows] = np.maximum(0.0, fleet.done_s[rows] - jobs.checkpoint_s[rows])
    fleet.phase[rows] = Phase.WAITING
    fleet.since_s[rows] = np.nan
    fleet.stops[rows] += 1
    fleet.stopped_s[rows] = now_s


def _start(fleet: Fleet, rows: Integers, now_s: float) -> None:
    fleet.phase[rows] = Phase.RUNNING
    fleet.since_s[rows] = now_s
    first = rows[np.isnan(fleet.first_start_s[rows])]
    fleet.first_start_s[first] = now_s
