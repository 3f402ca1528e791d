"""Who stands for an event, who must run now, who is next, and until when fresh jobs wait. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from igoudar.control.demand_response.case import Case
from igoudar.control.demand_response.levers import Delay, JobLever
from igoudar.core.model import JobState

TOLERANCE = timedelta(seconds=60)  # a begin time this much too early is not worth a command
OPEN_GUARD, OPEN_DELAY = 0.25, 0.5  # of the open length: delay what begins within the one, until the other


def standing(case: Case) -> list[JobLever]:
    """Jobs that an event keeps from running, by latest start: those it paused, and waiting ones.

    On the way back only those that it delayed: the others begin when the plan says.
    """
    memory = case.memory
    waiting = {job.job_id for job in case.levers.jobs if job.state is JobState.WAITING}
    held = memory.paused.keys() | (waiting if case.limit.acting else memory.delayed.keys() - later(case))
    found = [job for job in case.levers.jobs if job.job_id in held and job.job_id not in memory.refused]
    return sorted((job for job in found if job.state is not JobState.RUNNING), key=by_latest)


def later(case: Case) -> frozenset[str]:
    """Delayed jobs that would not have begun yet without the event."""
    return frozenset(name for name, at in case.memory.delayed.items() if at > case.now)


def given_back(case: Case) -> Iterator[Delay]:
    """Their begin times as they were."""
    for name in sorted(later(case) - case.memory.refused.keys()):
        yield Delay(name, case.memory.delayed[name])


def by_latest(job: JobLever) -> tuple[bool, float, bool, str]:
    """The nearest latest start first, then who was paused, then who has no deadline."""
    latest = job.latest
    at_s = latest.timestamp() if latest else 0.0
    return latest is None, at_s, job.state is JobState.WAITING, job.job_id


def must_run(case: Case) -> list[JobLever]:
    """Jobs that stand and must run now to keep their deadline."""
    soon = case.now + timedelta(seconds=case.lead_s)
    found = [job for job in standing(case) if not job.hopeless and job.latest and job.latest <= soon]
    feeds = case.levers.feeds
    return [job for job in found if feeds is None or feeds.fits(job.racks, job.rise_w)]


def next_in_line(case: Case, room_w: float, taken: Collection[str]) -> list[JobLever]:
    """Whoever stands, by latest start, while there is room; nobody overtakes.

    Only a job whose own breakers are full is passed by: it waits for them, the others don't.
    """
    going: list[JobLever] = []
    feeds = case.levers.feeds
    for job in standing(case):
        if job.job_id in taken or not _rested(case, job):
            continue
        if job.rise_w > room_w:
            break
        if feeds is not None and job.racks:
            if not feeds.fits(job.racks, job.rise_w):
                continue
            feeds = feeds.plus(job.racks, job.rise_w)
        going.append(job)
        room_w -= job.rise_w
    return going


def _rested(case: Case, job: JobLever) -> bool:
    """A pause that has just begun is not taken back for a little room."""
    paused = case.memory.paused.get(job.job_id)
    least = timedelta(seconds=case.rules.pause_at_least_s)
    return paused is None or not case.limit.acting or case.now - paused.at >= least


def held_back(job: JobLever, now: datetime) -> bool:
    """A waiting job that would not start by itself now."""
    return job.state is JobState.WAITING and job.begin_at is not None and job.begin_at > now


def delays(case: Case, going: Collection[str], dropped: Collection[str]) -> Iterator[Delay]:
    """Fresh jobs begin after the event, one after the other along the ramp, or at their latest start."""
    if "jobs" not in case.rules.levers:
        return
    guard = case.limit.until or case.now + timedelta(seconds=OPEN_GUARD * case.rules.open_s)
    over_s = 0.0 if case.limit.until else (OPEN_DELAY - 1.0) * case.rules.open_s
    before_w = case.back_w
    for job in standing(case):
        if job.state is not JobState.WAITING or job.job_id in going or job.job_id in case.memory.resumed:
            continue
        before_w += job.rise_w
        turn = case.back_at(before_w) + timedelta(seconds=over_s)
        until, least = turn, guard
        if job.latest and not job.hopeless and job.job_id not in dropped:
            until, least = min(turn, max(job.latest, case.now)), min(guard, max(job.latest, case.now))
        if job.begin_at is None or job.begin_at < least - TOLERANCE:
            yield Delay(job.job_id, until)
