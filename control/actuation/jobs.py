"""Decisions about jobs as commands, where the scheduler would do something else by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.schedulers import Queue
from igoudar.control.planning.requests import Decision, Verb

EARLIER, LATER = timedelta(minutes=1), timedelta(minutes=20)  # smaller changes are not worth a command


def job_commands(
    decisions: Sequence[Decision], queue: Queue, now: datetime, life: timedelta, plan_version: str = ""
) -> list[Command]:
    """One command per decision that moves something."""
    begins = {job.job_id: job.begin_at for job in queue.jobs}
    due = [decision for decision in decisions if differs(decision, begins[decision.job_id], now)]
    return [_command(decision, now, life, plan_version) for decision in due]


def differs(decision: Decision, begin_at: datetime | None, now: datetime) -> bool:
    """Whether the scheduler would do something else by itself."""
    if decision.verb is Verb.START:
        return begin_at is not None and begin_at > now
    if begin_at is None:
        return True
    return not -EARLIER < decision.begin_at - begin_at < LATER


def _command(decision: Decision, now: datetime, life: timedelta, plan_version: str) -> Command:
    starts = decision.verb is Verb.START
    return Command(
        command_id=uuid4().hex,
        actuator=ActuatorClass.JOBS,
        target=decision.job_id,
        point="release" if starts else "delay",
        issued_at=now,
        expires_at=now + life,
        origin=Origin.PLAN,
        who="control",
        code=decision.code,
        params=decision.params,
        until=None if starts else decision.begin_at,
        plan_version=plan_version,
    )
