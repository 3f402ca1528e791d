"""How far a series will be from its usual day: two ridge regressions per horizon.

The first carries the present departure ahead; the second adds what the other columns know, held back more
the further it looks: a few weeks teach little about the day after tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.departures import SUN, WIND, Departures, departures, design
from igoudar.control.planning.forecast.history import LEADS, LEADS_AHEAD, Past, Stretch, without
from igoudar.control.planning.forecast.point import Climatology, Fit, Point
from igoudar.control.planning.forecast.usual import Usual, usual
from igoudar.control.planning.table import Floats

Matrix = NDArray[np.float64]
FIRST_PENALTY = 5.0
RAMP_H = (10.0, 22.0)  # the second penalty grows between these horizons


@dataclass(frozen=True, slots=True)
class Recipe:
    """Columns of the second regression, and its penalty near and far."""

    columns: tuple[str, ...]
    near: float
    far: float

    @property
    def penalties(self) -> Floats:
        """Per lead."""
        part = np.clip((LEADS_AHEAD - RAMP_H[0]) / (RAMP_H[1] - RAMP_H[0]), 0.0, 1.0)
        return np.asarray(self.near * (self.far / self.near) ** part)


WIND_RECIPE = Recipe(WIND, 3.0, 400.0)
SUN_RECIPE = Recipe(SUN, 100.0, 100.0)


@dataclass(frozen=True, slots=True)
class Ridge:
    """The usual day plus the departure expected."""

    usual: Usual
    columns: tuple[str, ...]
    weights: Matrix  # LEADS x columns

    def ahead(self, past: Past) -> Floats:
        """Expected hourly means of the present hour and the 48 after it."""
        known = _known(past.values, past.hours, self.usual.at(past.month, past.hours), self.usual)
        rows = design(known, np.array([len(past.values) - 1]), self.columns)[0]
        apart = np.einsum("lc,lc->l", rows, self.weights)
        return np.asarray(self.usual.ahead(past) + apart * self.usual.spread[past.ahead])


def ridge(recipe: Recipe) -> Fit:
    """Learns how departures from the usual day live on, each week's against the other weeks' usual day."""

    def fit(stretches: Sequence[Stretch]) -> Point:
        whole = usual(stretches)
        if whole.steady:
            return Climatology(whole)
        rows, truth = [], []
        for index, stretch in enumerate(stretches):
            known = _against(stretch, usual(without(stretches, index)), whole)
            rows.append(design(known, np.arange(len(known.apart)), recipe.columns))
            apart = Stretch(np.where(known.weight > 0, known.apart, np.nan))
            truth.append(apart.targets())
        weights = _two_regressions(np.concatenate(rows), np.concatenate(truth), recipe)
        return Ridge(whole, recipe.columns, weights)

    return fit


def _against(stretch: Stretch, others: Usual, whole: Usual) -> Departures:
    return _known(stretch.values, stretch.hours, others.at(stretch.month, stretch.hours), whole)


def _known(values: Floats, hours: NDArray[np.int64], mean: Floats, whole: Usual) -> Departures:
    return departures(values, hours, mean, whole.spread)


def _two_regressions(rows: Matrix, truth: Matrix, recipe: Recipe) -> Matrix:
    """LEADS x columns; the first column is that of the first regression."""
    blank = np.isnan(truth)
    truth = np.where(blank, 0.0, truth)
    rows = np.where(blank[:, :, None], 0.0, rows)
    first = _solve(rows[:, :, :1], truth, np.full(LEADS, FIRST_PENALTY))
    left = truth - np.einsum("nlc,lc->nl", rows[:, :, :1], first)
    weights = _solve(rows, left, recipe.penalties)
    weights[:, :1] += first
    return weights


def _solve(rows: Matrix, truth: Matrix, penalty: Floats) -> Matrix:
    by_lead = np.ascontiguousarray(rows.transpose(1, 2, 0))  # LEADS x columns x positions
    gram = by_lead @ by_lead.transpose(0, 2, 1)
    gram += penalty[:, None, None] * np.eye(rows.shape[2])
    right = by_lead @ np.ascontiguousarray(truth.T)[:, :, None]
    return np.asarray(np.linalg.solve(gram, right)[:, :, 0])
