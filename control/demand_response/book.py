"""The events of one site and their lives: opened, begun, ended, returned; kept over a restart."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from igoudar.control.demand_response import keeping
from igoudar.control.demand_response.baseline import Baseline
from igoudar.control.demand_response.event import Event, EventState, begun, ended, opened
from igoudar.control.demand_response.levers import Sight
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.request import EventRequest, check
from igoudar.control.errors import UnknownNameError
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError
from igoudar.core.said import said

KEEP_EVERY = timedelta(minutes=1)
BEFORE = (EventState.ACTIVE, EventState.RETURNING)  # events whose baseline was not lowered by another one


@dataclass(slots=True)
class Book:
    """All events, oldest first.

    Args:
        records: Keeps them.
        baseline: What the site drew in the 15 min before a time.
    """

    records: Records
    baseline: Callable[[datetime], Baseline | None]
    events: dict[str, Event] = field(default_factory=dict)
    _kept: dict[str, Event] = field(default_factory=dict)
    _kept_at: datetime | None = None

    def restore(self) -> Memory:
        """Take up what an earlier life of this process has kept; the memory of what was moved."""
        self.events, memory = keeping.kept(self.records)
        self._kept = dict(self.events)
        return memory

    @property
    def open(self) -> list[Event]:
        """Events that are not over."""
        return [event for event in self.events.values() if event.open]

    def take(self, request: EventRequest, now: datetime, lead_s: float, sight: Sight | None) -> Event:
        """A new event; one of the same source and slot ends with it.

        Raises:
            CommandError: it can't be meant, or there is no baseline yet.
        """
        event = self.drafted(request, now, lead_s)
        for other in self.open:
            if request.slot and (other.source, other.slot) == (request.source, request.slot):
                self._end(other, now, sight, by=event.event_id)
        self.events[event.event_id] = event
        return event

    def drafted(self, request: EventRequest, now: datetime, lead_s: float) -> Event:
        """What a request would be; nothing is kept.

        Raises:
            CommandError: it can't be meant, or there is no baseline yet.
        """
        check(request, now)
        known_w = self.baseline_w(now)
        if request.share is not None and known_w is None:
            raise said(CommandError, "refusal.no_baseline", where="shed")
        return opened(request, f"event-{uuid.uuid4().hex[:12]}", now, lead_s, known_w)

    def cancel(self, event_id: str, who: str, now: datetime, sight: Sight | None) -> Event:
        """End an event before its time.

        Raises:
            UnknownNameError: no such event.
            CommandError: it is over.
        """
        event = self._known(event_id)
        if event.state not in (EventState.ANNOUNCED, EventState.ACTIVE):
            raise said(CommandError, "refusal.event_over", where=event_id, state_code=_state(event))
        self._end(event, now, sight, by=who)
        return self.events[event_id]

    def approve(self, event_id: str, who: str) -> Event:
        """One more person stands behind an event.

        Raises:
            UnknownNameError: no such event.
            CommandError: it is over, or this person stands behind it already.
        """
        event = self._known(event_id)
        if not event.open:
            raise said(CommandError, "refusal.event_over", where=event_id, state_code=_state(event))
        if who in event.approved_by:
            raise said(CommandError, "refusal.event_stood_behind", where=event_id, who=who)
        self.put(replace(event, approved_by=(*event.approved_by, who)))
        return self.events[event_id]

    def _known(self, event_id: str) -> Event:
        event = self.events.get(event_id)
        if event is None:
            raise said(UnknownNameError, "refusal.no_event", where=event_id)
        return event

    def advance(self, now: datetime, sight: Sight | None) -> None:
        """Begin and end what is due."""
        for event in self.open:
            if event.state is EventState.ANNOUNCED and event.act_from <= now:
                self.events[event.event_id] = begun(event, self.baseline_w(now))
        for event in self.open:
            if event.state is EventState.ACTIVE and event.ends_at is not None and event.ends_at <= now:
                self._end(event, now, sight)

    def due_s(self, now: datetime) -> float | None:
        """Time until an event begins or ends [s], None when none will."""
        times = [event.act_from for event in self.open if event.state is EventState.ANNOUNCED]
        ends = [event.ends_at for event in self.open if event.state is EventState.ACTIVE]
        ahead = [(at - now).total_seconds() for at in (*times, *ends) if at is not None]
        return max(0.0, min(ahead)) if ahead else None

    def baseline_w(self, now: datetime) -> float | None:
        """The baseline; while another event lowers the load, the one from before it."""
        lowered = [event.baseline_w for event in self.open if event.state in BEFORE and not event.on_import]
        known = [power_w for power_w in lowered if power_w is not None]
        if known:
            return max(known)
        found = self.baseline(now)
        return found.power_w if found else None

    def put(self, event: Event) -> None:
        """An event as it stands now."""
        self.events[event.event_id] = event

    def keep(self, memory: Memory, now: datetime, *, moved: bool) -> None:
        """Write what changed; while something acts, at least once a minute. What is long over is let go."""
        changed = [event for event in self.events.values() if self._kept.get(event.event_id) != event]
        late = self._kept_at is None or now - self._kept_at >= KEEP_EVERY
        if not (changed or moved or (self.open and late)):
            return
        listed = {event.event_id: event for event in (*self.open, *changed)}
        keeping.keep(self.records, listed.values(), memory)
        self.events = keeping.shown(self.events)
        self._kept, self._kept_at = dict(self.events), now

    def _end(self, event: Event, now: datetime, sight: Sight | None, by: str = "") -> None:
        load_w = None
        if sight is not None:
            load_w = sight.import_w if event.on_import else sight.facility_w
        self.events[event.event_id] = ended(event, now, load_w, by=by)


def _state(event: Event) -> str:
    return f"events.state_{event.state.value}"


def noted(event: Event, loses: tuple[str, ...], short_w: float, used_w: dict[str, float]) -> Event:
    """What this cycle adds to an event's account."""
    lost = tuple(dict.fromkeys((*event.lost, *loses)))
    most = {
        name: max(event.used_w.get(name, 0.0), used_w.get(name, 0.0)) for name in {*event.used_w, *used_w}
    }
    return replace(event, lost=lost, short_w=short_w, used_w=most)
