"""What holds now: of all events that act the strictest, of those that return their ramp. Pure."""

from collections.abc import Iterable
from datetime import datetime

from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.levers import Limit


def limit_at(events: Iterable[Event], now: datetime, ramp_w_per_min: float) -> Limit:
    """The strictest limit on each meter: nobody can lift what another has set."""
    on = [event for event in events if event.state in (EventState.ACTIVE, EventState.RETURNING)]
    acting = [event for event in on if event.state is EventState.ACTIVE]
    facility = [held_w(event, now, ramp_w_per_min) for event in on if not event.on_import]
    grid = [held_w(event, now, ramp_w_per_min) for event in on if event.on_import]
    ends = [event.ends_at for event in acting]
    known = [end for end in ends if end is not None]
    until = max(known) if known and len(known) == len(ends) else None
    return Limit(min(facility, default=None), min(grid, default=None), until, bool(acting))


def held_w(event: Event, now: datetime, ramp_w_per_min: float) -> float:
    """An event's own limit now; on the way back it rises by the ramp."""
    if event.state is not EventState.RETURNING or event.back_from_at is None:
        return event.limit_w
    start_w = event.limit_w if event.back_from_w is None else event.back_from_w
    minutes = (now - event.back_from_at).total_seconds() / 60.0
    return start_w + ramp_w_per_min * minutes
