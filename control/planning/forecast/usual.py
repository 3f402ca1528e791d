"""The usual day: mean and spread per hour, by month where the history says so."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.history import HOURS, STEPS_PER_HOUR, Past, Record, Stretch
from igoudar.control.planning.table import Floats, Integers

MONTHS = 13  # 0 = not known
STEADY = 1e-9  # spread against the mean
SHRINK_DAYS = 10.0  # days of the whole history's mean that a month's mean is averaged with


@dataclass(frozen=True, slots=True)
class Usual:
    """Means by month and hour of the day, and the spread around them per hour of the day."""

    mean: NDArray[np.float64]  # MONTHS x HOURS
    spread: Floats

    @property
    def steady(self) -> bool:
        """Every day was the same: there is nothing to learn beyond it."""
        return bool(self.spread.max() <= STEADY * abs(self.mean[0]).max())

    def at(self, month: int, hours: Integers) -> Floats:
        """The usual values of some hours of the day."""
        return np.asarray(self.mean[month][hours])

    def ahead(self, past: Past) -> Floats:
        """The usual value of the present hour and each to come."""
        return self.at(past.month, past.ahead)


def usual(stretches: Sequence[Stretch]) -> Usual:
    """The mean day of all months, and of each month as far as it was seen."""
    total, count = np.zeros((MONTHS, HOURS)), np.zeros((MONTHS, HOURS))
    for s in stretches:
        total[s.month] += np.bincount(s.hours, s.values, HOURS)
        count[s.month] += np.bincount(s.hours, minlength=HOURS)
    overall = total.sum(axis=0) / np.maximum(1.0, count.sum(axis=0))
    overall[count.sum(axis=0) == 0] = overall[count.sum(axis=0) > 0].mean()
    near, days = _with_neighbours(total), _with_neighbours(count)
    mean = (near + SHRINK_DAYS * overall) / (days + SHRINK_DAYS)
    mean[0] = overall
    return Usual(mean, _spread(stretches, mean))


def _with_neighbours(by_month: NDArray[np.float64]) -> NDArray[np.float64]:
    """A month and half of the two beside it."""
    year = by_month[1:]
    smooth = by_month.copy()
    smooth[1:] = year + 0.5 * np.roll(year, 1, axis=0) + 0.5 * np.roll(year, -1, axis=0)
    return smooth


def _spread(stretches: Sequence[Stretch], mean: NDArray[np.float64]) -> Floats:
    squares, count = np.zeros(HOURS), np.zeros(HOURS)
    for s in stretches:
        squares += np.bincount(s.hours, (s.values - mean[s.month][s.hours]) ** 2, HOURS)
        count += np.bincount(s.hours, minlength=HOURS)
    return np.sqrt(squares / np.maximum(1.0, count))


def within_hour(records: Sequence[Record]) -> Floats:
    """Mean departure of each quarter of an hour of the day from its hour's mean (96 values)."""
    slots = HOURS * STEPS_PER_HOUR
    total, count = np.zeros(slots), np.zeros(slots)
    for record in records:
        whole = len(record.steps) // STEPS_PER_HOUR * STEPS_PER_HOUR
        steps = record.steps[:whole].reshape(-1, STEPS_PER_HOUR)
        apart = (steps - steps.mean(axis=1, keepdims=True)).ravel()
        known = np.isfinite(apart)  # hours with all four readings
        slot = (record.start_hour * STEPS_PER_HOUR + np.arange(whole)) % slots
        np.add.at(total, slot[known], apart[known])
        np.add.at(count, slot[known], 1.0)
    return total / np.maximum(1.0, count)
