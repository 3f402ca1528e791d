"""Weather forecasts with a stated error, made from what came: what would a weather service be worth?"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planning.forecast.bulletins import CURVE_MPS, CURVE_RATIO
from igoudar.control.planning.table import Floats
from igoudar.lab.periods import ORIGIN
from igoudar.lab.resources import ResourcePeriod

EVERY_H = 6  # bulletins a day: four
AHEAD_H = 54
MEMORY = 0.9  # of an error, from hour to hour
AT_ONCE = 0.6  # share of the stated error at the issue; all of it after a day, 1.4 times after two
WIND_ERROR_MPS = 1.5  # RMSE a day ahead
PV_ERROR_RATIO = 0.1  # of the day's own output, a day ahead


def write_weather(
    file: Path,
    resource: Sequence[ResourcePeriod],
    wind_error_mps: float = WIND_ERROR_MPS,
    pv_error_ratio: float = PV_ERROR_RATIO,
    seed: int = 1,
) -> None:
    """Bulletins for periods laid end to end, as CSV: issued, time, wind_mps (hub height), pv_ratio."""
    draw = np.random.default_rng(seed)
    start, rows = ORIGIN, []
    for period in resource:
        rows += list(_period(period, start, wind_error_mps, pv_error_ratio, draw))
        start += timedelta(hours=period.steps // 4)
    pl.DataFrame(rows, schema=["issued", "time", "wind_mps", "pv_ratio"], orient="row").write_csv(file)


def _period(
    period: ResourcePeriod, start: datetime, wind_mps: float, pv_ratio: float, draw: np.random.Generator
) -> Iterator[tuple[datetime, datetime, float, float]]:
    speed = speed_mps(period.wind_ratio[::4])
    sun = period.pv_ratio[::4]
    for issued in range(0, len(sun), EVERY_H):
        hours = np.arange(issued, min(len(sun), issued + AHEAD_H))
        growth = AT_ONCE + (1.0 - AT_ONCE) * (hours - issued) / 24.0
        off_wind, off_sun = (error * growth * _course(len(hours), draw) for error in (wind_mps, pv_ratio))
        told_wind = np.maximum(0.0, speed[hours] + off_wind)
        told_sun = np.clip(sun[hours] * (1.0 + off_sun), 0.0, 1.0)
        at = start + timedelta(hours=issued)
        for hour, wind, pv in zip(hours, told_wind, told_sun, strict=True):
            yield at, start + timedelta(hours=int(hour)), float(wind), float(pv)


def _course(count: int, draw: np.random.Generator) -> Floats:
    """Errors of unit variance that fade as `MEMORY` says."""
    noise = draw.normal(size=count)
    course = np.zeros(count)
    course[0] = noise[0]
    for hour in range(1, count):
        course[hour] = MEMORY * course[hour - 1] + np.sqrt(1.0 - MEMORY**2) * noise[hour]
    return course


def speed_mps(wind_ratio: Floats) -> Floats:
    """Wind at hub height [m/s] that gives a share of the rating, on the rising part of the curve."""
    rising = slice(1, 12)
    return np.asarray(np.interp(wind_ratio, CURVE_RATIO[rising], CURVE_MPS[rising]))
