"""How often a point is written: its least interval, and a rest that doubles while the device refuses."""

from collections.abc import Callable
from datetime import datetime, timedelta

from igoudar.collectors.faults import Backoff
from igoudar.collectors.results import Rejected

FIRST_REST_S, LONGEST_REST_S = 5.0, 600.0  # wall

Place = tuple[str, str]
"""Device and point."""


class Pace:
    """Remembers when each point was last written, and how often it failed since it last worked.

    Args:
        monotonic: Wall seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._written: dict[Place, datetime] = {}
        self._rests: dict[Place, Backoff] = {}

    def refusal(self, place: Place, now: datetime, every_s: float) -> Rejected | None:
        """Whether it is too early for another write at site time `now`."""
        rest = self._rests.get(place)
        if rest is not None and not rest.due(self._monotonic()):
            return Rejected("backing_off", f"{rest.failures} failures in a row")
        last = self._written.get(place)
        if last is not None and timedelta(0) <= now - last < timedelta(seconds=every_s):
            return Rejected("rate_limited", f"at most one write in {every_s:g} s")
        return None

    def begins(self, place: Place, now: datetime) -> None:
        """A write starts."""
        self._written[place] = now

    def ended(self, place: Place, *, well: bool) -> None:
        """A write ended: a failure is not repeated in a loop."""
        if well:
            self._rests.pop(place, None)
            return
        rest = self._rests.setdefault(place, Backoff(FIRST_REST_S, LONGEST_REST_S))
        rest.failed(self._monotonic())
