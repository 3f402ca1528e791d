"""A scheduler's times are wall times; the site's may run faster. This converts between them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from igoudar.core.clock import Clock

DRIFT_S = 0.5  # wall; a larger one means that a clock was set


@dataclass(slots=True)
class WallTimes:
    """Site time of a wall time and back.

    Both clocks are read together once and compared again at each `now`: as long as they run alike, a
    job's times stay the same from one reading to the next.
    """

    clock: Clock
    wall: Callable[[], float] = time.time
    _site: datetime | None = None
    _wall_s: float = 0.0

    def now(self) -> tuple[datetime, float]:
        """Site time and wall time [POSIX s], now."""
        site, wall_s = self.clock.now(), self.wall()
        if self._site is None or abs((site - self.site(wall_s)).total_seconds()) > DRIFT_S * self.clock.speed:
            self._site, self._wall_s = site, wall_s
        return site, wall_s

    def site(self, wall_s: float) -> datetime:
        """Site time of a wall time [POSIX s]."""
        if self._site is None:
            self.now()
        anchor = self._site or self.clock.now()
        return anchor + timedelta(seconds=(wall_s - self._wall_s) * self.clock.speed)

    def wall_at(self, site: datetime) -> datetime:
        """Wall time of a site time, to the second above: Slurm knows no fractions."""
        now, wall_s = self.now()
        ahead_s = (site - now).total_seconds() / self.clock.speed
        return datetime.fromtimestamp(math.ceil(wall_s + ahead_s), UTC)

    def site_s(self, wall_s: float) -> float:
        """Length of a span in site time [s]."""
        return wall_s * self.clock.speed
