"""Energy between two instants from a counter that only grows, until it rolls over or restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from igoudar.core.counters import ANY, CounterRule, Event, step

JOULES_PER_WH = 3600.0


@dataclass(frozen=True, slots=True)
class Delta:
    """Energy counted over some samples [Wh]; a lower bound when the counter restarted on the way."""

    energy_wh: float
    resets: int

    @property
    def lower_bound(self) -> bool:
        """Whether energy before a restart went uncounted."""
        return self.resets > 0


def delta(values_wh: Sequence[float], rule: CounterRule = ANY) -> Delta:
    """Energy between the first and the last value of a counter [Wh].

    After a restart the counter's new value is what is known to have flowed (KPIS.md, vector 13); a rollover,
    where `rule` knows of one, loses nothing.
    """
    steps = [step(before, after, rule=rule) for before, after in pairwise(values_wh)]
    return Delta(sum(one.amount for one in steps), sum(one.event is Event.RESET for one in steps))


@dataclass(frozen=True, slots=True)
class Curve:
    """A counter as cumulative energy over time, restarts taken out.

    `time_s` are POSIX seconds, strictly rising; between two samples energy is taken to flow evenly.
    Spans longer than `gap_s` count as not covered, though their energy is known from the counter.
    """

    time_s: NDArray[np.float64]
    energy_wh: NDArray[np.float64]
    gap_s: float

    def at(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cumulative energy [Wh] at instants [s]; NaN outside the samples."""
        if self.time_s.size == 0:
            return np.full(time_s.shape, np.nan)
        return np.asarray(np.interp(time_s, self.time_s, self.energy_wh, left=np.nan, right=np.nan))

    def covered_s(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covered seconds from the first sample up to each instant [s], clipped to the samples."""
        if self.time_s.size == 0:
            return np.zeros(time_s.shape)
        spans = np.diff(self.time_s)
        good = np.where(spans <= self.gap_s, spans, 0.0)
        return np.asarray(np.interp(time_s, self.time_s, np.concatenate([[0.0], np.cumsum(good)])))


def curve(samples: Sequence[tuple[datetime, float]], gap_s: float, rule: CounterRule = ANY) -> Curve:
    """The cumulative curve of a counter's samples (time, value [Wh]), oldest first.

    What the counter can't have counted in the time, by `rule`, is left out: energy is never invented.
    """
    time_s = np.array([at.timestamp() for at, _ in samples], dtype=np.float64)
    values = np.array([value for _, value in samples], dtype=np.float64)
    if time_s.size == 0:
        return Curve(time_s, values, gap_s)
    steps, spans = np.diff(values), np.diff(time_s)
    odd = (steps < 0) | (steps > rule.most_per_s * spans)
    for i in np.flatnonzero(odd):
        steps[i] = step(values[i], values[i + 1], spans[i], rule).amount
    return Curve(time_s, np.concatenate([[0.0], np.cumsum(steps)]), gap_s)
