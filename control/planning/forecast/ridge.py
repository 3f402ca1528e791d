"""How far a series will be from its usual day: two ridge regressions per horizon.

The first carries the present departure ahead; the second adds what the other columns know, held back more
the further it looks: a few weeks teach little about the day after tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.departures import NIGHT, SUN, WIND, departures, design
from igoudar.control.planning.forecast.history import HOURS, LEADS, LEADS_AHEAD, Past, Stretch, folds
from igoudar.control.planning.forecast.point import Climatology, Fit, Point
from igoudar.control.planning.forecast.usual import Usual, usual
from igoudar.control.planning.table import Floats

Matrix = NDArray[np.float64]
FIRST_PENALTY = 5.0
FORETOLD = 2  # columns of a weather service: what it foretells, and how far off it is just now
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
    """The usual day plus the departure expected, with a weather service's outlook where there is one."""

    usual: Usual
    columns: tuple[str, ...]
    weights: Matrix  # LEADS x columns
    foretold_weights: Matrix | None = None  # LEADS x (FORETOLD + columns)

    def ahead(self, past: Past) -> Floats:
        """Expected hourly means of the present hour and the 48 after it."""
        mean = self.usual.at(past.month, past.hours)
        known = departures(past.values, past.hours, mean, self.usual.spread)
        rows = design(known, np.array([len(past.values) - 1]), self.columns)
        apart = np.einsum("lc,lc->l", rows[0], self.weights)
        if self.foretold_weights is not None and past.outlook is not None:
            told = foretold(past.outlook[None], self.usual.ahead(past)[None], past.ahead[None], self.usual)
            better = np.einsum("lc,lc->l", with_foretold(rows, told)[0], self.foretold_weights)
            apart = np.where(np.isfinite(better), better, apart)
        return np.asarray(self.usual.ahead(past) + apart * self.usual.spread[past.ahead])


def ridge(recipe: Recipe) -> Fit:
    """Learns how departures from the usual day live on, each week's against the other weeks' usual day."""

    def fit(stretches: Sequence[Stretch]) -> Point:
        whole = usual(stretches)
        if whole.steady:
            return Climatology(whole)
        lessons = [
            _lesson(stretch, others, whole, recipe)
            for left_out, rest in folds(stretches)
            for others in [usual(rest)]
            for stretch in left_out
        ]
        rows, truth, told = (np.concatenate(parts) for parts in zip(*lessons, strict=True))
        weights = _two_regressions(rows, truth, recipe, 1)
        if not np.isfinite(told).any():
            return Ridge(whole, recipe.columns, weights)
        wide = with_foretold(rows, told)
        return Ridge(whole, recipe.columns, weights, _two_regressions(wide, truth, recipe, 1 + FORETOLD))

    return fit


def _lesson(stretch: Stretch, others: Usual, whole: Usual, recipe: Recipe) -> tuple[Matrix, Matrix, Matrix]:
    """Of one stretch: columns, the departures that came, and those foretold (NaN without a service)."""
    mean = others.at(stretch.month, stretch.hours)
    known = departures(stretch.values, stretch.hours, mean, whole.spread)
    rows = design(known, np.arange(len(known.apart)), recipe.columns)
    truth = Stretch(np.where(known.weight > 0, known.apart, np.nan)).targets()
    if stretch.outlook is None:
        return rows, truth, np.full_like(truth, np.nan)
    hours = (stretch.hours[:, None] + LEADS_AHEAD) % HOURS
    return rows, truth, foretold(stretch.outlook, others.mean[stretch.month][hours], hours, whole)


def foretold(outlook: Matrix, mean: Matrix, hours: NDArray[np.int64], whole: Usual) -> Matrix:
    """Departures that a weather service foretells, in the same units: issues x LEADS."""
    spread = whole.spread[hours]
    telling = spread > NIGHT * whole.spread.mean()
    return np.where(telling, (outlook - mean) / np.where(telling, spread, 1.0), outlook * 0.0)


def with_foretold(rows: Matrix, told: Matrix) -> Matrix:
    """Columns with what was foretold and how far off the service is just now put behind the first."""
    slip = rows[:, :1, 0] - told[:, :1]
    new = np.stack([told, np.repeat(slip, LEADS, axis=1)], axis=2)
    return np.concatenate([rows[:, :, :1], new, rows[:, :, 1:]], axis=2)


def _two_regressions(rows: Matrix, truth: Matrix, recipe: Recipe, first: int) -> Matrix:
    """LEADS x columns; the first regression uses the `first` columns, the second all."""
    blank = np.isnan(truth) | np.isnan(rows).any(axis=2)
    truth = np.where(blank, 0.0, truth)
    rows = np.where(blank[:, :, None], 0.0, rows)
    near = _solve(rows[:, :, :first], truth, np.full(LEADS, FIRST_PENALTY))
    left = truth - np.einsum("nlc,lc->nl", rows[:, :, :first], near)
    weights = _solve(rows, left, recipe.penalties)
    weights[:, :first] += near
    return weights


def _solve(rows: Matrix, truth: Matrix, penalty: Floats) -> Matrix:
    by_lead = np.ascontiguousarray(rows.transpose(1, 2, 0))  # LEADS x columns x positions
    gram = by_lead @ by_lead.transpose(0, 2, 1)
    gram += penalty[:, None, None] * np.eye(rows.shape[2])
    right = by_lead @ np.ascontiguousarray(truth.T)[:, :, None]
    return np.asarray(np.linalg.solve(gram, right)[:, :, 0])
