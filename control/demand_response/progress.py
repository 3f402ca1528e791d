"""How an event stands against its target: intervals by the meters, levers by their watts. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.intervals import MINUTE, QUARTER, Counters, told
from igoudar.control.demand_response.levers import Levers, Sight
from igoudar.control.demand_response.memory import Memory
from igoudar.core.model import JobState

REACHED_RATIO = 1.0 + 1e-6


def counts_from(event: Event, response_s: float) -> datetime:
    """When intervals begin to count: the start, or the stated response after the first act."""
    return max(event.starts_at, event.act_from + timedelta(seconds=response_s))


def measured(event: Event, sight: Sight, counters: Counters, response_s: float) -> Event:
    """The event with its intervals told up to now, and when its limit was first reached."""
    if event.state not in (EventState.ACTIVE, EventState.RETURNING):
        return event
    start = counts_from(event, response_s)
    end = event.back_from_at or event.ends_at
    minutes = told(event.minutes, counters, MINUTE, start, end, event.limit_w)
    quarters = told(event.quarters, counters, QUARTER, start, end, event.limit_w)
    reached = event.reached_at or _reached(event, sight)
    return replace(event, minutes=minutes, quarters=quarters, reached_at=reached)


def _reached(event: Event, sight: Sight) -> datetime | None:
    """When it was first read at its limit; what was read before it acted tells nothing of it."""
    if sight.read_at is None or sight.read_at < max(event.at, event.act_from):
        return None
    load_w = sight.import_w if event.on_import else sight.facility_w
    below = load_w is not None and load_w <= REACHED_RATIO * event.limit_w
    return sight.read_at if below and event.state is EventState.ACTIVE else None


def told_all(event: Event, counters: Counters) -> bool:
    """Whether the last interval has been told, or never will be."""
    end, known = event.back_from_at, counters.known_until
    return end is None or known is None or known >= end


def used_w(memory: Memory, levers: Levers) -> dict[str, float]:
    """What each lever takes off now [W]."""
    draws = {one.target: one.now_w for one in levers.caps}
    full = {one.target: one.full_w for one in levers.caps}
    loads = {one.device: one.rated_w for one in levers.loads}
    return {
        "battery": _battery_w(memory, levers),
        "caps": sum(
            max(0.0, full.get(name, w) - max(w, draws.get(name, w))) for name, w in memory.caps.items()
        ),
        "jobs": sum(paused.relief_w for paused in memory.paused.values()),
        "delays": _delayed_w(memory, levers),
        "loads": sum(max(0.0, loads.get(name, w) - w) for name, w in memory.loads.items()),
    }


def counts(memory: Memory) -> Mapping[str, int]:
    """How many things each lever holds."""
    return {
        "battery": int(memory.battery_w is not None),
        "caps": len(memory.caps),
        "jobs": len(memory.paused),
        "delays": len(memory.delayed),
        "loads": len(memory.loads),
    }


def _battery_w(memory: Memory, levers: Levers) -> float:
    """What it gives of what it was asked for."""
    asked_w = memory.battery_w or 0.0
    return min(asked_w, levers.battery.now_w) if levers.battery else asked_w


def _delayed_w(memory: Memory, levers: Levers) -> float:
    waiting = [job for job in levers.jobs if job.state is JobState.WAITING]
    return sum(job.relief_w for job in waiting if job.job_id in memory.delayed)
