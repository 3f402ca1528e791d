"""The life of one alarm: ISA-18.2 states, pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class AlarmState(StrEnum):
    """Where an alarm stands."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


class Event(StrEnum):
    """What can happen to an alarm."""

    RAISE = "raise"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"


_NEXT = {
    (AlarmState.NORMAL, Event.RAISE): AlarmState.UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, Event.RETURN): AlarmState.RETURNED_UNACKNOWLEDGED,
    (AlarmState.UNACKNOWLEDGED, Event.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
    (AlarmState.ACKNOWLEDGED, Event.RETURN): AlarmState.NORMAL,
    (AlarmState.RETURNED_UNACKNOWLEDGED, Event.RAISE): AlarmState.UNACKNOWLEDGED,
    (AlarmState.RETURNED_UNACKNOWLEDGED, Event.ACKNOWLEDGE): AlarmState.NORMAL,
}


def after(state: AlarmState, event: Event) -> AlarmState:
    """The state after an event; an event that means nothing in a state leaves it (ISA-18.2)."""
    return _NEXT.get((state, event), state)


@dataclass(frozen=True, slots=True)
class Life:
    """One alarm from its first raise; site times, UTC."""

    state: AlarmState = AlarmState.NORMAL
    raised_at: datetime | None = None
    returned_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    occurrences: int = 0

    @property
    def active(self) -> bool:
        """Whether the condition holds now."""
        return self.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


def raised(life: Life, at: datetime) -> Life:
    """The condition holds: a new occurrence unless it already did."""
    if life.active:
        return life
    known = life.state is AlarmState.RETURNED_UNACKNOWLEDGED
    return Life(
        after(life.state, Event.RAISE),
        raised_at=life.raised_at if known else at,
        occurrences=life.occurrences + 1,
    )


def returned(life: Life, at: datetime) -> Life:
    """The condition is over; a person still has to know unless one acknowledged before."""
    if not life.active:
        return life
    return replace(life, state=after(life.state, Event.RETURN), returned_at=at)


def acknowledged(life: Life, at: datetime, by: str) -> Life:
    """A person has seen it; acknowledging twice changes nothing."""
    state = after(life.state, Event.ACKNOWLEDGE)
    if state is life.state:
        return life
    return replace(life, state=state, acknowledged_at=at, acknowledged_by=by)
