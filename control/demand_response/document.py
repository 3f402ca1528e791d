"""Events as documents: live progress against the target, and what a request would do."""

from dataclasses import replace
from datetime import datetime

from igoudar.control.demand_response.battery import battery_share
from igoudar.control.demand_response.case import Case
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.event import Event, EventState, begun
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.intervals import MINUTE, QUARTER, Tally
from igoudar.control.demand_response.levers import Levers, Wishes
from igoudar.control.demand_response.limits import held_w, limit_at
from igoudar.control.demand_response.progress import counts, used_w
from igoudar.control.demand_response.request import EventRequest
from igoudar.control.schema import Text
from igoudar.control.schema_events import EventPreview, EventsView, EventView, IntervalsView, LeverView
from igoudar.control.text import text
from igoudar.core.errors import LinkError
from igoudar.core.said import said

LEVERS = ("battery", "caps", "jobs", "delays", "loads")


def events_view(room: Events) -> EventsView:
    """All events as they stand."""
    limit, sight, rules = room.limit, room.sight, room.rules
    return EventsView(
        time=room.now(),
        zone=room.roster.site.time_zone,
        acting=room.acting,
        limit_w=limit.facility_w,
        import_limit_w=limit.import_w,
        target_w=rules.target_w(limit.facility_w) if limit.facility_w is not None else None,
        load_w=sight.facility_w if sight else None,
        import_w=sight.import_w if sight else None,
        levers=_in_use(room),
        debt_gpu_s=room.memory.debts.rest_gpu_s,
        debt_paid_gpu_s=room.memory.debts.paid_gpu_s,
        ramp_w_per_min=rules.ramp_w_per_min,
        events=[event_view(room, event) for event in reversed(room.book.events.values())],
    )


def event_view(room: Events, event: Event) -> EventView:
    """One event."""
    sight = room.sight
    load_w = (sight.import_w if event.on_import else sight.facility_w) if sight else None
    began = max(event.starts_at, event.act_from)
    reached = event.reached_at
    return EventView.model_validate(
        {
            "id": event.event_id,
            "kind": event.kind.value,
            "source": event.source,
            "who": event.who,
            "reason": event.reason,
            "state": event.state.value,
            "opened_at": event.at,
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "ended_by": event.ended_by,
            "meter": "import" if event.on_import else "facility",
            "share": event.share,
            "baseline_w": event.baseline_w,
            "limit_w": event.limit_w,
            "held_w": held_w(event, room.now(), room.rules.ramp_w_per_min),
            "load_w": load_w,
            "reached_at": reached,
            "time_to_target_s": max(0.0, (reached - began).total_seconds()) if reached else None,
            "intervals": [_intervals(MINUTE.total_seconds(), event.minutes),
                          _intervals(QUARTER.total_seconds(), event.quarters)],
            "levers": _levers_of(room, event),
            "short_w": event.short_w,
            "deadlines_lost": list(event.lost),
            "approved_by": list(event.approved_by),
            "note": _note(event, room.roster.site.time_zone, unkept=room.unkept),
        }
    )  # fmt: skip


def _in_use(room: Events) -> list[LeverView]:
    given, held = used_w(room.memory, room.levers), counts(room.memory)
    return [_lever(name, given[name], held[name]) for name in LEVERS]


def _levers_of(room: Events, event: Event) -> list[LeverView]:
    """Live while it acts or comes back; events that act together use the same levers."""
    if event.state in (EventState.ACTIVE, EventState.RETURNING):
        return _in_use(room)
    return [_lever(name, event.used_w.get(name, 0.0), 0) for name in LEVERS]


def preview(room: Events, request: EventRequest) -> EventPreview:
    """What a request would do if it began now.

    Raises:
        CommandError: it can't be meant, or there is no baseline yet.
        LinkError: no cycle has looked at the site yet.
    """
    if room.sight is None:
        raise said(LinkError, "refusal.not_yet")
    now = room.now()
    event = room.book.drafted(request, now, room.lead_s)
    wishes, levers, lasting_w = _tried(room, event, now)
    return EventPreview.model_validate(
        {
            "kind": event.kind.value,
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "baseline_w": event.baseline_w,
            "limit_w": event.limit_w,
            "load_w": room.sight.import_w if event.on_import else room.sight.facility_w,
            "levers": _moved(wishes, levers, lasting_w),
            "short_w": wishes.short_w,
            "deadlines_lost": list(wishes.loses),
            "acts": room.may_act(),
        }
    )


def _tried(room: Events, event: Event, now: datetime) -> tuple[Wishes, Levers, float]:
    """What would be wished, of which levers, and what of it the battery gives until the end [W]."""
    levers, sight = room.levers_now(), room.sight
    if sight is None:
        return Wishes(), levers, 0.0
    trial = begun(event, event.baseline_w)
    limit = limit_at([*room.book.events.values(), trial], now, room.rules.ramp_w_per_min)
    sight = replace(sight, now=now)
    wishes, _ = decide(limit, sight, levers, room.memory, room.rules)
    lasting_w = battery_share(Case(limit, sight, levers, room.memory, room.rules)).given_w
    return wishes, levers, lasting_w


def _moved(wishes: Wishes, levers: Levers, lasting_w: float) -> list[LeverView]:
    jobs = levers.by_id()
    caps = {one.target: min(one.now_w, one.limit_w) for one in levers.caps}
    loads = {one.device: one.now_w for one in levers.loads}
    return [
        _lever("battery", lasting_w, int(wishes.battery_w is not None)),
        _lever("caps", sum(caps[n] - w for n, w in wishes.caps.items()), len(wishes.caps)),
        _lever("jobs", sum(jobs[p.job_id].relief_w for p in wishes.pauses), len(wishes.pauses)),
        _lever("delays", sum(jobs[d.job_id].relief_w for d in wishes.delays), len(wishes.delays)),
        _lever("loads", sum(loads[n] - w for n, w in wishes.loads.items()), len(wishes.loads)),
    ]


def _lever(name: str, power_w: float, count: int) -> LeverView:
    return LeverView.model_validate({"lever": name, "power_w": max(0.0, power_w), "count": count})


def _intervals(length_s: float, tally: Tally) -> IntervalsView:
    return IntervalsView(
        length_s=length_s,
        met=tally.met,
        missed=tally.missed,
        unknown=tally.unknown,
        worst_w=tally.worst_w,
    )


def _note(event: Event, zone: str, *, unkept: bool) -> Text:
    """One sentence: how it stands."""
    if event.state is EventState.ACTIVE and unkept:
        return text("events.note_unkept", zone)
    if event.state is EventState.ACTIVE and event.short_w > 0.0:
        return text("events.note_short", zone, short_w=event.short_w)
    if event.state is EventState.ACTIVE:
        code = "events.note_reached" if event.reached_at else "events.note_falling"
        return text(code, zone, limit_w=event.limit_w)
    if event.state is EventState.ANNOUNCED:
        return text("events.note_announced", zone, start=event.starts_at, limit_w=event.limit_w)
    return text(f"events.note_{event.state.value}", zone)
