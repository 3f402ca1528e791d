"""The room of events: requests come in at any time, every cycle gives one answer to the meters."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from igoudar.collectors.results import Error
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.actuation.schedulers import Queue
from igoudar.control.demand_response import keeping, look, pausing
from igoudar.control.demand_response.book import Book, noted
from igoudar.control.demand_response.carried import carried, written
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.event import Event, EventState, returned
from igoudar.control.demand_response.flight import Carrier, Flight, forgotten, in_parts
from igoudar.control.demand_response.intervals import Counters
from igoudar.control.demand_response.levers import CapLever, Levers, Limit, Sight, Wishes
from igoudar.control.demand_response.limits import limit_at
from igoudar.control.demand_response.memory import Memory, observed
from igoudar.control.demand_response.orders import Orders
from igoudar.control.demand_response.progress import measured, told_all, used_w
from igoudar.control.demand_response.request import EventRequest
from igoudar.control.demand_response.rules import Rules
from igoudar.control.picture import Picture
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.control.roster import Roster
from igoudar.core.errors import CommandError, StoreError
from igoudar.core.i18n import render

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What one cycle knows of the site; `queue` is None while the scheduler does not answer."""

    picture: Picture
    queue: Queue | None
    left_alone: Collection[str]
    pue: float | None
    cycle_s: float


@dataclass(slots=True)
class Events:
    """All of one site.

    Args:
        roster: The site.
        book: Its events.
        rules: How careful to be.
        carrier: Carries commands out.
        orders: Makes commands of wishes.
        now: Site time.
        memory: What an earlier life of this process had moved.
        caps: Power limits that may be lowered, as they stand.
        may_act: Whether the mode lets jobs be moved.
        pauses: Keeps by when each paused job must run again.
        progress: Told whenever a part of a long cycle is over.
        held: Whether this host is the writer; the other one keeps the events while it is not.
    """

    roster: Roster
    book: Book
    rules: Rules
    carrier: Carrier
    orders: Orders
    now: Callable[[], datetime]
    memory: Memory = field(default_factory=Memory)
    caps: Callable[[], tuple[CapLever, ...]] = tuple
    may_act: Callable[[], bool] = bool
    pauses: Callable[[Sequence[SuspendRow]], None] = field(default=lambda rows: None)
    progress: Callable[[], object] = field(default=lambda: None)
    held: Callable[[], bool] = field(default=lambda: True)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    limit: Limit = field(default_factory=Limit)
    levers: Levers = field(default_factory=Levers)
    wishes: Wishes = field(default_factory=Wishes)
    sight: Sight | None = None
    cycle_s: float = 10.0
    unkept: bool = False  # the disk takes no pauses: none are asked for
    _counters: dict[bool, Counters] = field(default_factory=dict)  # of the grid meter, of the facility's
    _seen: Look | None = None
    _adopted: bool = False
    _flight: Flight = field(init=False)

    def __post_init__(self) -> None:
        self._flight = Flight(self.carrier)

    async def stop(self) -> None:
        """Nothing of ours goes on after this."""
        await self._flight.stop()

    @property
    def acting(self) -> bool:
        """Whether jobs are the events' to move now: a limit holds, or the way back is being walked."""
        return any(event.state is not EventState.ANNOUNCED for event in self.book.open)

    @property
    def lead_s(self) -> float:
        """How long before its start an announced event acts."""
        return self.rules.response_s + self.rules.lead_s(self.cycle_s)

    def open(self, request: EventRequest) -> Event:
        """Take a request; the loop is woken at once.

        Raises:
            CommandError: it can't be meant, there is no baseline yet, or another host is the writer.
        """
        self._refuse()
        event = self.book.take(request, self.now(), self.lead_s, self.sight)
        self._changed()
        return event

    def cancel(self, event_id: str, who: str) -> Event:
        """End an event before its time; what it moved goes back along the ramp.

        Raises:
            UnknownNameError: no such event.
            CommandError: it is over, or another host is the writer.
        """
        self._refuse()
        event = self.book.cancel(event_id, who, self.now(), self.sight)
        self._changed()
        return event

    def _refuse(self) -> None:
        if not self.held():
            raise CommandError(render("guard.no_lease"), where="events", fix=render("guard.no_lease_fix"))

    def take_over(self) -> None:
        """Go on where the last writer was.

        Raises:
            StoreError: the records can't be read.
        """
        self.memory = self.book.restore()
        self.orders.forget_all()
        self._adopted = False

    def _changed(self) -> None:
        self.book.keep(self.memory, self.now(), moved=True)
        self.wake.set()

    async def cycle(self, seen: Look) -> None:
        """One look, one answer."""
        now = seen.picture.at
        self.wake.clear()
        if not self.held():
            return
        self._seen, self.cycle_s = seen, seen.cycle_s
        self.sight = look.sight(seen.picture, self.roster, seen.cycle_s)
        self.book.advance(now, self.sight)
        self.limit = limit_at(self.book.events.values(), now, self.rules.ramp_w_per_min)
        if seen.queue is None:
            if self.acting:
                await self._hold(now)
            return
        if not (self.book.open or self.memory.debts.jobs or not self.memory.idle):
            return
        self._look(seen, seen.queue, self.sight)
        self.wishes, self.memory = decide(self.limit, self.sight, self._movable(), self.memory, self.rules)
        moved = await self._carry(now) if self.acting else False
        self._account(self.sight, seen.queue)
        self.book.keep(self.memory, now, moved=moved)

    def levers_now(self) -> Levers:
        """What may be moved, by the latest look; nothing before the first one."""
        seen, sight = self._seen, self.sight
        if seen is None or sight is None or seen.queue is None:
            return Levers()
        margin_s = self.roster.site.emergency.deadline_margin_s
        return look.levers(
            seen.picture,
            self.roster,
            seen.queue,
            sight,
            self.memory,
            seen.left_alone,
            seen.pue,
            margin_s,
            self.caps(),
        )

    def _look(self, seen: Look, queue: Queue, sight: Sight) -> None:
        self.levers = self.levers_now()
        if not self._adopted:
            self._adopt()
        gone = look.gone(queue, self.levers)
        self.memory = observed(self.memory, sight, self.levers, gone, self.rules.settle_s)
        for on_import, role in ((False, "transformer"), (True, "grid")):
            counters = self._counters.setdefault(on_import, Counters())
            counters.note(look.counters(seen.picture, self.roster.power_devices(role)))

    def _adopt(self) -> None:
        """Jobs that an open event paused and does not remember: we ended, or the answer was lost."""
        names = [event.event_id for event in self.book.open]
        try:
            found = keeping.paused_jobs(self.book.records, names) if names else {}
        except StoreError as error:
            log.error("paused jobs can't be looked up: %s", error)
            return  # the next cycle tries again
        self.memory = pausing.adopted(self.memory, found, self.levers.by_id())
        self._adopted = not pausing.in_doubt(self.memory, found)

    def _movable(self) -> Levers:
        """Without devices that are still on their way, or did not do as told."""
        if self._flight.busy:
            return replace(self.levers, caps=(), loads=())
        return self.levers.without(self.memory.refused)

    @property
    def _acting_id(self) -> str:
        return next(event.event_id for event in self.book.open if event.state is not EventState.ANNOUNCED)

    async def _hold(self, now: datetime) -> None:
        """While the jobs can't be seen nothing is decided, but the setpoints that stand go on standing."""
        landed = self._landed()
        if landed:
            self._remember(landed, now)
        if not self._flight.busy:
            landed += await self._renew(now)
        self.book.keep(self.memory, now, moved=bool(landed))

    async def _renew(self, now: datetime) -> list[Outcome]:
        self.wishes = Wishes(battery_w=self.memory.battery_w)
        batch = self.orders.batch(self.wishes, self.memory, self._acting_id, now)
        sent = await self._flight.send(batch.setpoints, now) if batch.setpoints else []
        effects = self.memory.effects  # nothing moves by what stands
        self._remember(sent, now)
        self.memory = replace(self.memory, effects=effects)
        return sent

    async def _carry(self, now: datetime) -> bool:
        outcomes, name = self._landed(), self._acting_id
        batch = self.orders.batch(self.wishes, self.memory, name, now, setpoints=not self._flight.busy)
        outcomes += await self._submit(self._noted(batch.first, name), now)
        if batch.setpoints:
            outcomes += await self._flight.send(batch.setpoints, now)
            self.memory = self._flight.expected(self.memory, self.levers, now)
        if batch.then:
            outcomes += await self._submit(batch.then, now)
        self._remember(outcomes, now)
        return bool(outcomes)

    def _landed(self) -> list[Outcome]:
        """What was still on its way after the last cycle and is not any more."""
        landed = self._flight.landed()
        self.memory = forgotten(self.memory, landed)
        return landed

    def _remember(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        for outcome in outcomes:
            if not written(outcome):
                self.orders.forget(outcome.command.target, outcome.command.point)
            if outcome.command.point == "suspend" and isinstance(outcome.result, Error):
                self._adopted = False  # it may stand all the same: the next look tells
        self.memory = carried(self.memory, self.wishes, self.levers, outcomes, now)

    async def _submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        return await in_parts(self.carrier, commands, now, self.progress)

    def _noted(self, commands: Sequence[Command], name: str) -> Sequence[Command]:
        """What may be asked for: pauses only once they are on disk."""
        rows = pausing.rows(commands, self.wishes.longer, self.memory, name)
        try:
            if rows:
                self.pauses(rows)
        except StoreError as error:
            self.unkept = True
            log.error("no job is paused, as it can't be noted: %s", error)
            return [one for one in commands if one.point != "suspend"]
        self.unkept = False
        self.memory = pausing.prolonged(self.memory, self.wishes.longer)
        return commands

    def _account(self, sight: Sight, queue: Queue) -> None:
        in_time = look.in_time(queue)
        for event in list(self.book.events.values()):
            if in_time.intersection(event.lost):
                self.book.put(replace(event, lost=tuple(n for n in event.lost if n not in in_time)))
        given = used_w(self.memory, self.levers)
        for event in self.book.open:
            counters = self._counters[event.on_import]
            after = measured(event, sight, counters, self.rules.response_s)
            if after.state is EventState.ACTIVE:
                after = noted(after, self.wishes.loses, self.wishes.short_w, given)
            elif after.state is EventState.RETURNING and self._back(after, counters):
                after = returned(after)
            self.book.put(after)

    def _back(self, event: Event, counters: Counters) -> bool:
        others = any(one.state is EventState.ACTIVE for one in self.book.open)
        return told_all(event, counters) and (others or (self.memory.idle and not self.memory.delayed))

    def admitted(self, decisions: Sequence[Decision]) -> list[Decision]:
        """What is left of the plan's wishes for jobs: nothing while an event moves them, but for delays."""
        if not self.acting:
            return list(decisions)
        if self.limit.acting:
            return []
        ours = {*self.memory.delayed, *self.memory.resumed}
        return [one for one in decisions if one.verb is Verb.WAIT and one.job_id not in ours]
