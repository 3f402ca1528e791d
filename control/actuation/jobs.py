"""Carries decisions out on the scheduler, as far as the mode allows, and says what was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.control.actuation.schedulers import Delays, Queue, QueuedJob
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.records.tables import ActionRow
from igoudar.control.schema import ModeWord
from igoudar.control.text import text
from igoudar.core.errors import CommandError, LinkError

EARLIER, LATER = timedelta(minutes=1), timedelta(minutes=20)  # smaller changes are not worth a command


@dataclass(slots=True)
class JobActuator:
    """Acts in auto, proposes in advise, is quiet in observe; an unchanged answer is not repeated."""

    scheduler: Delays
    zone: str
    config_version: str
    _proposed: dict[str, Decision] = field(default_factory=dict)

    async def apply(
        self, decisions: Sequence[Decision], queue: Queue, mode: ModeWord, now: datetime
    ) -> list[ActionRow]:
        """One row per action done, failed or proposed."""
        jobs = {job.job_id: job for job in queue.jobs}
        due = [d for d in decisions if differs(d, jobs[d.job_id].begin_at, now)]
        if mode == "observe":
            return []
        if mode == "advise":
            return [self._row(d, jobs, now, "proposed") for d in due if self._new(d)]
        return [self._row(d, jobs, now, await self._act(d)) for d in due]

    async def _act(self, decision: Decision) -> str:
        try:
            if decision.verb is Verb.START:
                await self.scheduler.release(decision.job_id)
            else:
                await self.scheduler.delay(decision.job_id, decision.begin_at)
        except (LinkError, CommandError) as error:
            return f"failed: {error}"
        return "done"

    def _new(self, decision: Decision) -> bool:
        last = self._proposed.get(decision.job_id)
        self._proposed[decision.job_id] = decision
        return last is None or last.verb is not decision.verb

    def _row(
        self, decision: Decision, jobs: Mapping[str, QueuedJob], now: datetime, result: str
    ) -> ActionRow:
        reason = text(decision.code, self.zone, **decision.params)
        before = jobs[decision.job_id].begin_at
        return ActionRow(
            at=now,
            who="control",
            verb="release" if decision.verb is Verb.START else "delay",
            target=decision.job_id,
            before=before.isoformat() if before else None,
            after=decision.begin_at.isoformat(),
            code=reason.code,
            params=reason.params,
            result=result,
            config_version=self.config_version,
        )


def differs(decision: Decision, begin_at: datetime | None, now: datetime) -> bool:
    """Whether the scheduler would do something else by itself."""
    if decision.verb is Verb.START:
        return begin_at is not None and begin_at > now
    if begin_at is None:
        return True
    return not -EARLIER < decision.begin_at - begin_at < LATER
