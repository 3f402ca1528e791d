"""How sure a forecast is, learned from how far it was off on weeks it had not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.history import LEADS, Past, Stretch, by_hour, weeks
from igoudar.control.planning.forecast.point import DEPTH_H, Fit, Point
from igoudar.control.planning.table import Floats

LEVELS = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Banded:
    """A point forecast with the P10 and P90 around it, all within [0, `most`]."""

    point: Point
    low: Floats  # error in units of the hour's spread, per lead
    high: Floats
    spread: Floats
    most: float

    def ahead(self, past: Past) -> NDArray[np.float64]:
        """LEADS x (P10, P50, P90); the present hour is known."""
        middle = self.point.ahead(past)
        middle[0] = past.values[-1]
        spread = self.spread[past.ahead]
        rows = np.stack((middle + self.low * spread, middle, middle + self.high * spread), axis=1)
        return np.asarray(np.clip(rows, 0.0, self.most))


def banded(fit: Fit, stretches: Sequence[Stretch], most: float) -> Banded:
    """Learn from all stretches; the bands from each week in turn, forecast by what the others taught."""
    parts = weeks(stretches)
    spread = by_hour(parts)[1]
    errors: list[list[float]] = [[] for _ in range(LEADS)]
    for left_out, part in enumerate(parts):
        others = [p for index, p in enumerate(parts) if index != left_out] or parts
        _add_errors(errors, fit(others), part, np.maximum(spread, 1e-9))
    low, high = (np.array([np.quantile(e or [0.0], q) for e in errors]) for q in LEVELS)
    return Banded(fit(stretches), _calm(np.minimum(low, 0.0)), _calm(np.maximum(high, 0.0)), spread, most)


def _add_errors(errors: list[list[float]], point: Point, part: Stretch, spread: Floats) -> None:
    for position in range(len(part.values)):
        past = part.upto(position, DEPTH_H)
        truth = part.values[position : position + LEADS]
        hours = past.ahead[: len(truth)]
        off = (truth - point.ahead(past)[: len(truth)]) / spread[hours]
        for lead in np.flatnonzero(spread[hours] > 1e-6):
            errors[lead].append(float(off[lead]))


def _calm(edge: Floats) -> Floats:
    """A band's edge without the jumps of single horizons; the present hour is known."""
    wide = np.convolve(np.pad(edge, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
    wide[0] = 0.0
    return wide
