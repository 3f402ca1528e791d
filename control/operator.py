"""What people ask for: every wish is carried out or refused, and recorded with its reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from igoudar.control.actuation.schedulers import Queue, QueuedJob, Scheduler
from igoudar.control.errors import UnknownNameError
from igoudar.control.records.state import Records
from igoudar.control.records.tables import ActionRow
from igoudar.control.text import text
from igoudar.core.errors import CommandError, LinkError
from igoudar.core.model import JobState

HOLD = timedelta(days=7)  # even a person's hold ends by itself
VERBS = ("hold", "release", "delay", "suspend", "resume")
STICKY = ("hold", "delay", "suspend")  # until released or resumed
STATES = {
    "hold": (JobState.WAITING, JobState.HELD),
    "delay": (JobState.WAITING, JobState.HELD),
    "release": (JobState.WAITING, JobState.HELD),
    "suspend": (JobState.RUNNING,),
    "resume": (JobState.SUSPENDED,),
}


class Operator:
    """Acts on jobs for people; what they set stays until they release it."""

    def __init__(self, scheduler: Scheduler, records: Records, config_version: str) -> None:
        self._scheduler, self._records, self._version = scheduler, records, config_version
        self.overrides = _overrides(records.actions(limit=10_000))

    async def act(
        self, job_id: str, verb: str, who: str, reason: str, now: datetime, until: datetime | None
    ) -> ActionRow:
        """Do one thing to one job.

        Raises:
            UnknownNameError: no such job.
            CommandError: the job's state does not allow it, or a time is missing or past.
        """
        job = find_job(await self._scheduler.queue(), job_id)
        begin_at = _begin_at(job, verb, now, until)
        try:
            await self._call(verb, job_id, begin_at or now)
        except (CommandError, LinkError) as error:
            self._record(job, verb, who, reason, now, begin_at, f"failed: {error}")
            raise
        row = self._record(job, verb, who, reason, now, begin_at, "done")
        _remember(self.overrides, job_id, verb)
        return row

    async def approve(self, job_id: str, start: datetime, who: str, reason: str, now: datetime) -> ActionRow:
        """Carry out a proposal: the job starts at `start`, and nothing stays set.

        Raises:
            UnknownNameError: no such job.
            CommandError: it does not wait any more, or the scheduler refused.
        """
        job = find_job(await self._scheduler.queue(), job_id)
        if job.state not in STATES["delay"]:
            raise CommandError(f"a {job.state.value} job can't be approved", where=job_id)
        later = start if start > now else None
        try:
            await self._call("delay" if later else "release", job_id, start)
        except (CommandError, LinkError) as error:
            self._record(job, "approve", who, reason, now, later, f"failed: {error}")
            raise
        return self._record(job, "approve", who, reason, now, later, "done")

    def note(
        self, who: str, verb: str, target: str, before: str, after: str, reason: str, at: datetime
    ) -> None:
        """Record something else that a person did."""
        self._keep(at, who, verb, target, before, after, reason, "done")

    async def _call(self, verb: str, job_id: str, begin_at: datetime) -> None:
        if verb in ("hold", "delay"):
            await self._scheduler.delay(job_id, begin_at)
            return
        calls = {
            "release": self._scheduler.release,
            "suspend": self._scheduler.suspend,
            "resume": self._scheduler.resume,
        }
        await calls[verb](job_id)

    def _record(
        self,
        job: QueuedJob,
        verb: str,
        who: str,
        reason: str,
        now: datetime,
        begin_at: datetime | None,
        result: str,
    ) -> ActionRow:
        before = job.begin_at.isoformat() if job.begin_at else job.state.value
        after = begin_at.isoformat() if begin_at else verb
        return self._keep(now, who, verb, job.job_id, before, after, reason, result)

    def _keep(
        self,
        at: datetime,
        who: str,
        verb: str,
        target: str,
        before: str,
        after: str,
        reason: str,
        result: str,
    ) -> ActionRow:
        said = text("control.operator", who=who, reason=reason)
        row = ActionRow(
            at=at,
            who=who,
            verb=verb,
            target=target,
            before=before,
            after=after,
            code=said.code,
            params=said.params,
            result=result,
            config_version=self._version,
        )
        self._records.add([row])
        return row


def find_job(queue: Queue, job_id: str) -> QueuedJob:
    """A job of the queue by its id."""
    found = next((job for job in queue.jobs if job.job_id == job_id), None)
    if found is None:
        raise UnknownNameError("no such job", where=job_id, fix="`igoudar job list` shows them")
    return found


def _begin_at(job: QueuedJob, verb: str, now: datetime, until: datetime | None) -> datetime | None:
    if job.state not in STATES[verb]:
        raise CommandError(f"a {job.state.value} job can't be given {verb!r}", where=job.job_id)
    if verb == "delay" and until is None:
        raise CommandError("a delay needs the time until which", where=job.job_id, fix="give --until")
    if verb not in ("hold", "delay"):
        return None
    begin_at = until or now + HOLD
    if begin_at <= now:
        raise CommandError(f"{begin_at.isoformat()} is already past", where=job.job_id)
    return begin_at


def _overrides(newest_first: Sequence[ActionRow]) -> dict[str, str]:
    """The overrides that still hold, from the record."""
    overrides: dict[str, str] = {}
    for row in reversed(newest_first):
        if row.who != "control" and row.verb in VERBS and row.result == "done":
            _remember(overrides, row.target, row.verb)
    return overrides


def _remember(overrides: dict[str, str], job_id: str, verb: str) -> None:
    if verb in STICKY:
        overrides[job_id] = verb
    else:
        overrides.pop(job_id, None)
