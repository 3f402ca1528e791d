"""The room of events as a remote caller sees it: it may ask for less, and look at what it asked for."""

from dataclasses import dataclass

from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.request import EventRequest
from igoudar.control.lease import not_writer

STANDING = (EventState.ANNOUNCED, EventState.ACTIVE)


@dataclass(slots=True)
class EventDesk:
    """See flex.Desk."""

    events: Events

    def open(self, request: EventRequest) -> Event:
        """Take a request."""
        return self.events.open(request)

    def withdraw(self, source: str, slot: str, who: str) -> int:
        """End the open events of a slot; how many there were.

        Raises:
            NotWriterError: also where none is known to be open: the writer may know of one.
        """
        if not self.events.held():
            raise not_writer("events")
        named = [
            event.event_id
            for event in self.events.book.open
            if (event.source, event.slot) == (source, slot) and event.state in STANDING
        ]
        for name in named:
            self.events.cancel(name, who)
        return len(named)

    def load_w(self) -> float | None:
        """Facility load now, None when it is not known."""
        return self.events.sight.facility_w if self.events.sight else None

    def held(self, source: str) -> float | None:
        """The strictest limit that a source's active events set [W], None without one."""
        active = [event for event in self.events.book.open if event.state is EventState.ACTIVE]
        return min((event.limit_w for event in active if event.source == source), default=None)
