"""The references: persistence, climatology and their best mix, which a model must beat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from igoudar.control.planning.forecast.history import HOURS, LEADS, Past, Stretch, folds
from igoudar.control.planning.forecast.usual import Usual, usual
from igoudar.control.planning.table import Floats

DAYLIGHT = 0.2  # of the day's best: an hour below says nothing about the sky
UNSEEN_SHARE = 0.7  # of the ceiling, before any daylight was seen


class Point(Protocol):
    """One expected value for the present hour and each of the 48 after it."""

    def ahead(self, past: Past) -> Floats:
        """Expected hourly means, `LEADS` of them, the present hour first."""
        ...


Fit = Callable[[Sequence[Stretch]], Point]


@dataclass(frozen=True, slots=True)
class Climatology:
    """The mean of the hour of the day."""

    usual: Usual

    def ahead(self, past: Past) -> Floats:
        """The mean of each hour to come."""
        return self.usual.ahead(past)


@dataclass(frozen=True, slots=True)
class Persistence:
    """As it is now, in proportion to the best that each hour of the day has seen (all ones for wind)."""

    ceiling: Floats

    def ahead(self, past: Past) -> Floats:
        """The present share of the ceiling, kept; by night the last daylight's share."""
        ceiling = self.ceiling[past.hours]
        known = np.flatnonzero(ceiling >= DAYLIGHT * self.ceiling.max())
        if not len(known):
            return UNSEEN_SHARE * self.ceiling[past.ahead]
        share = past.values[known[-1]] / ceiling[known[-1]] if ceiling[known[-1]] else 0.0
        return np.asarray(share * self.ceiling[past.ahead])


@dataclass(frozen=True, slots=True)
class Mix:
    """Persistence and climatology in the proportion that suits each horizon best."""

    persistence: Persistence
    climatology: Climatology
    weight: Floats  # of persistence, per lead

    def ahead(self, past: Past) -> Floats:
        """The weighted mean of the two."""
        kept, mean = self.persistence.ahead(past), self.climatology.ahead(past)
        return np.asarray(self.weight * kept + (1.0 - self.weight) * mean)


def climatology(stretches: Sequence[Stretch]) -> Climatology:
    """Learn the mean day."""
    return Climatology(usual(stretches))


def flat_persistence(_: Sequence[Stretch]) -> Persistence:
    """For what has no ceiling that follows the hour, as wind."""
    return Persistence(np.ones(HOURS))


def sun_persistence(stretches: Sequence[Stretch]) -> Persistence:
    """For sun: the best that each hour of the day has seen is taken for a clear sky."""
    best = np.zeros(HOURS)
    for stretch in stretches:
        np.maximum.at(best, stretch.hours, stretch.values)
    return Persistence(best)


def mix(persistence: Callable[[Sequence[Stretch]], Persistence]) -> Fit:
    """Learns the least-squares weight of persistence per lead, each week against the others' mean day."""

    def fit(stretches: Sequence[Stretch]) -> Mix:
        over, under = np.zeros(LEADS), np.full(LEADS, 1e-12)
        for left_out, others in folds(stretches):
            kept, mean = persistence(others), climatology(others)
            for stretch in left_out:
                pasts = [stretch.upto(position) for position in range(len(stretch.values))]
                base = np.array([mean.ahead(past) for past in pasts])
                apart = np.array([kept.ahead(past) for past in pasts]) - base
                off = stretch.targets() - base
                over += np.nansum(apart * off, axis=0)
                under += np.where(np.isnan(off), 0.0, apart**2).sum(axis=0)
        weight = np.clip(over / under, 0.0, 1.0)
        return Mix(persistence(stretches), climatology(stretches), weight)

    return fit
