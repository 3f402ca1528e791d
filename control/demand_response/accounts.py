"""The account of every event: intervals by the meters, levers by their watts, deadlines that it costs."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from igoudar.control.demand_response import look
from igoudar.control.demand_response.book import Book, noted
from igoudar.control.demand_response.event import Event, EventState, returned
from igoudar.control.demand_response.intervals import Counters
from igoudar.control.demand_response.levers import Levers, Sight, Wishes
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.progress import measured, told_all, used_w
from igoudar.control.demand_response.rules import Rules
from igoudar.control.picture import Picture
from igoudar.control.roster import Roster


@dataclass(slots=True)
class Accounts:
    """Of one site.

    Args:
        book: Its events.
        rules: How long after the first act intervals begin to count, and how exact time stamps are.
    """

    book: Book
    rules: Rules
    _counters: dict[bool, Counters] = field(default_factory=dict)  # of the grid meter, of the facility's

    def read(self, picture: Picture, roster: Roster, sight: Sight) -> None:
        """The meters' counters and powers, once a cycle."""
        for on_import, role in ((False, "transformer"), (True, "grid")):
            counters = self._counters.setdefault(on_import, Counters(stamp_s=self.rules.stamp_s))
            power_w = sight.import_w if on_import else sight.facility_w
            power = None if power_w is None or sight.read_at is None else (sight.read_at, power_w)
            counters.note(look.counters(picture, roster.power_devices(role)), power)

    def settle(
        self, sight: Sight, in_time: Collection[str], wishes: Wishes, memory: Memory, levers: Levers
    ) -> None:
        """What this cycle adds to every event, and which of them are over now."""
        self._found_in_time(frozenset(in_time))
        given = used_w(memory, levers)
        for event in self.book.open:
            counters = self._counters[event.on_import]
            after = measured(event, sight, counters, self.rules.response_s)
            if after.state is EventState.ACTIVE:
                after = noted(after, wishes.loses, wishes.short_w, given)
            elif after.state is EventState.RETURNING and self._back(after, counters, memory):
                after = returned(after)
            self.book.put(after)

    def _found_in_time(self, in_time: frozenset[str]) -> None:
        for event in list(self.book.events.values()):
            if in_time.intersection(event.lost):
                self.book.put(replace(event, lost=tuple(n for n in event.lost if n not in in_time)))

    def _back(self, event: Event, counters: Counters, memory: Memory) -> bool:
        others = any(one.state is EventState.ACTIVE for one in self.book.open)
        return told_all(event, counters) and (others or (memory.idle and not memory.delayed))
