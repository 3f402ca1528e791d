"""A series as it stood when a forecast was issued: what came later can't be read through it."""

import numpy as np

from igoudar.control.planning.table import Floats
from igoudar.core.errors import IgoudarError

STEPS_PER_HOUR = 4


class FutureReadError(IgoudarError):
    """A forecast asked for what nobody knew when it was issued."""


class Seen:
    """The part of a series of 15-min steps that is known when step `now` begins, that step included.

    `start_hour` is the hour of the day (UTC) of the first step, which begins on a full hour.
    """

    def __init__(self, series: Floats, now: int, start_hour: int = 0) -> None:
        if not 0 <= now < len(series):
            raise FutureReadError(f"step {now} of a series of {len(series)}", fix="issue within the series")
        self._series, self.now, self.start_hour = series, now, start_hour

    def at(self, step: int) -> float:
        """The value of one step.

        Raises:
            FutureReadError: the step lies after the issue time, or before the series.
        """
        return float(self.between(step, step + 1)[0])

    def between(self, first: int, end: int) -> Floats:
        """Values of steps `first` to `end` (excluded), as a copy.

        Raises:
            FutureReadError: one of them lies after the issue time, or before the series.
        """
        if first < 0 or end > self.now + 1:
            what = f"steps {first} to {end - 1} asked for when only 0 to {self.now} are known"
            raise FutureReadError(what, fix="read the past only")
        return self._series[first:end].copy()

    def hours(self, most: int) -> Floats:
        """Hourly means of the last `most` hours at most, oldest first; the last one is the hour so far."""
        begun = self.now // STEPS_PER_HOUR
        first = max(0, begun - most + 1)
        full = self.between(first * STEPS_PER_HOUR, begun * STEPS_PER_HOUR)
        so_far = self.between(begun * STEPS_PER_HOUR, self.now + 1)
        return np.append(full.reshape(-1, STEPS_PER_HOUR).mean(axis=1), so_far.mean())

    @property
    def hour(self) -> int:
        """Hour of the day (UTC) at the issue time."""
        return (self.start_hour + self.now // STEPS_PER_HOUR) % 24
