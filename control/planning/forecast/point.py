"""The references: what a forecast must beat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from igoudar.control.planning.forecast.history import LEADS, Past, Stretch, by_hour
from igoudar.control.planning.table import Floats

DEPTH_H = 72  # hours of the past that a forecast looks at


class Point(Protocol):
    """One expected value for the present hour and each of the 48 after it."""

    def ahead(self, past: Past) -> Floats:
        """Expected hourly means, `LEADS` of them, the present hour first."""
        ...


Fit = Callable[[Sequence[Stretch]], Point]


@dataclass(frozen=True, slots=True)
class Climatology:
    """The mean of the hour of the day."""

    mean: Floats

    def ahead(self, past: Past) -> Floats:
        """The mean of each hour to come."""
        return self.mean[past.ahead]


@dataclass(frozen=True, slots=True)
class Persistence:
    """As it is now, in proportion to the best that each hour has seen (`ceiling`; all ones for wind)."""

    ceiling: Floats

    def ahead(self, past: Past) -> Floats:
        """The present share of the ceiling, kept; by night the share of the last day."""
        hours = (past.hour - np.arange(len(past.values))[::-1]) % 24
        ceiling = self.ceiling[hours]
        known = np.flatnonzero(ceiling >= 0.2 * self.ceiling.max())
        if len(known) == 0:
            return self.ceiling[past.ahead] * 0.5
        share = past.values[known[-1]] / ceiling[known[-1]]
        return np.asarray(share * self.ceiling[past.ahead])


@dataclass(frozen=True, slots=True)
class Mix:
    """Persistence and climatology in the proportion that suits each horizon best."""

    persistence: Persistence
    climatology: Climatology
    weight: Floats  # of persistence, per lead

    def ahead(self, past: Past) -> Floats:
        """The weighted mean of the two."""
        kept, usual = self.persistence.ahead(past), self.climatology.ahead(past)
        return np.asarray(self.weight * kept + (1.0 - self.weight) * usual)


def climatology(stretches: Sequence[Stretch]) -> Climatology:
    """Learn the mean day."""
    return Climatology(by_hour(stretches)[0])


def flat_persistence(_: Sequence[Stretch]) -> Persistence:
    """For what has no ceiling that follows the hour, as wind."""
    return Persistence(np.ones(24))


def sun_persistence(stretches: Sequence[Stretch]) -> Persistence:
    """For sun: the best that each hour of the day has seen is taken for a clear sky."""
    best = np.zeros(24)
    for stretch in stretches:
        np.maximum.at(best, stretch.hours, stretch.values)
    return Persistence(best)


def mix(persistence: Callable[[Sequence[Stretch]], Persistence]) -> Fit:
    """Learns the least-squares weight of persistence per lead."""

    def fit(stretches: Sequence[Stretch]) -> Mix:
        kept, usual = persistence(stretches), climatology(stretches)
        over, under = np.zeros(LEADS), np.full(LEADS, 1e-12)
        for stretch in stretches:
            for position in range(len(stretch.values)):
                past = stretch.upto(position, DEPTH_H)
                truth = stretch.values[position : position + LEADS]
                mean = usual.ahead(past)[: len(truth)]
                apart = kept.ahead(past)[: len(truth)] - mean
                over[: len(truth)] += apart * (truth - mean)
                under[: len(truth)] += apart**2
        return Mix(kept, usual, np.clip(over / under, 0.0, 1.0))

    return fit
