"""Whether every minute and every quarter of an hour stayed under its limit, by the meters' counters. Pure.

A counter is read a moment after it was refreshed, and stamped a moment later: of a minute's energy so much
is in doubt as flows in that time. Where the doubt is larger than the distance to the limit, the power
readings of the interval tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
KEPT = timedelta(minutes=40)
LONGEST_GAP_S = 300.0
SLACK_RATIO = 1e-6  # rounding of counters is no miss

Sample = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Tally:
    """Intervals of one length: how many were met, and the worst mean over the limit."""

    met: int = 0
    missed: int = 0
    unknown: int = 0  # a meter was silent in it
    worst_w: float = 0.0  # over the limit
    next_at: datetime | None = None  # start of the interval that runs

    def counted(self, mean_w: float | None, limit_w: float, next_at: datetime) -> "Tally":
        """One more interval."""
        if mean_w is None:
            return replace(self, unknown=self.unknown + 1, next_at=next_at)
        over_w = mean_w - limit_w
        if over_w <= SLACK_RATIO * max(limit_w, 1.0):
            return replace(self, met=self.met + 1, next_at=next_at)
        return replace(self, missed=self.missed + 1, worst_w=max(self.worst_w, over_w), next_at=next_at)


@dataclass(slots=True)
class Counters:
    """Cumulative energy of the meters behind one limit, as far back as an open interval needs [Wh]."""

    gap_s: float = LONGEST_GAP_S  # readings further apart tell nothing of the time between
    stamp_s: float = 0.0  # how far a counter may be from its time stamp
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    powers: list[Sample] = field(default_factory=list)  # the same meters' power together [W]

    def note(self, readings: Mapping[str, Sample], power: Sample | None = None) -> None:
        """The newest reading of each meter, and what they show together."""
        if power is not None and (not self.powers or power[0] > self.powers[-1][0]):
            self.powers = [*(one for one in self.powers if one[0] >= power[0] - KEPT), power]
        for name, (at, energy_wh) in readings.items():
            kept = self.samples.setdefault(name, [])
            if kept and at <= kept[-1][0]:
                continue
            if kept and energy_wh < kept[-1][1] - 1.0 and name.endswith("+"):
                kept.clear()  # a counter that was reset tells nothing of the time before
            kept.append((at, energy_wh))
            while len(kept) > 2 and kept[1][0] < at - KEPT:
                kept.pop(0)

    @property
    def known_until(self) -> datetime | None:
        """Up to when every meter was read."""
        if not self.samples or not all(self.samples.values()):
            return None
        return min(kept[-1][0] for kept in self.samples.values())

    def mean_w(self, start: datetime, end: datetime) -> float | None:
        """Mean power over a stretch, None where a meter does not cover it."""
        total_wh = 0.0
        for kept in self.samples.values():
            first, last = self._at(kept, start), self._at(kept, end)
            if first is None or last is None:
                return None
            total_wh += last - first
        return total_wh / ((end - start).total_seconds() / 3600.0)

    def judged_w(self, start: datetime, end: datetime, limit_w: float) -> float | None:
        """The mean that is held against a limit; None where a meter does not cover it."""
        mean_w = self.mean_w(start, end)
        if mean_w is None:
            return None
        doubt_w = 2.0 * self.stamp_s / (end - start).total_seconds() * abs(mean_w)
        seen = [power_w for at, power_w in self.powers if start <= at <= end]
        return sum(seen) / len(seen) if seen and abs(mean_w - limit_w) < doubt_w else mean_w

    def _at(self, kept: Sequence[Sample], when: datetime) -> float | None:
        """The counter at an instant, on the straight line between two readings."""
        for (before, low_wh), (after, high_wh) in pairwise(kept):
            if before <= when <= after:
                span_s = (after - before).total_seconds()
                if span_s > self.gap_s:
                    return None
                return low_wh + (high_wh - low_wh) * (when - before).total_seconds() / span_s
        return kept[0][1] if len(kept) == 1 and kept[0][0] == when else None


def told(tally: Tally, counters: Counters, length: timedelta, start: datetime, end: datetime | None,
         limit_w: float) -> Tally:  # fmt: skip
    """The tally with every interval that is over by now; the last one is cut at `end`."""
    known = counters.known_until
    while known is not None:
        begin = tally.next_at or start
        until = begin + length if end is None else min(begin + length, end)
        if until > known or until <= begin:
            return tally
        tally = tally.counted(counters.judged_w(begin, until, limit_w), limit_w, until)
    return tally
