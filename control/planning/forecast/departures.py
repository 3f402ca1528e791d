"""How far a series is from its usual day, as the columns that a regression carries ahead."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.history import HOURS, LEADS, LEADS_AHEAD, WEEK_H
from igoudar.control.planning.table import Floats, Integers

SHRINK_H = 6.0  # hours of no departure that a mean of departures is averaged with
NIGHT = 0.1  # of the mean spread: an hour below says nothing

WIND = (
    *("now", "change", "trend", "day", "same", "now*sin", "now*cos", "trend*sin", "trend*cos"),
    *("day*sin", "day*cos", "same*sin", "same*cos"),
)
SUN = ("now", "day", "same", "before", "week")

_ANGLE = 2 * np.pi * ((np.arange(HOURS)[:, None] + LEADS_AHEAD) % HOURS) / HOURS  # present hour x LEADS
_WAVES = {"sin": np.sin(_ANGLE), "cos": np.cos(_ANGLE)}
_DAYS_BACK = HOURS * np.ceil(LEADS_AHEAD / HOURS).astype(int)


class Departures(NamedTuple):
    """Departures in units of the hour's spread, and the hours' weights (spread against its mean)."""

    apart: Floats
    weight: Floats
    hours: Integers  # of the day


def departures(values: Floats, hours: Integers, mean: Floats, spread: Floats) -> Departures:
    """`values` against `mean` and `spread` (per hour of the day); hours without spread depart by nothing."""
    typical = max(float(spread.mean()), 1e-12)
    telling = spread[hours] > NIGHT * typical
    apart = np.where(telling, (values - mean) / np.where(telling, spread[hours], 1.0), 0.0)
    return Departures(apart, np.where(telling, spread[hours] / typical, 0.0), hours)


def design(known: Departures, positions: Integers, names: Sequence[str]) -> NDArray[np.float64]:
    """Positions x LEADS x columns; each row uses what lies at or before its position only."""
    now = _last_telling(known)
    columns: dict[str, NDArray[np.float64]] = {
        "now": now[positions],
        "change": (now - _back(now, 1))[positions],
        "trend": (now - _back(now, 3))[positions],
        "day": _mean_back(known, HOURS)[positions],
        "week": _mean_back(known, WEEK_H)[positions],
    }
    wide = {name: np.repeat(column[:, None], LEADS, axis=1) for name, column in columns.items()}
    wide["same"] = _same_hour(known, positions, 0, wide["day"])
    wide["before"] = _same_hour(known, positions, 1, wide["same"])
    hours = known.hours[positions]
    parts = [name.partition("*") for name in names]
    return np.stack([wide[n] * _WAVES[wave][hours] if wave else wide[n] for n, _, wave in parts], axis=2)


def _last_telling(known: Departures) -> Floats:
    """The departure of each hour, or of the last one before that says something (0 before any)."""
    at = np.where(known.weight > 0, np.arange(len(known.apart)), -1)
    last = np.maximum.accumulate(at)
    return np.where(last >= 0, known.apart[np.maximum(last, 0)], 0.0)


def _back(values: Floats, hours: int) -> Floats:
    return values[np.maximum(0, np.arange(len(values)) - hours)]


def _mean_back(known: Departures, hours: int) -> Floats:
    """Weighted mean departure of the last `hours`, drawn to nothing while few are known."""
    first = np.maximum(0, np.arange(1, len(known.apart) + 1) - hours)
    total = np.append(0.0, np.cumsum(known.apart * known.weight))
    weight = np.append(0.0, np.cumsum(known.weight))
    return np.asarray((total[1:] - total[first]) / (weight[1:] - weight[first] + SHRINK_H))


def _same_hour(
    known: Departures, positions: Integers, days: int, otherwise: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The departure of the target's hour on the last day it was seen (or `days` before)."""
    source = positions[:, None] + LEADS_AHEAD - _DAYS_BACK - HOURS * days
    return np.where(source >= 0, known.apart[np.maximum(source, 0)], otherwise)
