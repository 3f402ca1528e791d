"""How far a series will be from its mean day: linear in how far it is and was, one regression per horizon."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.history import HOURS, LEADS, Past, Stretch, by_hour
from igoudar.control.planning.forecast.point import DEPTH_H
from igoudar.control.planning.table import Floats

PENALTY = 20.0
FEATURES = 9
SHRINK_H = 6  # hours of no departure that a short past is averaged with
LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Ridge:
    """Departure from the mean day in units of the hour's spread, carried ahead."""

    mean: Floats
    spread: Floats
    weights: NDArray[np.float64]  # LEADS x FEATURES

    def ahead(self, past: Past) -> Floats:
        """The mean day plus the departure expected."""
        apart = np.einsum("lf,lf->l", features(past, self.mean, self.spread), self.weights)
        return np.asarray(self.mean[past.ahead] + apart * self.spread[past.ahead])


def features(past: Past, mean: Floats, spread: Floats) -> NDArray[np.float64]:
    """LEADS x FEATURES: departure now, its changes, its daily mean, that of the same hour before, by hour."""
    hours = (past.hour - np.arange(len(past.values))[::-1]) % HOURS
    apart = (past.values - mean[hours]) / np.maximum(spread[hours], LEAST_SPREAD)
    now, count = apart[-1], len(apart)
    change = now - apart[-2] if count > 1 else 0.0
    trend = now - apart[max(0, count - 4)]
    day = apart[-HOURS:].sum() / (min(count, HOURS) + SHRINK_H)
    leads = np.arange(LEADS)
    before = count - 1 + leads - HOURS * np.ceil(leads / HOURS).astype(int)
    same = np.where(before >= 0, apart[np.maximum(before, 0)], day)
    angle = 2 * np.pi * past.ahead / HOURS
    sin, cos, ones = np.sin(angle), np.cos(angle), np.ones(LEADS)
    columns = (now * ones, change * ones, trend * ones, day * ones, same)
    return np.stack((*columns, now * sin, now * cos, trend * sin, trend * cos), axis=1)


def ridge(stretches: Sequence[Stretch]) -> Ridge:
    """Learn the mean day and the weights of each horizon."""
    mean, spread = by_hour(stretches)
    gram = np.tile(PENALTY * np.eye(FEATURES), (LEADS, 1, 1))
    right = np.zeros((LEADS, FEATURES))
    for stretch in stretches:
        scale = np.maximum(spread[stretch.hours], LEAST_SPREAD)
        truth = (stretch.values - mean[stretch.hours]) / scale
        for position in range(len(truth)):
            ahead = truth[position : position + LEADS]
            known = features(stretch.upto(position, DEPTH_H), mean, spread)[: len(ahead)]
            gram[: len(ahead)] += known[:, :, None] * known[:, None, :]
            right[: len(ahead)] += known * ahead[:, None]
    weights = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    return Ridge(mean, spread, np.asarray(weights, np.float64))
