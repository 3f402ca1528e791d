"""Decisions about jobs as commands, where the scheduler would do something else by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.actuation.suspends import BY_PLAN
from igoudar.control.planning.requests import Decision, Verb
from igoudar.core.model import JobState

EARLIER, LATER = timedelta(minutes=1), timedelta(minutes=20)  # smaller changes are not worth a command


def job_commands(
    decisions: Sequence[Decision], queue: Queue, now: datetime, life: timedelta, plan_version: str = ""
) -> list[Command]:
    """One command per decision that moves something."""
    jobs = {job.job_id: job for job in queue.jobs}
    due = [decision for decision in decisions if moves(decision, jobs[decision.job_id], now)]
    return [_command(one, _point(one, jobs[one.job_id]), now, life, plan_version) for one in due]


def moves(decision: Decision, job: QueuedJob, now: datetime) -> bool:
    """Whether a decision asks for something else than what the job does, or will do by itself."""
    if decision.verb is Verb.PAUSE:
        return job.state is JobState.RUNNING
    if job.state is JobState.SUSPENDED:
        return decision.verb is Verb.START
    return differs(decision, job.begin_at, now)


def differs(decision: Decision, begin_at: datetime | None, now: datetime) -> bool:
    """Whether the scheduler would do something else by itself."""
    if decision.verb is Verb.START:
        return begin_at is not None and begin_at > now
    if begin_at is None:
        return True
    return not -EARLIER < decision.begin_at - begin_at < LATER


def _point(decision: Decision, job: QueuedJob) -> str:
    if decision.verb is Verb.START:
        return "resume" if job.state is JobState.SUSPENDED else "release"
    return "suspend" if decision.verb is Verb.PAUSE else "delay"


def _command(decision: Decision, point: str, now: datetime, life: timedelta, plan_version: str) -> Command:
    return Command(
        command_id=f"{BY_PLAN if point == 'suspend' else ''}{uuid4().hex}",
        actuator=ActuatorClass.JOBS,
        target=decision.job_id,
        point=point,
        issued_at=now,
        expires_at=now + life,
        origin=Origin.PLAN,
        who="control",
        code=decision.code,
        params=decision.params,
        until=None if decision.verb is Verb.START else decision.begin_at,
        plan_version=plan_version,
    )
