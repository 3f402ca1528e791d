"""Policies to compare with, each a few lines behind the one interface; sources in docs/planner.md."""

import numpy as np

from igoudar.control.planning.headroom import LastDay
from igoudar.control.planning.policy import STEP_S, Orders, View
from igoudar.control.planning.select import choose, surplus_gpus
from igoudar.control.planning.table import Booleans, Floats, Integers
from igoudar.control.planning.urgency import forced, left_s, locked, needed_gpus, running, slack_s

STEPS_PER_DAY = 96
FULL_SHARE = 0.5  # `threshold`: surplus for this share of the GPUs opens the gate; our assumption


class RunNow:
    """Everything as soon as it fits, in order of submission; a gang that does not fit blocks the rest."""

    name = "run-now"

    def decide(self, view: View) -> Orders:
        """Go on with what runs (all of it, unless the cap fell), then start from the head of the queue."""
        runs = running(view, view.active)
        going = view.active[runs]
        kept = _head(view, going[np.argsort(~locked(view, going), kind="stable")], view.gpus_by_power)
        free = view.gpus_by_power - int(view.jobs.gpus[kept].sum())
        return Orders(np.concatenate([kept, _head(view, view.active[~runs], free)]))


def _head(view: View, rows: Integers, gpus: int) -> Integers:
    """The first rows that fit together."""
    return rows[: int(np.searchsorted(np.cumsum(view.jobs.gpus[rows]), gpus, side="right"))]


class Greedy:
    """Run on surplus, else wait, force at the latest start; jobs with slack are stopped when surplus goes."""

    name = "greedy"

    def __init__(self) -> None:
        self._last_day = LastDay()

    def decide(self, view: View) -> Orders:
        """As many GPUs as the surplus carries now."""
        return Orders(choose(view, surplus_gpus(view), ahead=self._last_day.headroom(view)))


class Threshold:
    """All or nothing: run everything while the surplus carries half of the GPUs, only what must otherwise."""

    name = "threshold"

    def decide(self, view: View) -> Orders:
        """The gate is open or shut."""
        is_open = surplus_gpus(view) >= FULL_SHARE * view.gpus_by_power
        return Orders(choose(view, view.gpus_by_power if is_open else 0.0, preempt=False))


class Daily:
    """Redistribute within the day by what the same quarter-hour of yesterday had to spare."""

    name = "daily"

    def __init__(self) -> None:
        self._seen: list[float] = []

    def decide(self, view: View) -> Orders:
        """Yesterday's surplus now; on the first day everything runs."""
        self._seen.append(surplus_gpus(view))
        past = self._seen[-1 - STEPS_PER_DAY] if len(self._seen) > STEPS_PER_DAY else view.gpus_by_power
        return Orders(choose(view, past, preempt=False))


class SureSurplus:
    """Admit a job only if the surplus that is nearly sure (P10) lasts as long as the job; never stop it.

    Source: Cucumber (Wiesner et al., Euro-Par 2022), admission by freep capacity.
    """

    name = "sure-surplus"

    def decide(self, view: View) -> Orders:
        """Start, by urgency, what the sure surplus of its whole run carries."""
        rows = view.active
        runs = running(view, rows)
        sure = np.minimum.accumulate(green_gpus(view, sure=True))
        steps = np.clip(np.ceil(left_s(view, rows) / STEP_S).astype(int) - 1, 0, len(sure) - 1)
        used = int(view.jobs.gpus[rows[runs]].sum())
        admitted = used
        for index in np.argsort(slack_s(view, rows), kind="stable"):
            if not runs[index] and admitted + view.jobs.gpus[rows[index]] <= sure[steps[index]]:
                admitted += int(view.jobs.gpus[rows[index]])
        return Orders(choose(view, admitted, preempt=False))


class WaitAwhile:
    """Each job, alone, picks the greenest contiguous run inside its slack and starts then.

    Source: Let's Wait Awhile (Wiesner et al., Middleware 2021), non-interruptible.
    """

    name = "wait-awhile"

    def decide(self, view: View) -> Orders:
        """Start the jobs whose greenest run begins now."""
        rows = view.active
        ready = running(view, rows) | forced(view, rows)
        total = np.concatenate([[0.0], np.cumsum(green_gpus(view))])
        for index in np.flatnonzero(~ready):
            ready[index] = _begins_now(total, *_window(view, rows[index]))
        return Orders(_within(view, rows, ready))


class WaitAwhileInterruptible:
    """Each job, alone, runs in the greenest quarter-hours inside its slack.

    Source: Let's Wait Awhile (Wiesner et al., Middleware 2021), interruptible.
    """

    name = "wait-awhile-interruptible"

    def decide(self, view: View) -> Orders:
        """Run the jobs for which now is among their greenest quarter-hours."""
        rows = view.active
        green = green_gpus(view)
        ready = forced(view, rows)
        for index in np.flatnonzero(~ready):
            steps, slack = _window(view, rows[index])
            window = green[: steps + slack]
            ready[index] = np.count_nonzero(window > window[0]) < steps
        return Orders(_within(view, rows, ready))


def green_gpus(view: View, *, sure: bool = False) -> Floats:
    """GPUs that the forecast supply carries per step from now on; without a forecast, what it carries now."""
    now = surplus_gpus(view)
    if view.forecast is None:
        return np.full(2 * STEPS_PER_DAY, now)
    given, limits = view.forecast, view.limits
    supply_w = given.pv.p10_w + given.wind.p10_w if sure else given.pv.p50_w + given.wind.p50_w
    drives_w = limits.desalination_w + limits.electrolyser_w
    urgent_w = (given.urgent.p90_w if sure else given.urgent.p50_w) * given.pue
    green = np.maximum(0.0, supply_w - urgent_w - drives_w) / (limits.gpu_w * given.pue)
    green[0] = now
    return green


def _window(view: View, row: int) -> tuple[int, int]:
    """Steps a job still runs, and steps it may wait, inside the forecast."""
    one = np.array([row])
    steps = max(1, int(np.ceil(left_s(view, one)[0] / STEP_S)))
    return steps, max(0, int(min(slack_s(view, one)[0] / STEP_S, 2 * STEPS_PER_DAY)))


def _begins_now(total: Floats, steps: int, slack: int) -> bool:
    steps = min(steps, len(total) - 1)
    last = min(slack, len(total) - 1 - steps)
    runs = total[steps : steps + last + 1] - total[: last + 1]
    return bool(runs[0] >= runs.max())


def _within(view: View, rows: Integers, ready: Booleans) -> Integers:
    """The ready ones under the cap, those that may not stop, and urgent ones as the cap will need them."""
    fixed, slack = locked(view, rows), slack_s(view, rows)
    rank = np.lexsort((slack, ~ready, ~fixed))
    needed = min(needed_gpus(view, rows), view.gpus_by_power)
    room = np.where((ready | fixed)[rank], view.gpus_by_power, needed)
    return rows[rank[np.cumsum(view.jobs.gpus[rows[rank]]) <= room]]
