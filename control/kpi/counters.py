"""Energy between two instants from a counter that only grows, until it restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

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


def delta(values_wh: Sequence[float]) -> Delta:
    """Energy between the first and the last value of a counter [Wh].

    After a restart the counter's new value is what is known to have flowed (KPIS.md, vector 13).
    """
    steps = list(pairwise(values_wh))
    energy = sum(after - before if after >= before else after for before, after in steps)
    return Delta(energy, sum(after < before for before, after in steps))


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


def curve(samples: Sequence[tuple[datetime, float]], gap_s: float) -> Curve:
    """The cumulative curve of a counter's samples (time, value [Wh]), oldest first."""
    time_s = np.array([at.timestamp() for at, _ in samples], dtype=np.float64)
    values = np.array([value for _, value in samples], dtype=np.float64)
    if time_s.size == 0:
        return Curve(time_s, values, gap_s)
    steps = np.diff(values)
    steps = np.where(steps < 0, values[1:], steps)
    return Curve(time_s, np.concatenate([[0.0], np.cumsum(steps)]), gap_s)
