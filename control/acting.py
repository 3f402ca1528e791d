"""The second half of a cycle: everything that is wanted becomes commands, in the order of who wants it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Executor, Outcome
from igoudar.control.actuation.guard.rules import CLASSES
from igoudar.control.actuation.guard.view import ORDER
from igoudar.control.actuation.jobs import job_commands
from igoudar.control.actuation.mandate import Mandate
from igoudar.control.actuation.power_budget import BudgetOrders
from igoudar.control.actuation.schedulers import Queue
from igoudar.control.actuation.sight import Sight
from igoudar.control.actuation.suspends import SuspendBook
from igoudar.control.planning.requests import Decision
from igoudar.control.planning.setpoint import Warmth
from igoudar.control.records.safety_tables import OverrideRow, SuspendRow
from igoudar.control.steering import Moment
from igoudar.core.errors import StoreError
from igoudar.core.model import JobState

LOG = logging.getLogger(__name__)

LEAST_LIFE_S, LIFE_CYCLES = 300.0, 6  # a command, and a device's reversion timer, live at least so long
AHEAD_CYCLES = 6  # before a resume-by, so that the failsafe finds nothing left to do


class Asks(Protocol):
    """Something that wants commands carried out, cycle by cycle: the plan for the plant, events."""

    def commands(self, sight: Sight, moment: Moment) -> Sequence[Command]:
        """What it wants now; what stands already may be asked for again."""
        ...


@dataclass(slots=True)
class Acting:
    """Collects wishes and has them carried out.

    Args:
        executor: Through which everything goes.
        mandate: Told to the collector before anything is asked of it.
        suspends: Jobs that must run again.
        budget: The plan's power for jobs.
        sources: Who else wants something of the plant.
        caps_stand: Whether the plan's caps are carried out.
        warmer: How much warmer the cooling's supply may be; None while the plan does not move it.
        dimmed: Per rack, what the caps that stand leave of its jobs' power above idle.
    """

    executor: Executor
    mandate: Mandate
    suspends: SuspendBook
    budget: BudgetOrders
    sources: list[Asks] = field(default_factory=list)
    caps_stand: Callable[[], bool] = bool
    warmer: Callable[[], Warmth | None] = lambda: None
    dimmed: Callable[[], Mapping[str, float]] = dict
    _paused: Sequence[SuspendRow] = ()  # as last read

    async def prepare(self, sight: Sight, now: datetime) -> None:
        """Let everybody who asks for something be judged by this picture."""
        self.executor.gate.sight = sight
        if self.executor.gate.lease.held():  # else they are the other host's to end
            self.run_out(now)
        await self.mandate.tell()

    async def act(
        self, sight: Sight, moment: Moment, decisions: Sequence[Decision], queue: Queue | None, plan: str
    ) -> list[Outcome]:
        """One cycle's commands and what became of them."""
        now, life = moment.now, life_of(moment.cycle_s)
        ahead = timedelta(seconds=AHEAD_CYCLES * moment.cycle_s)
        due = self._due(sight, now, life, ahead)
        wishes, ends = [*self._kept(now, life), *due], {command.target for command in due}
        for source in self.sources:
            wishes += source.commands(sight, moment)
        if queue is not None:
            others = [one for one in decisions if one.job_id not in ends]
            wishes += job_commands(others, queue, now, life, plan)
            wishes += self.budget.commands(moment, queue, decisions)
        wishes.sort(key=lambda command: ORDER.index(command.origin))
        outcomes = await self.executor.submit(wishes, now)
        self.executor.gate.memory.tidy(now)
        return outcomes

    def run_out(self, now: datetime) -> None:
        """Overrides and proposals whose time is over, each with its line."""
        chronicle = self.executor.chronicle
        for row in self.executor.gate.overrides.expire(now):
            chronicle.say(now, "control", "override_expired", row.target, row.point, "guard.override_expired")
        for proposal in self.executor.proposals.expire(now):
            target, point = str(proposal.command["target"]), str(proposal.command["point"])
            chronicle.say(now, "control", "proposal_expired", target, point, "guard.proposal_expired")
        chronicle.flush()

    def _kept(self, now: datetime, life: timedelta) -> list[Command]:
        """What people hold is written again before a device's timer gives it up."""
        rows = self.executor.gate.overrides.points()
        return [self._override(row, now, life) for row in rows if row.value is not None]

    def _override(self, row: OverrideRow, now: datetime, life: timedelta) -> Command:
        kind = self.executor.gate.rules.devices.get(row.target)
        return Command(
            command_id=uuid4().hex,
            actuator=CLASSES.get(kind, ActuatorClass.CAPS) if kind else ActuatorClass.CAPS,
            target=row.target,
            point=row.point,
            issued_at=now,
            expires_at=min(now + life, row.until),
            origin=Origin.OVERRIDE,
            who="control",
            code="guard.override_kept",
            params={"who": row.who, "until": row.until},
            value=row.value,
            approved_by=tuple(row.who.split(", ")),
        )

    def _due(self, sight: Sight, now: datetime, life: timedelta, ahead: timedelta) -> list[Command]:
        """Jobs whose resume-by is near; those that a person or their end resumed are crossed out."""
        if sight.jobs is None:
            return []
        found = []
        for row in self._open():
            job = sight.jobs.get(row.job_id)
            if job is None or job.state is not JobState.SUSPENDED:
                if now > row.at + life:  # the pause itself may not show yet
                    self._cross_out(row.job_id, now)
            elif now >= row.resume_by - min(ahead, (row.resume_by - row.at) / 4):
                found.append(_resume(row.job_id, row.resume_by, now, life))
        return found

    def _open(self) -> Sequence[SuspendRow]:
        """Jobs that must run again; while the database can't be read, as it was last."""
        try:
            self._paused = self.suspends.open()
        except StoreError as error:
            LOG.warning("paused jobs are taken as last read: %s", error)
        return self._paused

    def _cross_out(self, job_id: str, now: datetime) -> None:
        """A job runs again; what can't be kept now is crossed out in a later cycle."""
        try:
            self.suspends.resumed(job_id, now)
        except StoreError as error:
            LOG.warning("a job that runs again can't be crossed out: %s", error)


def life_of(cycle_s: float) -> timedelta:
    """How long a command of this cycle may stand."""
    return timedelta(seconds=max(LEAST_LIFE_S, LIFE_CYCLES * cycle_s))


def _resume(job_id: str, resume_by: datetime, now: datetime, life: timedelta) -> Command:
    return Command(
        command_id=uuid4().hex,
        actuator=ActuatorClass.JOBS,
        target=job_id,
        point="resume",
        issued_at=now,
        expires_at=now + life,
        origin=Origin.SAFETY,
        who="control",
        code="guard.resume_by",
        params={"until": resume_by},
    )
