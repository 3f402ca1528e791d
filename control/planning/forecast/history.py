"""The past that a model learns from: stretches without a gap, hour by hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.forecast.seen import STEPS_PER_HOUR
from igoudar.control.planning.table import Floats, Integers

HOURS = 24
LEADS = 49  # hours 0 (the present one) to 48
WEEK_H = 168


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hourly means without a gap; `start_hour` is the hour of the day (UTC) of the first."""

    values: Floats
    start_hour: int = 0

    @property
    def hours(self) -> Integers:
        """Hour of the day of each value."""
        return (self.start_hour + np.arange(len(self.values))) % HOURS

    def upto(self, position: int, most: int) -> "Past":
        """What was known at `position`: the last `most` hours at most, that one included."""
        first = max(0, position - most + 1)
        return Past(self.values[first : position + 1], (self.start_hour + position) % HOURS)


@dataclass(frozen=True, slots=True)
class Past:
    """Hourly means up to the present hour, oldest first, and the present hour of the day (UTC)."""

    values: Floats
    hour: int

    @property
    def ahead(self) -> Integers:
        """Hour of the day of the present hour and the 48 after it."""
        return (self.hour + np.arange(LEADS)) % HOURS


def stretch_of(steps: Floats, start_hour: int = 0) -> Stretch:
    """Hourly means of 15-min steps; a last hour begun is left out."""
    whole = len(steps) // STEPS_PER_HOUR * STEPS_PER_HOUR
    return Stretch(np.asarray(steps[:whole]).reshape(-1, STEPS_PER_HOUR).mean(axis=1), start_hour)


def weeks(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The same hours in pieces of a week at most: left out in turn to learn how sure one is."""
    return [
        Stretch(s.values[first : first + WEEK_H], (s.start_hour + first) % HOURS)
        for s in stretches
        for first in range(0, len(s.values), WEEK_H)
    ]


def by_hour(stretches: Sequence[Stretch]) -> tuple[Floats, Floats]:
    """Mean and spread (standard deviation) per hour of the day; an hour never seen takes the overall ones."""
    values = np.concatenate([s.values for s in stretches])
    hours = np.concatenate([s.hours for s in stretches])
    mean, spread = np.full(HOURS, values.mean()), np.full(HOURS, values.std())
    for hour in range(HOURS):
        here = values[hours == hour]
        if len(here):
            mean[hour], spread[hour] = here.mean(), here.std()
    return mean, spread
