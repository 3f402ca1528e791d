"""The past that a model learns from: stretches without a gap, hour by hour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.table import Floats, Integers

HOURS = 24
STEPS_PER_HOUR = 4
SLOTS = HOURS * STEPS_PER_HOUR  # of a day
LEADS = 49  # hours 0 (the present one) to 48
WEEK_H = 168
DEPTH_H = WEEK_H  # hours of the past that a forecast looks at
FOLDS = 8
LEAST_KNOWN = 0.75  # of a week's hours, for it to teach
LEADS_AHEAD = np.arange(LEADS)


@dataclass(frozen=True, slots=True)
class Record:
    """15-min steps without a gap from a full hour on: `start_hour` (UTC) in `month` (0 = not known)."""

    steps: Floats
    start_hour: int = 0
    month: int = 0
    clear: Floats | None = None  # clear-sky output per hour, and of the 48 h after
    outlook: NDArray[np.float64] | None = None  # hours x LEADS: what a weather service foretold, or NaN


@dataclass(frozen=True, slots=True)
class Past:
    """Hourly means up to the present hour, oldest first, and the present hour of the day (UTC)."""

    values: Floats
    hour: int
    month: int = 0
    outlook: Floats | None = None  # what a weather service foretells for the present hour and 48 more

    @property
    def hours(self) -> Integers:
        """Hour of the day of each value."""
        return np.asarray((self.hour - np.arange(len(self.values))[::-1]) % HOURS)

    @property
    def ahead(self) -> Integers:
        """Hour of the day of the present hour and the 48 after it."""
        return np.asarray((self.hour + LEADS_AHEAD) % HOURS)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hourly means without a gap; `start_hour` is the hour of the day (UTC) of the first."""

    values: Floats
    start_hour: int = 0
    month: int = 0
    outlook: NDArray[np.float64] | None = None

    @property
    def hours(self) -> Integers:
        """Hour of the day of each value."""
        return np.asarray((self.start_hour + np.arange(len(self.values))) % HOURS)

    def upto(self, position: int) -> Past:
        """What was known at `position`, that hour included."""
        first = max(0, position - DEPTH_H + 1)
        outlook = None if self.outlook is None else self.outlook[position]
        hour = (self.start_hour + position) % HOURS
        return Past(self.values[first : position + 1], hour, self.month, outlook)

    def targets(self) -> NDArray[np.float64]:
        """Positions x LEADS: the value of each hour to come, NaN beyond the end."""
        padded = np.concatenate([self.values, np.full(LEADS, np.nan)])
        return np.asarray(padded[np.arange(len(self.values))[:, None] + LEADS_AHEAD])


def in_weeks(records: Iterable[Record]) -> list[Stretch]:
    """Hourly means in pieces of a week at most: each is left out in turn to learn how sure one is.

    Hours without a reading take the mean of their hour of the day.
    """
    pieces = [piece for record in records for piece in _pieces(record)]
    total, count = np.zeros(HOURS), np.zeros(HOURS)
    for piece in pieces:
        known = np.isfinite(piece.values)
        np.add.at(total, piece.hours[known], piece.values[known])
        np.add.at(count, piece.hours[known], 1.0)
    mean = np.where(count > 0, total, total.sum()) / np.where(count > 0, count, max(1.0, count.sum()))
    return [replace(p, values=np.where(np.isfinite(p.values), p.values, mean[p.hours])) for p in pieces]


def hourly_means(steps: Floats) -> Floats:
    """Means of the readings of each hour, a last hour begun included; NaN where there is none."""
    padded = np.append(steps, np.full(-len(steps) % STEPS_PER_HOUR, np.nan)).reshape(-1, STEPS_PER_HOUR)
    known = np.isfinite(padded)
    count = known.sum(axis=1)
    total = np.where(known, padded, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(1, count), np.nan)


def _pieces(record: Record) -> Iterable[Stretch]:
    whole = len(record.steps) // STEPS_PER_HOUR
    means = hourly_means(record.steps[: whole * STEPS_PER_HOUR])
    for first in range(0, whole, WEEK_H):
        part = slice(first, min(whole, first + WEEK_H))
        outlook = None if record.outlook is None else record.outlook[part]
        if np.isfinite(means[part]).mean() >= LEAST_KNOWN:
            yield Stretch(means[part], (record.start_hour + first) % HOURS, record.month, outlook)


def folds(stretches: Sequence[Stretch]) -> Iterable[tuple[list[Stretch], list[Stretch]]]:
    """Parts left out in turn, each with all the others (itself when there is no other): `FOLDS` at most.

    Weeks that follow each other are left out together, so that neighbours teach little about each other.
    """
    count = min(FOLDS, len(stretches))
    number = [index * count // len(stretches) for index in range(len(stretches))]
    for fold in range(count):
        out = [s for s, n in zip(stretches, number, strict=True) if n == fold]
        rest = [s for s, n in zip(stretches, number, strict=True) if n != fold]
        yield out, rest or out
