"""How sure a forecast is, learned from how far it was off on weeks it had not seen (cross-conformal)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.departures import NIGHT
from igoudar.control.planning.forecast.history import HOURS, LEADS, LEADS_AHEAD, Past, Stretch, folds
from igoudar.control.planning.forecast.point import Fit, Point
from igoudar.control.planning.forecast.usual import usual
from igoudar.control.planning.table import Floats

Matrix = NDArray[np.float64]
LEVELS = (0.1, 0.9)
ANCHORS = np.array([0.1, 0.5, 0.9])  # of the hour's best: a calm errs upwards, a full wind downwards
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """What errors are measured in: the spread and the best of each hour of the day."""

    spread: Floats
    best: Floats

    def level(self, middle: Matrix, hours: NDArray[np.int64]) -> Matrix:
        """Where forecasts stand between nothing and the hour's best."""
        best = self.best[hours]
        return np.clip(np.divide(middle, best, out=np.zeros_like(middle), where=best > LEAST), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Banded:
    """A point forecast with P10 and P90 around it, all within [0, `most`].

    P50 is the expected value: it loses less by squared error, and here no more by pinball, than the median.
    """

    point: Point
    scale: Scale
    edges: Matrix  # LEADS x anchors x LEVELS, in spreads
    most: float
    lasting: bool = True  # what is read now holds for the present hour; not so for bursts

    def ahead(self, past: Past) -> Matrix:
        """LEADS x (P10, P50, P90)."""
        middle = self.point.ahead(past)
        level = self.scale.level(middle, past.ahead)
        off = _between_anchors(self.edges, level) * self.scale.spread[past.ahead][:, None]
        rows = np.stack((middle + off[:, 0], middle, middle + off[:, 1]), axis=1)
        if self.lasting:
            rows[0] = past.values[-1]
        return np.asarray(np.clip(rows, 0.0, self.most))


def banded(fit: Fit, stretches: Sequence[Stretch], most: float, lasting: bool = True) -> Banded:
    """Learn from all stretches; the bands from each week in turn, forecast by what the others taught."""
    scale = Scale(usual(stretches).spread, _best(stretches))
    off, level = [], []
    for left_out, others in folds(stretches):
        point = fit(others)
        for part in left_out:
            errors, levels = _errors(point, part, scale)
            off.append(errors)
            level.append(levels)
    return Banded(fit(stretches), scale, _edges(np.concatenate(off), np.concatenate(level)), most, lasting)


def _errors(point: Point, part: Stretch, scale: Scale) -> tuple[Matrix, Matrix]:
    """Errors in spreads (NaN where nothing is to be told) and the levels they happened at."""
    middle = np.array([point.ahead(part.upto(position)) for position in range(len(part.values))])
    hours = (part.hours[:, None] + LEADS_AHEAD) % HOURS
    spread = scale.spread[hours]
    telling = spread > NIGHT * scale.spread.mean() + LEAST
    off = np.where(telling, (part.targets() - middle) / np.maximum(spread, LEAST), np.nan)
    return off, scale.level(middle, hours)


def _best(stretches: Sequence[Stretch]) -> Floats:
    best = np.zeros(HOURS)
    for stretch in stretches:
        np.maximum.at(best, stretch.hours, stretch.values)
    return best


def _edges(off: Matrix, level: Matrix) -> Matrix:
    """Quantiles of the errors per lead and level, smooth over leads; ordered, as they share their weights."""
    edges = np.zeros((LEADS, len(ANCHORS), len(LEVELS)))
    for lead in range(1, LEADS):
        known = ~np.isnan(off[:, lead])
        order = np.argsort(off[known, lead])
        errors, at = off[known, lead][order], level[known, lead][order]
        for anchor, place in enumerate(ANCHORS):
            edges[lead, anchor] = _quantiles(errors, np.maximum(0.02, 1.0 - np.abs(at - place) / 0.4))
    inner = edges[1:]
    edges[2:-1] = (inner[:-2] + inner[1:-1] + inner[2:]) / 3.0
    return np.stack((np.minimum(edges[:, :, 0], 0.0), np.maximum(edges[:, :, 1], 0.0)), axis=2)


def _quantiles(errors: Floats, weight: Floats) -> Floats:
    """Weighted quantiles of sorted errors."""
    if not len(errors):
        return np.zeros(len(LEVELS))
    share = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    return np.interp(LEVELS, share, errors)


def _between_anchors(edges: Matrix, level: Floats) -> Matrix:
    """LEADS x LEVELS: the edges at each lead's level."""
    place = np.interp(level, ANCHORS, np.arange(len(ANCHORS)))
    low = np.minimum(place.astype(int), len(ANCHORS) - 2)
    part = (place - low)[:, None]
    return np.asarray(edges[LEADS_AHEAD, low] * (1.0 - part) + edges[LEADS_AHEAD, low + 1] * part)
