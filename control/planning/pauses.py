"""Which running jobs a plan pauses while the meters show a lack that lasts. Pure.

Battery and caps come first: what they cover is not imported, and only what is imported counts as lacking.
A lack begins when more runs than the plan wants by one threshold and ends by a lower one; only the least of
it that has lasted is answered, and after each answer the meters are watched anew. Going on again is
`dispatch`'s to say: to it a paused job is one that waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from igoudar.control.demand_response.choose import Tier, ranked
from igoudar.control.demand_response.levers import JobLever
from igoudar.control.planning.dispatch import DOWN_SHARE, UP_SHARE, Guidance
from igoudar.control.planning.latest import latest_starts
from igoudar.control.planning.requests import Decision, JobRequest, Margins, Verb
from igoudar.control.planning.select import PAUSE_S

LEAST = timedelta(seconds=PAUSE_S)  # no pause is shorter, unless a latest start has come nearer
OVER_SHARE = 0.1  # of its GPUs may be more than lack: the supply is never quite what a plan expected
STOPS_SHARE = 0.2  # of a day's jobs at most are paused by the plan, each of them once


@dataclass(frozen=True, slots=True)
class Lack:
    """Since when more runs than the plan wants, on imported power; the least of both since then."""

    since: datetime | None = None
    gpus: float = 0.0
    import_w: float = 0.0


@dataclass(frozen=True, slots=True)
class Pausable:
    """A running job that may be paused; its request counts what the stop throws away as still to do."""

    lever: JobLever
    request: JobRequest


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who shares the GPUs at this moment."""

    now: datetime
    gpus: int
    running: Sequence[JobRequest]
    waiting: Sequence[JobRequest]
    margins: Margins


def lasting(lack: Lack, now: datetime, guidance: Guidance | None, import_w: float | None, gpus: int) -> Lack:
    """The lack one look later; over without a plan or a meter, or once what runs is near what is wanted."""
    if guidance is None or import_w is None:
        return Lack()
    over = guidance.running_gpus - guidance.gpus
    if over <= (DOWN_SHARE if lack.since is None else UP_SHARE) * gpus or import_w <= 0.0:
        return Lack()
    if lack.since is None:
        return Lack(now, over, import_w)
    return Lack(lack.since, min(lack.gpus, over), min(lack.import_w, import_w))


def stops_left(paused: int, jobs: int) -> int:
    """How many more may be paused, of so many jobs of the day."""
    return max(0, int(STOPS_SHARE * jobs) - paused)


def pauses(
    lack: Lack, able: Sequence[Pausable], crowd: Crowd, most: int, longest: timedelta
) -> list[tuple[Pausable, datetime]]:
    """Who is paused now, and by when each must run again; the lack must have lasted."""
    chosen = _in_time(_fitting(lack, able, crowd, most), crowd)
    return [(one, min(latest, crowd.now + longest)) for one, latest in chosen]


def decisions(chosen: Sequence[tuple[Pausable, datetime]], lack: Lack, guidance: Guidance) -> list[Decision]:
    """The same as answers with their reason."""
    numbers = {
        "plan_gpus": round(guidance.gpus),
        "gpus": guidance.running_gpus,
        "import_w": lack.import_w,
        "since": lack.since,
    }
    return [
        Decision(
            one.lever.job_id,
            Verb.PAUSE,
            until,
            "control.plan_pauses",
            {**numbers, "until": until, "lost_min": round(one.lever.lost_s / 60.0)},
        )
        for one, until in chosen
    ]


def _fitting(lack: Lack, able: Sequence[Pausable], crowd: Crowd, most: int) -> list[Pausable]:
    """Least work lost first, then most slack: gangs whole, hardly more GPUs than lack, and no more power."""
    by_id = {one.lever.job_id: one for one in able}
    room_gpus, room_w = lack.gpus, lack.import_w
    found: list[Pausable] = []
    for candidate in ranked([one.lever for one in able], crowd.now, PAUSE_S, PAUSE_S):
        one = by_id[candidate.job.job_id]
        fits = one.request.gpus <= room_gpus + _over(one, crowd) and one.request.power_w <= room_w
        if candidate.tier is Tier.SAFE and fits and len(found) < most:
            room_gpus, room_w = room_gpus - one.request.gpus, room_w - one.request.power_w
            found.append(one)
    return found


def _over(one: Pausable, crowd: Crowd) -> float:
    """By how many GPUs a gang may be more than lacks: no more than what counts as no lack."""
    return min(OVER_SHARE * one.request.gpus, UP_SHARE * crowd.gpus)


def _in_time(chosen: list[Pausable], crowd: Crowd) -> list[tuple[Pausable, datetime]]:
    """Of these who may stand long enough where all share their GPUs, and press nobody else to run now."""
    before = _latest((), crowd)
    while chosen:
        after = _latest(chosen, crowd)
        stay = [one for one in chosen if after[one.lever.job_id] >= crowd.now + LEAST]
        if len(stay) == len(chosen):
            if not any(after[name] <= crowd.now < at for name, at in before.items()):
                return [(one, after[one.lever.job_id]) for one in chosen]
            stay.pop()
        chosen = stay
    return []


def _latest(paused: Sequence[Pausable], crowd: Crowd) -> Mapping[str, datetime]:
    names = {one.lever.job_id for one in paused}
    going = [job for job in crowd.running if job.job_id not in names]
    waiting = [*crowd.waiting, *(one.request for one in paused)]
    return latest_starts(crowd.now, crowd.gpus, going, waiting, crowd.margins)
