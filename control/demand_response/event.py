"""One event and its life: announced -> active -> returning -> done or cancelled. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from igoudar.control.demand_response.intervals import Tally
from igoudar.control.demand_response.request import EventKind, EventRequest, starts_at


class EventState(StrEnum):
    """Where an event stands."""

    ANNOUNCED = "announced"
    ACTIVE = "active"  # acts; from a little before its start where there was notice
    RETURNING = "returning"
    DONE = "done"
    CANCELLED = "cancelled"


OPEN = (EventState.ANNOUNCED, EventState.ACTIVE, EventState.RETURNING)


@dataclass(frozen=True, slots=True)
class Event:
    """One request and what became of it; times are site time, UTC."""

    event_id: str
    kind: EventKind
    source: str
    who: str
    reason: str
    at: datetime
    starts_at: datetime
    ends_at: datetime | None
    act_from: datetime
    limit_w: float  # of a shed: provisional until the baseline is fixed
    share: float | None = None
    baseline_w: float | None = None
    slot: str = ""
    state: EventState = EventState.ANNOUNCED
    ended_by: str = ""  # who or what ended it before its time
    back_from_at: datetime | None = None  # the way back begins
    back_from_w: float | None = None  # at this load
    reached_at: datetime | None = None  # the meter was at the limit for the first time
    minutes: Tally = field(default_factory=Tally)
    quarters: Tally = field(default_factory=Tally)
    lost: tuple[str, ...] = ()  # jobs whose deadline it costs
    used_w: Mapping[str, float] = field(default_factory=dict)  # the most that each lever gave at once
    short_w: float = 0.0
    approved_by: tuple[str, ...] = ()  # people of this site who stand behind it

    @property
    def on_import(self) -> bool:
        """The grid meter is limited, not the facility's."""
        return self.kind is EventKind.IMPORT_CAP

    @property
    def open(self) -> bool:
        """Not over yet."""
        return self.state in OPEN


def opened(
    request: EventRequest, event_id: str, now: datetime, lead_s: float, baseline_w: float | None
) -> Event:
    """A new event; with notice it acts `lead_s` before its start, so that its first interval is met."""
    start = starts_at(request, now)
    share = request.share or 0.0
    limit_w = request.limit_w if request.limit_w is not None else (1.0 - share) * (baseline_w or 0.0)
    return Event(
        event_id,
        request.kind,
        request.source,
        request.who,
        request.reason,
        now,
        start,
        request.ends_at,
        max(now, start - timedelta(seconds=lead_s)),
        limit_w,
        request.share,
        baseline_w,
        request.slot,
        approved_by=request.approved_by,
    )


def begun(event: Event, baseline_w: float | None) -> Event:
    """It acts from now on; a shed's limit follows from the baseline, which stands from here on."""
    known_w = baseline_w if baseline_w is not None else event.baseline_w
    limit_w = event.limit_w if event.share is None else (1.0 - event.share) * (known_w or 0.0)
    return replace(event, state=EventState.ACTIVE, baseline_w=known_w, limit_w=limit_w)


def ended(event: Event, now: datetime, load_w: float | None, by: str = "") -> Event:
    """Over: one that has acted goes back along the ramp from the load it has left, others are cancelled."""
    if event.state is EventState.ANNOUNCED:
        return replace(event, state=EventState.CANCELLED, ended_by=by)
    from_w = event.limit_w if load_w is None else min(event.limit_w, load_w)
    return replace(
        event, state=EventState.RETURNING, ended_by=by, back_from_at=now, back_from_w=max(0.0, from_w)
    )


def returned(event: Event) -> Event:
    """Everything is back."""
    return replace(event, state=EventState.CANCELLED if event.ended_by else EventState.DONE)
