"""What an event looked like while it ran: samples around every interval that was not kept."""

import time
from dataclasses import dataclass, field
from typing import Any

from igoudar.control.schema_events import EventsView, EventView

AROUND, EVERY_S = 2, 1.0
MOST_KEPT = 60


@dataclass
class Trace:
    """Samples of one event, about one a second."""

    event_id: str
    samples: list[dict[str, Any]] = field(default_factory=list)
    _next_s: float = 0.0

    def note(self, events: EventsView) -> EventView:
        """One look; the event as it stands."""
        found = next(event for event in events.events if event.id == self.event_id)
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + EVERY_S
            self.samples.append(_sample(events, found))
        return found

    @property
    def highest_w(self) -> float | None:
        """The highest reading of the limited meter while it was to be held."""
        held = [one["load_w"] for one in self.samples if one["state"] == "active" and one["counts"]]
        return max((w for w in held if w is not None), default=None)

    @property
    def most_w(self) -> dict[str, float]:
        """The most that each lever gave at once."""
        names = {name for one in self.samples for name in one["levers_w"]}
        return {name: max(one["levers_w"].get(name, 0.0) for one in self.samples) for name in sorted(names)}

    @property
    def failures(self) -> list[dict[str, Any]]:
        """Samples around every interval that was missed or is unknown."""
        marks = [
            index
            for index in range(1, len(self.samples))
            if self.samples[index]["not_kept"] > self.samples[index - 1]["not_kept"]
        ]
        wanted = {near for mark in marks for near in range(mark - 3 * AROUND, mark + AROUND)}
        return [self.samples[index] for index in sorted(wanted) if 0 <= index < len(self.samples)][:MOST_KEPT]


def _sample(events: EventsView, event: EventView) -> dict[str, Any]:
    minutes = event.intervals[0]
    return {
        "time": events.time.isoformat(),
        "state": event.state,
        "load_w": event.load_w,
        "limit_w": event.held_w,
        "counts": minutes.met + minutes.missed + minutes.unknown > 0,
        "not_kept": minutes.missed + minutes.unknown,
        "levers_w": {one.lever: round(one.power_w) for one in events.levers if one.power_w},
        "short_w": event.short_w,
    }
