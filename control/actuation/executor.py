"""The one way from a wish to the world: lease, guard, mode, link, record. Nothing acts beside it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from weakref import WeakValueDictionary

from igoudar.collectors.results import Rejected, Result
from igoudar.control.actuation.chronicle import Chronicle, word_of
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.gate import Gate
from igoudar.control.actuation.guard.verdict import Allowed
from igoudar.control.actuation.proposals import Proposals
from igoudar.control.actuation.sight import Preview

AT_ONCE = 16  # commands on their way at the same time
REMEMBERED = 10_000  # command ids that are never carried out twice


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command.

    `proposal_id` where it waits for a person: then the result is Rejected("proposed"). Rejected("observe")
    says that the mode of its class sends nothing. `sent` tells what a link was asked from what was refused.
    """

    command: Command
    result: Result
    proposal_id: str | None = None
    sent: bool = False


class Link(Protocol):
    """Carries commands of some classes to whoever does them."""

    async def carry(self, command: Command) -> Result:
        """Do it and say what became of it; never raises for what the other side answers."""
        ...


@dataclass(slots=True)
class Executor:
    """Takes commands from the loop, from people and from events alike.

    Args:
        gate: Judges, with all that is known at that instant.
        links: Who carries which class; a class without a link is refused.
        proposals: What waits for people.
        chronicle: The record.
        now: Site time, asked again just before each call.
    """

    gate: Gate
    links: Mapping[ActuatorClass, Link]
    proposals: Proposals
    chronicle: Chronicle
    now: Callable[[], datetime]
    _earlier: set[str] = field(default_factory=set)
    _settled: OrderedDict[str, Outcome] = field(default_factory=OrderedDict)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        """Carry out, queue or refuse each; commands for one target keep their order.

        A command that was carried or refused before, by its id, is not tried again: its outcome is returned.
        """
        try:
            return list(await asyncio.gather(*(self._one(command, now) for command in commands)))
        finally:
            self.chronicle.flush()

    def preview(self, command: Command) -> Preview:
        """What the command would change; nothing is done."""
        return self.gate.sight.preview(command)

    def carried_before(self, command_ids: Iterable[str]) -> None:
        """Commands that an earlier life of this process has sent are never sent again."""
        self._earlier.update(command_ids)

    async def _one(self, command: Command, now: datetime) -> Outcome:
        turn = self._turns.setdefault(command.target, asyncio.Lock())
        async with turn, self._room:
            known = self._settled.get(command.command_id)
            if known is not None and known.proposal_id is None:
                return known
            if command.command_id in self._earlier:
                return Outcome(command, Rejected("repeated"))
            before = self.gate.sight.before(command)
            outcome = await self._decide(command, before, now)
            self._remember(outcome)
            self.chronicle.note(command, word_of(outcome.result), before, now, done=outcome.sent)
            return outcome

    async def _decide(self, command: Command, before: str | None, now: datetime) -> Outcome:
        verdict = self.gate.judge(command, self.now())
        if not isinstance(verdict, Allowed):
            return Outcome(command, verdict)
        if verdict.waits_for:
            return self._propose(command, verdict.waits_for, before, now)
        link = self.links.get(command.actuator)
        if link is None:
            return Outcome(command, Rejected("no_link"))
        self.gate.going(command, now)
        result = await link.carry(command)
        self.gate.gone(command, result, self.now())
        return Outcome(command, result, sent=True)

    def _propose(self, command: Command, waits_for: int, before: str | None, now: datetime) -> Outcome:
        effect_w = self.preview(command).effect_w
        row, _ = self.proposals.propose(command, waits_for, before, effect_w, now)
        return Outcome(command, Rejected("proposed"), row.id)

    def _remember(self, outcome: Outcome) -> None:
        self._settled[outcome.command.command_id] = outcome
        self._settled.move_to_end(outcome.command.command_id)
        while len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)
