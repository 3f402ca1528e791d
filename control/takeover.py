"""A second host's turn: what the first one changed as the writer is read before anything is done."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.acting import Acting
from igoudar.control.acting_setup import earlier
from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.watch import Conditions, Signal
from igoudar.control.demand_response.events import Events
from igoudar.control.elsewhere import HandsOffElsewhere
from igoudar.control.lease import host_of
from igoudar.control.lease.turn import Turn
from igoudar.control.mode import Modes
from igoudar.control.picture import Picture
from igoudar.control.set_aside import SetAside
from igoudar.core.errors import StoreError

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Takeover:
    """Reads the records anew whenever the lease becomes ours; until then `turn` lets nobody act.

    Args:
        site: Its name.
        turn: Of those who act.
        modes: The site's and its classes'.
        acting: Overrides, proposals, pauses and what was sent.
        events: Emergency and demand response.
        hands_off: Of this host and of the other.
        now: Site time.
    """

    site: str
    turn: Turn
    modes: Modes
    acting: Acting
    events: Events
    hands_off: HandsOffElsewhere
    now: Callable[[], datetime]
    _told: bool = field(default=True)

    def start(self) -> None:
        """What was just built has read everything if the lease was ours; a start has its own mode."""
        if self.turn.due():
            self.hands_off.adopt()
            self.turn.ready(self.turn.epoch)

    def look(self) -> None:
        """One look, before each cycle; what can't be read now is tried again, and nobody acts meanwhile."""
        self.hands_off.note(self.now(), writer=self.turn.held())
        epoch = self.turn.epoch
        if not self.turn.due():
            return
        try:
            self._read(self.now())
        except StoreError as error:
            LOG.error("the lease is ours, but not what the other host left: %s", error)
            return
        self.turn.ready(epoch)
        self._told = False

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        if not self._told:
            self._told = True
            words: dict[str, object] = {"source": self.site, "mode": self.modes.mode}
            yield Signal("took_over", self.site, 2, "took_over", Condition(), words, pulse=True)
        unread = SetAside(self.site, self.acting.executor.chronicle, self.turn.held)
        yield from unread.signals(picture)

    def _read(self, now: datetime) -> None:
        """Hands-off first, the mode last: what it allows is known by then."""
        self.hands_off.adopt()
        executor = self.acting.executor
        executor.gate.overrides.read(now)
        executor.gate.memory.forget()
        executor.proposals.read(now)
        executor.carried_before(earlier(executor.chronicle.records))
        self.acting.suspends.take_over()
        self.events.take_over()
        if host_of(self.turn.former) not in ("", host_of(self.turn.holder)):
            self.modes.take_over(now)
        self.modes.stand(now)
