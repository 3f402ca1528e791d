"""What the plan is told of events: limits in time that hold already or are announced. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.rules import Rules
from igoudar.control.planning.policy import FACILITY, IMPORT, Ceiling

if TYPE_CHECKING:
    from igoudar.control.demand_response.events import Events

TOLD = (EventState.ANNOUNCED, EventState.ACTIVE)


def told_ahead(events: "Events") -> Callable[[datetime], tuple[Ceiling, ...]]:
    """What the planner asks: the limits that are known, in seconds from an instant."""
    return lambda zero: ceilings(events.book.open, events.now(), zero, events.rules)


def ceilings(events: Iterable[Event], now: datetime, zero: datetime, rules: Rules) -> tuple[Ceiling, ...]:
    """Each event's target on its meter, seconds counted from `zero`; an open one holds as long as usual."""
    return tuple(_ceiling(event, now, zero, rules) for event in events if event.state in TOLD)


def _ceiling(event: Event, now: datetime, zero: datetime, rules: Rules) -> Ceiling:
    begin = event.act_from if event.state is EventState.ACTIVE else event.starts_at
    end = event.ends_at or max(now, begin) + timedelta(seconds=rules.open_s)
    return Ceiling(
        IMPORT if event.on_import else FACILITY,
        (begin - zero).total_seconds(),
        (end - zero).total_seconds(),
        rules.target_w(event.limit_w),
    )
