"""The alarms of events: a limit that no lever is left for, and a remote event that waits for a person."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.events import Events
from igoudar.control.picture import Picture

SHORT, UNAPPROVED, PRIORITY = "event_short", "event_unapproved", 2
OFF_S = 60.0  # what is covered for a moment only is not over
CLASSES = ("jobs", "caps", "battery", "loads")  # what events move


@dataclass(frozen=True, slots=True)
class EventWatch:
    """Looks at the events that act, once a cycle.

    Args:
        events: The room of events.
        modes: Mode of each class, now.
    """

    events: Events
    modes: Callable[[], Mapping[str, str]]

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        acting = [event for event in self.events.book.open if event.state is EventState.ACTIVE]
        yield self._short(acting, picture, before)
        yield self._unapproved(acting, picture, before)

    def _short(self, acting: list[Event], picture: Picture, before: Conditions) -> Signal:
        """Not before the stated response is over: until then levers may still come to bear."""
        worst = max(acting, key=lambda event: event.short_w, default=None)
        short_w = worst.short_w if worst else 0.0
        params: dict[str, object] = {
            "event": worst.event_id if worst else "",
            "short_w": short_w,
            "limit_w": worst.limit_w if worst else 0.0,
        }
        site, on_s = self.events.roster.site.name, self.events.rules.response_s
        return standing(SHORT, site, PRIORITY, short_w > 0.0, picture.at, before, params, on_s, OFF_S)

    def _unapproved(self, acting: list[Event], picture: Picture, before: Conditions) -> Signal:
        """Commands of classes in advise wait for a person, whoever has signed the event."""
        modes = self.modes()
        advised = any(modes.get(actuator) == "advise" for actuator in CLASSES)
        waiting = [event for event in acting if advised and not event.approved_by]
        first = waiting[0] if waiting else None
        params: dict[str, object] = {
            "event": first.event_id if first else "",
            "who": first.who if first else "",
            "limit_w": first.limit_w if first else 0.0,
        }
        site = self.events.roster.site.name
        return standing(UNAPPROVED, site, PRIORITY, bool(waiting), picture.at, before, params)
