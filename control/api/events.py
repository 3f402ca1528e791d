"""Routes of emergency and demand response: ask, look, end."""

from datetime import datetime, timedelta

from fastapi import FastAPI, Request
from pydantic import AwareDatetime, Field

from igoudar.control.api.bodies import Body
from igoudar.control.demand_response.document import event_view, events_view, preview
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.operator import Note
from igoudar.control.people.roles import Role
from igoudar.control.schema_events import EventPreview, EventsView, EventView
from igoudar.core.errors import CommandError
from igoudar.core.said import said

MOST_S = 366 * 86_400.0


class WhenBody(Body):
    """From when to when; without an end it holds until it is cancelled."""

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    for_s: float | None = Field(default=None, gt=0, le=MOST_S)
    notice_s: float = Field(default=0.0, ge=0, le=MOST_S)
    reason: str = Field(min_length=1, max_length=500)


class ShedBody(WhenBody):
    """A share less than the mean facility load of the last 15 min."""

    share: float = Field(gt=0, le=1)


class CapBody(WhenBody):
    """A power that the facility, or the import, stays under."""

    limit_w: float = Field(ge=0, le=1e12)
    on_import: bool = False


class WhyBody(Body):
    """Why it ends before its time, or why a person stands behind it."""

    reason: str = Field(min_length=1, max_length=500)


def add_events(app: FastAPI, room: Events, note: Note) -> None:
    """All of them; whoever opens or ends an event is recorded by `note`."""

    @app.get("/v1/events")
    async def events() -> EventsView:
        return events_view(room)

    @app.post("/v1/site/shed")
    async def shed(body: ShedBody, request: Request) -> EventView:
        return _open(room, note, request.state.who, _shed(body, request.state.who, room.now()))

    @app.post("/v1/site/shed/preview")
    async def try_shed(body: ShedBody, request: Request) -> EventPreview:
        return preview(room, _shed(body, request.state.who, room.now()))

    @app.post("/v1/site/cap")
    async def cap(body: CapBody, request: Request) -> EventView:
        return _open(room, note, request.state.who, _cap(body, request.state.who, room.now()))

    @app.post("/v1/site/cap/preview")
    async def try_cap(body: CapBody, request: Request) -> EventPreview:
        return preview(room, _cap(body, request.state.who, room.now()))

    @app.post("/v1/events/{event_id}/cancel")
    async def cancel(event_id: str, body: WhyBody, request: Request) -> EventView:
        before = room.book.events.get(event_id)
        event = room.cancel(event_id, request.state.who)
        state = before.state.value if before else ""
        note(request.state.who, "cancel", event_id, state, event.state.value, body.reason, room.now())
        return event_view(room, event)

    @app.post("/v1/events/{event_id}/approve")
    async def approve(event_id: str, body: WhyBody, request: Request) -> EventView:
        _may_approve(room, event_id, request)
        event = room.approve(event_id, request.state.who)
        after = ", ".join(event.approved_by)
        note(request.state.who, "approve", event_id, "", after, body.reason, room.now())
        return event_view(room, event)


def _may_approve(room: Events, event_id: str, request: Request) -> None:
    """As for proposals, the second person is a supervisor."""
    event = room.book.events.get(event_id)
    if event is not None and event.approved_by and request.state.person.role < Role.SUPERVISOR:
        raise said(CommandError, "refusal.second_role", where=event_id)


def _open(room: Events, note: Note, who: str, request: EventRequest) -> EventView:
    event = room.open(request)
    after = f"{event.limit_w:.0f} W"
    note(who, request.kind.value, event.event_id, "", after, request.reason, room.now())
    return event_view(room, event)


def _shed(body: ShedBody, who: str, now: datetime) -> EventRequest:
    start, end = _times(body, now)
    return EventRequest(
        EventKind.SHED, "operator", who, body.reason, share=body.share, starts_at=start, ends_at=end
    )


def _cap(body: CapBody, who: str, now: datetime) -> EventRequest:
    start, end = _times(body, now)
    kind = EventKind.IMPORT_CAP if body.on_import else EventKind.CAP
    return EventRequest(
        kind, "operator", who, body.reason, limit_w=body.limit_w, starts_at=start, ends_at=end
    )


def _times(body: WhenBody, now: datetime) -> tuple[datetime, datetime | None]:
    start = body.start or now + timedelta(seconds=body.notice_s)
    end = start + timedelta(seconds=body.for_s) if body.for_s is not None else body.end
    return start, end
