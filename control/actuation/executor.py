"""The one way from a wish to the world: lease, guard, mode, link, record. Nothing acts beside it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from weakref import WeakValueDictionary

from igoudar.collectors.results import OutOfBounds, Rejected, Result
from igoudar.control.actuation.command import ActuatorClass, Command

AT_ONCE = 16  # commands on their way at the same time
REMEMBERED = 10_000  # command ids that are never carried out twice
OBSERVED, PROPOSED = "observe", "proposed"  # reasons of Rejected: the mode, not a fault, kept it back

Path = Literal["carry", "propose", "observe"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command; `proposal_id` where it waits for a person instead."""

    command: Command
    result: Result
    proposal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would change: for confirmations and dry runs."""

    old: float | str | None
    new: float | str | None
    unit: str
    expires_at: datetime
    effect_w: float | None  # change of the load at the site's meters, positive = more


class Link(Protocol):
    """Carries commands of some classes to whoever does them."""

    async def carry(self, command: Command) -> Result:
        """Do it and say what became of it; never raises for what the other side answers."""
        ...


class Desk(Protocol):
    """Judges, routes and records for the executor: everything that is not the way itself."""

    def judge(self, command: Command, now: datetime) -> Rejected | OutOfBounds | None:
        """None when the command may go."""
        ...

    def path(self, command: Command) -> Path:
        """What the mode of its class does with it."""
        ...

    def propose(self, command: Command, now: datetime) -> str:
        """Queue it for a person; the id of the proposal."""
        ...

    def note(self, outcome: Outcome, before: str | None, now: datetime) -> None:
        """Record what became of it."""
        ...

    def before(self, command: Command) -> str | None:
        """What stands there now."""
        ...

    def preview(self, command: Command) -> Preview:
        """What it would change."""
        ...


@dataclass(slots=True)
class Executor:
    """Takes commands from the loop, from people and from events alike.

    Args:
        desk: Judges and records.
        links: Who carries which class; a class without a link is refused.
        now: Site time, asked again just before each call.
    """

    desk: Desk
    links: Mapping[ActuatorClass, Link]
    now: Callable[[], datetime]
    _settled: OrderedDict[str, Outcome] = field(default_factory=OrderedDict)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        """Carry out, queue or refuse each; commands for one target keep their order."""
        return list(await asyncio.gather(*(self._one(command, now, approved=False) for command in commands)))

    async def carry_approved(self, command: Command, now: datetime) -> Outcome:
        """Carry out what people have approved: judged again, but not asked again."""
        return await self._one(command, now, approved=True)

    def preview(self, command: Command) -> Preview:
        """What the command would change; nothing is done."""
        return self.desk.preview(command)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Remember commands of an earlier life of this process."""
        for outcome in outcomes:
            self._remember(outcome)

    async def _one(self, command: Command, now: datetime, *, approved: bool) -> Outcome:
        turn = self._turns.setdefault(command.target, asyncio.Lock())
        async with turn, self._room:
            known = self._settled.get(command.command_id)
            if known is not None and not (approved and known.proposal_id):
                return known
            before = self.desk.before(command)
            outcome = await self._decide(command, approved=approved)
            self._remember(outcome)
            self.desk.note(outcome, before, now)
            return outcome

    async def _decide(self, command: Command, *, approved: bool) -> Outcome:
        now = self.now()
        refused = self.desk.judge(command, now)
        if refused is not None:
            return Outcome(command, refused)
        path = "carry" if approved else self.desk.path(command)
        if path == "observe":
            return Outcome(command, Rejected(OBSERVED))
        if path == "propose":
            return Outcome(command, Rejected(PROPOSED), self.desk.propose(command, now))
        link = self.links.get(command.actuator)
        if link is None:
            return Outcome(command, Rejected("no_link"))
        return Outcome(command, await link.carry(command))

    def _remember(self, outcome: Outcome) -> None:
        self._settled[outcome.command.command_id] = outcome
        self._settled.move_to_end(outcome.command.command_id)
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)
