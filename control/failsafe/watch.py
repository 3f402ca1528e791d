"""When a paused job must run again: by its resume-by, or at once when control shows no sign of life.

All of it is a function of the host's monotonic clock, so that no jump of the wall clock can stretch a pause.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from igoudar.control.failsafe.heartbeat import Beat
from igoudar.control.failsafe.suspended import Suspended
from igoudar.core.clock import SiteClock

MISSED_BEATS = 3
LEAST_SILENCE_S = 30.0  # wall: a restarted control is back by then
MARGIN_S = 1.5  # wall: before the resume-by, for the call and the scheduler's own step


class Why(StrEnum):
    """Why the failsafe resumes a job; codes of the catalogue."""

    RESUME_BY = "failsafe.resume_by"
    SILENCE = "failsafe.silence"
    STOPPED = "failsafe.stopped"


class Pause(NamedTuple):
    """One pause of one job; the same job may be paused again later."""

    job_id: str
    entry: Suspended


@dataclass(slots=True)
class Pulse:
    """Whether control lives: its beat must change within three periods, and 30 s at the least."""

    since_s: float  # monotonic time of the last change, of the start at first
    last: Beat | None = None

    def note(self, beat: Beat | None, now_s: float) -> None:
        """What the file says now."""
        if beat is not None and beat != self.last:
            self.last, self.since_s = beat, now_s

    @property
    def patience_s(self) -> float:
        """How long the beat may stand still (wall)."""
        return max(LEAST_SILENCE_S, MISSED_BEATS * self.last.period_s if self.last else 0.0)

    def silent(self, now_s: float) -> bool:
        """True when control must be taken for dead."""
        return now_s - self.since_s >= self.patience_s


@dataclass(slots=True)
class Deadlines:
    """The monotonic time by which each pause ends, fixed when it is first seen."""

    by_s: dict[Pause, float] = field(default_factory=dict)

    def note(self, jobs: Mapping[str, Suspended], clock: SiteClock | None, now_s: float) -> None:
        """Take in pauses that are new, drop those that are over."""
        pauses = [Pause(job_id, entry) for job_id, entry in jobs.items()]
        known = self.by_s
        self.by_s = {p: known[p] if p in known else now_s + left_s(p.entry, clock, now_s) for p in pauses}

    def due(self, now_s: float) -> list[Pause]:
        """The pauses whose time is up."""
        return [pause for pause, by_s in self.by_s.items() if now_s >= by_s - MARGIN_S]


def left_s(entry: Suspended, clock: SiteClock | None, now_s: float) -> float:
    """How much longer a pause may last (wall) [s].

    Never more than it was meant to last at all: then the clock has gone back since it was written.
    """
    whole_s = (entry.resume_by - entry.at).total_seconds()
    if clock is None:
        return whole_s
    return min(whole_s, max(0.0, (entry.resume_by - clock.at(now_s)).total_seconds())) / clock.speed
