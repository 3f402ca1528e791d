"""What people ask of jobs: every wish goes through the executor, is carried out or refused, and recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Executor
from igoudar.control.actuation.overrides import HOLD
from igoudar.control.actuation.refusal import raise_refused
from igoudar.control.actuation.schedulers import Queue, QueuedJob, Scheduler
from igoudar.control.actuation.sight import by_id
from igoudar.control.errors import UnknownNameError
from igoudar.control.records.tables import ActionRow
from igoudar.core.errors import CommandError
from igoudar.core.model import JobState
from igoudar.core.said import said

LIFE = timedelta(minutes=5)  # of a person's command, on the wall
Note = Callable[[str, str, str, str, str, str, datetime], None]  # who, what, before, after, why, result, when
VERBS = ("hold", "release", "delay", "suspend", "resume")
STATES = {
    "hold": (JobState.WAITING, JobState.HELD),
    "delay": (JobState.WAITING, JobState.HELD),
    "release": (JobState.WAITING, JobState.HELD),
    "suspend": (JobState.RUNNING,),
    "resume": (JobState.SUSPENDED,),
}


@dataclass(slots=True)
class Operator:
    """Acts on jobs for people; what they set stays until they release it.

    Args:
        scheduler: Asked for its queue before each wish.
        executor: Carries it out.
        speed: Site seconds per wall second.
    """

    scheduler: Scheduler
    executor: Executor
    speed: float = 1.0

    @property
    def overrides(self) -> Mapping[str, str]:
        """Job -> the verb that a person set."""
        return self.executor.gate.overrides.jobs()

    async def act(
        self, job_id: str, verb: str, who: str, reason: str, now: datetime, until: datetime | None
    ) -> ActionRow:
        """Do one thing to one job.

        Raises:
            UnknownNameError: no such job.
            CommandError: the job's state does not allow it, a time is missing or past, or it was refused.
        """
        command = await self.wish(job_id, verb, who, reason, now, until)
        return await self._submit(command, now)

    async def wish(
        self, job_id: str, verb: str, who: str, reason: str, now: datetime, until: datetime | None
    ) -> Command:
        """The command that a wish means; nothing is done.

        Raises:
            UnknownNameError, CommandError: as `act`, but for what the guard and the scheduler say.
        """
        job = await self._find(job_id)
        ends = self._end(job, verb, now, until)
        point = "delay" if verb == "hold" else verb
        return self._command(job, verb, point, who, reason, now, ends, Origin.OVERRIDE)

    async def approve(self, job_id: str, start: datetime, who: str, reason: str, now: datetime) -> ActionRow:
        """Carry out a proposal of the plan: the job starts at `start`, and nothing stays set.

        Raises:
            UnknownNameError: no such job.
            CommandError: it does not wait any more, or it was refused.
        """
        job = await self._find(job_id)
        if job.state not in STATES["delay"]:
            raise said(CommandError, "refusal.job_approve", where=job_id, state_code=_state(job))
        later = start if start > now else None
        point = "delay" if later else "release"
        command = self._command(job, "approve", point, who, reason, now, later, Origin.OPERATOR)
        return await self._submit(command, now)

    def note(
        self, who: str, verb: str, target: str, before: str, after: str, reason: str, at: datetime
    ) -> None:
        """Record something else that a person did."""
        chronicle = self.executor.chronicle
        params = {"who": who, "reason": reason}
        chronicle.say(at, who, verb, target, after, "control.operator", params, before)
        chronicle.flush()

    async def _submit(self, command: Command, now: datetime) -> ActionRow:
        before = self.executor.gate.sight.before(command)
        (outcome,) = await self.executor.submit([command], now)
        raise_refused(outcome)
        return self.executor.chronicle.line(command, outcome.result, before, now)

    async def _find(self, job_id: str) -> QueuedJob:
        queue = await self.scheduler.queue()
        gate = self.executor.gate
        gate.sight = replace(gate.sight, jobs=by_id(queue))
        return find_job(queue, job_id)

    def _command(
        self,
        job: QueuedJob,
        verb: str,
        point: str,
        who: str,
        reason: str,
        now: datetime,
        until: datetime | None,
        origin: Origin,
    ) -> Command:
        return Command(
            command_id=uuid4().hex,
            actuator=ActuatorClass.JOBS,
            target=job.job_id,
            point=point,
            issued_at=now,
            expires_at=now + LIFE * self.speed,
            origin=origin,
            who=who,
            code="control.operator",
            params={"who": who, "reason": reason, "verb": verb},
            until=until,
            approved_by=(who,),
        )

    def _end(self, job: QueuedJob, verb: str, now: datetime, until: datetime | None) -> datetime | None:
        """The begin time of a delay, the resume-by of a pause."""
        if job.state not in STATES[verb]:
            raise said(CommandError, "refusal.job_verb", where=job.job_id, state_code=_state(job), verb=verb)
        if verb == "delay" and until is None:
            raise said(CommandError, "refusal.job_until", where=job.job_id)
        if verb not in ("hold", "delay", "suspend"):
            return None
        most = timedelta(seconds=self.executor.gate.rules.guarding.resume_by_max_s)
        ends = until or now + (most if verb == "suspend" else HOLD)
        if ends <= now:
            raise said(CommandError, "refusal.job_past", where=job.job_id, at=ends.isoformat())
        return ends


def _state(job: QueuedJob) -> str:
    return f"dashboard.job_state_{job.state.value}"


def find_job(queue: Queue, job_id: str) -> QueuedJob:
    """A job of the queue by its id."""
    found = next((job for job in queue.jobs if job.job_id == job_id), None)
    if found is None:
        raise said(UnknownNameError, "refusal.no_job", where=job_id)
    return found
