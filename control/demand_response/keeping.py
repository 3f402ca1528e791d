"""Events in the state database: one row each, and what was moved and not moved back."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select

from igoudar.control.demand_response.event import OPEN, Event
from igoudar.control.demand_response.memory import Memory, dumped, loaded
from igoudar.control.records.safety_tables import EventRow, SuspendRow
from igoudar.control.records.state import Records

SHOWN = 200
_EVENT = TypeAdapter(Event)


def row(event: Event, memory: Memory | None) -> EventRow:
    """One event as a row; with the memory, a restart goes on in the middle."""
    detail: dict[str, Any] = {"event": _EVENT.dump_python(event, mode="json")}
    if memory is not None:
        detail["memory"] = dumped(memory)
    return EventRow(
        id=event.event_id,
        kind=event.kind.value,
        source=event.source,
        who=event.who,
        at=event.at,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        limit_w=event.limit_w,
        baseline_w=event.baseline_w,
        state=event.state.value,
        detail=detail,
    )


def keep(records: Records, events: Iterable[Event], memory: Memory) -> None:
    """Write events, the memory with the first open one."""
    listed = list(events)
    first = next((event.event_id for event in listed if event.open), None)
    records.merge([row(event, memory if event.event_id == first else None) for event in listed])


def paused_jobs(records: Records, event_ids: Collection[str]) -> dict[str, SuspendRow]:
    """Jobs that stand by a command of these events, whatever the memory says."""
    rows: list[SuspendRow] = records.readable(select(SuspendRow).where(SuspendRow.resumed_at.is_(None)))
    return {one.job_id: one for one in rows if one.command_id.startswith(tuple(event_ids))}


def kept(records: Records) -> tuple[dict[str, Event], Memory]:
    """All open events and the newest others, oldest first, and the newest memory of an open one."""
    still_open: list[EventRow] = records.readable(select(EventRow).where(EventRow.state.in_(OPEN)))
    newest: list[EventRow] = records.readable(select(EventRow).order_by(EventRow.at.desc()).limit(SHOWN))
    rows = {one.id: one for one in (*newest, *still_open)}.values()
    events = [event for _, event in records.aside.understood(rows, _event)]
    memories = [memory for _, memory in records.aside.understood(still_open, _memory)]
    known = [memory for memory in memories if memory.at is not None]
    memory = max(known, key=lambda memory: memory.at or events[0].at, default=Memory())
    return {event.event_id: event for event in sorted(events, key=lambda event: event.at)}, memory


def _event(one: EventRow) -> Event:
    event = _EVENT.validate_python(one.detail["event"])
    if event.event_id != one.id:
        raise ValueError(f"it holds {event.event_id!r}")
    return event


def _memory(one: EventRow) -> Memory:
    return loaded(one.detail.get("memory"))


def shown(events: Mapping[str, Event]) -> dict[str, Event]:
    """Of events by id, oldest first: all open ones and the newest others."""
    old = list(events)[:-SHOWN]
    over = {name for name in old if not events[name].open}
    return {name: event for name, event in events.items() if name not in over}
