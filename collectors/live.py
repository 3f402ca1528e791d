"""The newest reading of every device, kept as it comes."""

from array import array
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from igoudar.collectors.slow import SlowPoints, SlowRule
from igoudar.collectors.snapshot import Snapshot, Totals
from igoudar.core.clock import Clock
from igoudar.core.model import Gap, Reading, Reason

MISSED_POLLS = 3
NEVER = float("inf")
ROUNDING_S = 1e-6  # of POSIX seconds in floats: it must not age a reading


class Live:
    """Takes readings, gives snapshots.

    Args:
        clock: Site time.
        periods_s: Poll period of each device (site time) [s].
        slow: Of devices that have points with a longer period.
    """

    def __init__(
        self, clock: Clock, periods_s: Mapping[str, float], slow: Mapping[str, SlowRule] | None = None
    ) -> None:
        self._clock = clock
        self._lives_s = {name: MISSED_POLLS * period for name, period in periods_s.items()}
        self._places: dict[str, int] = {}
        # By place [POSIX s]: a snapshot of a whole site looks at all of them at once.
        self._fresh_until_s = array("d")
        self._slow = SlowPoints(slow or {})
        self._readings: dict[str, Reading] = {}
        self._last_good: dict[str, datetime] = {}
        self._points = self._count = 0
        self.gap_causes = Counter[Reason]()

    def put(self, reading: Reading) -> None:
        """Take the newest reading of a device."""
        self._readings[reading.device] = self._slow.beside(reading)
        self._note_life(reading)
        self._count += 1
        if reading.gap is None:
            self._points += len(reading.values)
            self._last_good[reading.device] = reading.at
        else:
            self.gap_causes[reading.gap.reason] += 1

    def reading(self, device: str) -> Reading | None:
        """The newest of one device, a gap when it is stale; None when it was never read."""
        reading = self._readings.get(device)
        return None if reading is None else self._aged(reading, self._clock.now())

    def snapshot(self) -> Snapshot:
        """A frozen picture as of now."""
        now = self._clock.now()
        readings, names = dict(self._readings), tuple(self._readings)
        for place in np.flatnonzero(np.array(self._fresh_until_s) < now.timestamp()).tolist():
            readings[names[place]] = _stale(readings[names[place]], now)
        return Snapshot(now, readings, dict(self._last_good), self.totals)

    @property
    def totals(self) -> Totals:
        """Counts since the start."""
        return Totals(self._count, self.gap_causes.total(), self._points)

    @property
    def answering(self) -> int:
        """Devices whose newest reading has values."""
        return sum(reading.gap is None for reading in self._readings.values())

    def _note_life(self, reading: Reading) -> None:
        """Until when it may be shown as live; a gap can't get stale."""
        place = self._places.get(reading.device)
        if place is None:  # places count in the order of the readings' first coming
            place = self._places[reading.device] = len(self._places)
            self._fresh_until_s.append(NEVER)
        if reading.gap is not None:
            self._fresh_until_s[place] = NEVER
            return
        life_s = self._lives_s.get(reading.device, 0.0)
        self._fresh_until_s[place] = reading.at.timestamp() + life_s + ROUNDING_S

    def _aged(self, reading: Reading, now: datetime) -> Reading:
        fresh = self._fresh_until_s[self._places[reading.device]] >= now.timestamp()
        return reading if fresh else _stale(reading, now)


def _stale(reading: Reading, now: datetime) -> Reading:
    """Three missed polls turn a reading into a gap: nothing old is shown as if it were live."""
    detail = f"last read {(now - reading.at).total_seconds():.0f} s ago"
    return Reading(reading.at, reading.device, {}, gap=Gap(Reason.STALE, detail))
