"""The room of events: requests come in at any time, every cycle gives one answer to the meters."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from igoudar.control.actuation.schedulers import Queue
from igoudar.control.demand_response import keeping, look, pausing
from igoudar.control.demand_response.accounts import Accounts
from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.delivery import Delivery
from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.flight import Carrier
from igoudar.control.demand_response.levers import CapLever, Levers, Limit, Sight, Wishes
from igoudar.control.demand_response.limits import limit_at
from igoudar.control.demand_response.memory import Memory, observed
from igoudar.control.demand_response.orders import Mandate, Orders
from igoudar.control.demand_response.request import EventRequest
from igoudar.control.demand_response.rules import Rules
from igoudar.control.demand_response.seen import Look
from igoudar.control.lease import not_writer
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.control.roster import Roster
from igoudar.core.errors import StoreError

log = logging.getLogger(__name__)


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
    _seen: Look | None = None
    _adopted: bool = False
    _delivery: Delivery = field(init=False)
    _accounts: Accounts = field(init=False)

    def __post_init__(self) -> None:
        self._delivery = Delivery(self.carrier, self.orders, self._keep_pauses, self._tell, self.now)
        self._accounts = Accounts(self.book, self.rules)

    def _keep_pauses(self, rows: Sequence[SuspendRow]) -> None:
        self.pauses(rows)  # who keeps them may be named later than we are made

    def _tell(self) -> None:
        self.progress()

    async def stop(self) -> None:
        """Nothing of ours goes on after this."""
        await self._delivery.stop()

    @property
    def unkept(self) -> bool:
        """Whether the disk takes no pauses: none are asked for."""
        return self._delivery.unkept

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

    def approve(self, event_id: str, who: str) -> Event:
        """A person stands behind all that an event does; its commands wait for nobody else from here on.

        Raises:
            UnknownNameError: no such event.
            CommandError: it is over, or this person stands behind it already.
        """
        self._refuse()
        event = self.book.approve(event_id, who)
        self._changed()
        return event

    def _refuse(self) -> None:
        if not self.held():
            raise not_writer("events")

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
        self._accounts.settle(self.sight, look.in_time(seen.queue), self.wishes, self.memory, self.levers)
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
        if self._delivery.doubtful or not self._adopted:
            self._adopt()
        gone = look.gone(queue, self.levers)
        self.memory = observed(self.memory, sight, self.levers, gone, self.rules.settle_s)
        self.memory = self._delivery.pending(self.memory, self.levers)
        self._accounts.read(seen.picture, self.roster, sight)

    def _adopt(self) -> None:
        """Jobs that an open event paused and does not remember: we ended, or the answer was lost."""
        names = [event.event_id for event in self.book.open]
        try:
            found = keeping.paused_jobs(self.book.records, names) if names else {}
        except StoreError as error:
            log.error("paused jobs can't be looked up: %s", error)
            return  # the next cycle tries again
        self.memory = pausing.adopted(self.memory, found, self.levers.by_id())
        self._adopted, self._delivery.doubtful = not pausing.in_doubt(self.memory, found), False

    def _movable(self) -> Levers:
        """Without devices that are still on their way, or did not do as told."""
        if self._delivery.busy:
            return replace(self.levers, caps=(), loads=())
        return self.levers.without(self.memory.refused)

    @property
    def _mandate(self) -> Mandate:
        """In whose name commands go: of several events, the one that the fewest people stand behind."""
        acting = [event for event in self.book.open if event.state is not EventState.ANNOUNCED]
        return Mandate(acting[0].event_id, min((event.approved_by for event in acting), key=len))

    async def _hold(self, now: datetime) -> None:
        self.memory, moved = await self._delivery.hold(self.memory, self.levers, self._mandate, now)
        self.book.keep(self.memory, now, moved=moved)

    async def _carry(self, now: datetime) -> bool:
        self.memory, moved = await self._delivery.carry(
            self.wishes, self.memory, self.levers, self._mandate, now
        )
        return moved

    def admitted(self, decisions: Sequence[Decision]) -> list[Decision]:
        """What is left of the plan's wishes for jobs: nothing while an event moves them, but for delays."""
        if not self.acting:
            return list(decisions)
        if self.limit.acting:
            return []
        ours = {*self.memory.delayed, *self.memory.resumed}
        return [one for one in decisions if one.verb is Verb.WAIT and one.job_id not in ours]
