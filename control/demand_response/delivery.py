"""From wishes to commands on their way, and what is remembered of them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from igoudar.collectors.results import Error
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response import pausing
from igoudar.control.demand_response.carried import carried, done, written
from igoudar.control.demand_response.flight import Carrier, Flight, forgotten, in_parts
from igoudar.control.demand_response.levers import Levers, Wishes
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.orders import Mandate, Orders
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.core.errors import StoreError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """Of one site.

    Args:
        carrier: Carries commands out.
        orders: Makes commands of wishes.
        pauses: Keeps by when each paused job must run again.
        progress: Told whenever a part of a long cycle is over.
        clock: Site time; what was asked for late in a long cycle is on the meters later, too.
    """

    carrier: Carrier
    orders: Orders
    pauses: Callable[[Sequence[SuspendRow]], None]
    progress: Callable[[], object]
    clock: Callable[[], datetime]
    unkept: bool = False  # the disk takes no pauses: none are asked for
    doubtful: bool = False  # a pause whose answer was lost, or that waits for a person, may stand
    _flight: Flight = field(init=False)

    def __post_init__(self) -> None:
        self._flight = Flight(self.carrier)

    @property
    def busy(self) -> bool:
        """Whether devices are still on their way."""
        return self._flight.busy

    def pending(self, memory: Memory, levers: Levers) -> Memory:
        """The memory with what is still on its way taken as done, however long that takes."""
        return self._flight.expected(self._flight.unexpected(memory), levers, self.clock())

    async def stop(self) -> None:
        """Nothing of ours goes on after this."""
        await self._flight.stop()

    async def carry(
        self, wishes: Wishes, memory: Memory, levers: Levers, mandate: Mandate, now: datetime
    ) -> tuple[Memory, bool]:
        """Have one cycle's wishes carried out; the memory after it, and whether anything came of it."""
        outcomes, memory = self._landed(memory)
        batch = self.orders.batch(wishes, memory, mandate, now, setpoints=not self.busy)
        first, memory = self._noted(batch.first, wishes, memory, mandate.event_id)
        outcomes += await in_parts(self.carrier, first, now, self.progress)
        if batch.setpoints:
            outcomes += await self._flight.send(batch.setpoints, now)
            memory = self._flight.expected(memory, levers, self.clock())
        if batch.then:
            outcomes += await in_parts(self.carrier, batch.then, now, self.progress)
        return self._remembered(memory, wishes, levers, outcomes), bool(outcomes)

    async def hold(
        self, memory: Memory, levers: Levers, mandate: Mandate, now: datetime
    ) -> tuple[Memory, bool]:
        """While the jobs can't be seen nothing is decided, but the setpoints that stand go on standing."""
        landed, memory = self._landed(memory)
        standing = Wishes(battery_w=memory.battery_w)
        if landed:
            memory = self._remembered(memory, standing, levers, landed)
        if self.busy:
            return memory, bool(landed)
        batch = self.orders.batch(standing, memory, mandate, now)
        sent = await self._flight.send(batch.setpoints, now) if batch.setpoints else []
        effects = memory.effects  # nothing moves by what stands
        memory = self._remembered(memory, standing, levers, sent)
        return replace(memory, effects=effects), bool(landed or sent)

    def _landed(self, memory: Memory) -> tuple[list[Outcome], Memory]:
        """What was still on its way after the last cycle and is not any more."""
        landed = self._flight.landed()
        return landed, forgotten(memory, landed)

    def _remembered(
        self, memory: Memory, wishes: Wishes, levers: Levers, outcomes: Sequence[Outcome]
    ) -> Memory:
        for outcome in outcomes:
            command = outcome.command
            if not written(outcome):
                self.orders.forget(command.target, command.point)
            if done(outcome):
                self.orders.arrived(command.target, command.point, command.value)
            if command.point == "suspend" and (outcome.proposal_id or isinstance(outcome.result, Error)):
                self.doubtful = True  # it may stand all the same, or by a person's yes: the next look tells
        return carried(memory, wishes, levers, outcomes, self.clock())

    def _noted(
        self, commands: Sequence[Command], wishes: Wishes, memory: Memory, event_id: str
    ) -> tuple[Sequence[Command], Memory]:
        """What may be asked for: pauses only once they are on disk."""
        rows = pausing.rows(commands, wishes.longer, memory, event_id)
        try:
            if rows:
                self.pauses(rows)
        except StoreError as error:
            self.unkept = True
            log.error("no job is paused, as it can't be noted: %s", error)
            return [one for one in commands if one.point != "suspend"], memory
        self.unkept = False
        return commands, pausing.prolonged(memory, wishes.longer)
