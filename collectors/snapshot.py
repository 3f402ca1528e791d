"""The newest of every device, frozen, with its age."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from igoudar.core.model import Reading


@dataclass(frozen=True, slots=True)
class Totals:
    """Counted since the collector started."""

    readings: int = 0
    gaps: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture of the plant.

    `readings` holds the newest reading of each device, a gap where it failed or fell silent: no last
    good value is carried into it. `last_good` tells when a device last answered.
    """

    at: datetime  # site time, UTC
    readings: Mapping[str, Reading]
    last_good: Mapping[str, datetime]
    totals: Totals = Totals()

    def age_s(self, device: str) -> float | None:
        """Site time since the device last gave values [s], None when it never did."""
        last = self.last_good.get(device)
        return None if last is None else (self.at - last).total_seconds()

    def value(self, device: str, point: str) -> float | None:
        """A value of the newest reading, None in a gap or when bad."""
        reading = self.readings.get(device)
        return None if reading is None else reading.values.get(point)


class LiveRead(NamedTuple):
    """One device, read on request, and the profile it was read through."""

    profile: str
    reading: Reading
