"""PUE by outdoor temperature and load, learned from the site's own readings."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.policy import STEP_S, Forecast
from igoudar.control.planning.table import Floats

KNEES_C = (10.0, 18.0, 24.0, 30.0, 36.0)  # where free cooling gives way, step by step
LEAST_LOAD_RATIO = 0.05
PENALTY = 0.1
LEAST_TAUGHT = 96  # readings: a day


@dataclass(frozen=True, slots=True)
class PueModel:
    """Overhead = fixed share / load + a share that bends with temperature."""

    weights: Floats
    centre: Floats

    def at(self, temperature_c: Floats, load_ratio: Floats) -> Floats:
        """PUE at outdoor temperatures [degC] and IT loads against capacity; never under 1."""
        columns = _columns(temperature_c, load_ratio) - self.centre[1:]
        return np.asarray(np.maximum(1.0, self.centre[0] + columns @ self.weights))


def with_temperature(
    forecast: Forecast, model: PueModel, temperature_c: Floats, load_ratio: float
) -> Forecast:
    """The forecast with the PUE that follows from foretold temperatures, one an hour, from now on [degC].

    Where no temperature is foretold (NaN) the PUE stays as it was; `load_ratio` is the IT load reckoned with.
    """
    at_h = np.arange(len(forecast.pue)) * STEP_S / 3600.0
    temperature = np.interp(at_h, np.arange(len(temperature_c)), temperature_c, right=np.nan)
    told = model.at(np.nan_to_num(temperature), np.full(len(temperature), load_ratio))
    return replace(forecast, pue=np.where(np.isfinite(temperature), told, forecast.pue))


def learned_pue(temperature_c: Floats, load_ratio: Floats, pue: Floats) -> PueModel | None:
    """Least squares, held back where little was seen; None when under a day of readings is whole."""
    whole = np.isfinite(temperature_c) & np.isfinite(load_ratio) & np.isfinite(pue) & (pue >= 1.0)
    if whole.sum() < LEAST_TAUGHT:
        return None
    columns, truth = _columns(temperature_c[whole], load_ratio[whole]), pue[whole]
    centre = np.append(truth.mean(), columns.mean(axis=0))
    apart = columns - centre[1:]
    gram = apart.T @ apart + PENALTY * np.eye(apart.shape[1])
    return PueModel(np.asarray(np.linalg.solve(gram, apart.T @ (truth - centre[0]))), centre)


def _columns(temperature_c: Floats, load_ratio: Floats) -> NDArray[np.float64]:
    bends = [np.maximum(0.0, temperature_c - knee) / 10.0 for knee in KNEES_C]
    return np.stack([1.0 / np.maximum(load_ratio, LEAST_LOAD_RATIO), temperature_c / 10.0, *bends], axis=1)
