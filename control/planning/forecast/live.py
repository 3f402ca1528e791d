"""Forecasts for a running site: taught by its stored history, issued from its newest readings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.bulletins import Bulletins
from igoudar.control.planning.forecast.forecaster import Forecaster, learned
from igoudar.control.planning.forecast.history import LEADS, STEPS_PER_HOUR, WEEK_H, Record
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.forecast.sun import clear_sky_wm2
from igoudar.control.planning.policy import Forecast
from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError

WEEK_STEPS = WEEK_H * STEPS_PER_HOUR
YEAR_WEEKS = 53  # of history that teaches, the newest


@dataclass(frozen=True, slots=True)
class Place:
    """Where the panels are: what the clear sky is computed for."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float = 0.0
    tilt_deg: float = 0.0
    azimuth_deg: float = 180.0

    def clear(self, start: datetime, hours: int) -> Floats:
        """Irradiance on the panels without clouds, per hour [W/m2]."""
        return clear_sky_wm2(
            self.latitude_deg,
            self.longitude_deg,
            self.altitude_m,
            start,
            hours,
            self.tilt_deg,
            self.azimuth_deg,
        )


@dataclass(frozen=True, slots=True)
class Readings:
    """15-min means per channel from a full hour (UTC) on, of one length; NaN where nothing was read."""

    start: datetime
    series: Mapping[str, Floats]

    def __post_init__(self) -> None:
        """Refuse what would be read against the wrong hour.

        Raises:
            ConfigError: no full hour, no zone, or series of several lengths.
        """
        if (
            self.start.utcoffset() is None
            or self.start.replace(minute=0, second=0, microsecond=0) != self.start
        ):
            raise ConfigError("no full hour of a named zone", where=f"{self.start}", fix="begin on an hour")
        if len({len(series) for series in self.series.values()}) != 1:
            raise ConfigError("series of several lengths", where="readings", fix="give each the same steps")

    @property
    def steps(self) -> int:
        """Steps of 15 min."""
        return len(next(iter(self.series.values())))


def taught(
    history: Readings,
    most: Mapping[str, float],
    place: Place | None = None,
    service: Mapping[str, Bulletins] | None = None,
) -> Forecaster:
    """Learn from stored readings of the channels; those that are not there are told of with each forecast.

    `most` has the ratings [W]; `service` the bulletins of PV and wind as shares of them.
    """
    records: dict[str, list[Record]] = {}
    first = max(0, history.steps - YEAR_WEEKS * WEEK_STEPS) // STEPS_PER_HOUR * STEPS_PER_HOUR
    for name in ("pv", "wind", "urgent", "arrivals", "pue"):
        series = history.series.get(name, np.zeros(0))
        told = (service or {}).get(name)
        sky = place if name == "pv" else None
        weeks = range(first, len(series), WEEK_STEPS)
        rating = most.get(name, 1.0)
        records[name] = [
            _record(series[at : at + WEEK_STEPS], _later(history, at), sky, told, rating) for at in weeks
        ]
    return learned("model", records, most)


def issue(
    forecaster: Forecaster,
    recent: Readings,
    most: Mapping[str, float],
    place: Place | None = None,
    service: Mapping[str, Bulletins] | None = None,
) -> Forecast:
    """The 48 h from the newest step of `recent` on: a week of readings is enough, less will do.

    `place` and `service` as they were when the forecaster was taught.
    """
    now = recent.steps - 1
    hours = now // STEPS_PER_HOUR + LEADS
    now_h = int(recent.start.timestamp()) // 3600 + now // STEPS_PER_HOUR
    clear = place.clear(recent.start, hours) if place else None
    start = recent.start.astimezone(UTC)
    seen = {}
    for name in forecaster.channels:
        told = (service or {}).get(name)
        outlook = told.at(now_h) * most.get(name, 1.0) if told else None
        series = recent.series.get(name, np.full(recent.steps, np.nan))
        sky = clear if name == "pv" else None
        seen[name] = Seen(series, now, start.hour, start.month, sky, outlook)
    return forecaster.issue(seen)


def _later(history: Readings, step: int) -> datetime:
    return history.start.astimezone(UTC) + timedelta(hours=step // STEPS_PER_HOUR)


def _record(
    steps: Floats, start: datetime, place: Place | None, told: Bulletins | None, rating: float
) -> Record:
    hours = -(-len(steps) // STEPS_PER_HOUR)
    clear = place.clear(start, hours + LEADS) if place else None
    outlook: NDArray[np.float64] | None = None
    if told:
        outlook = told.over(int(start.timestamp()) // 3600, hours) * rating
    return Record(steps, start.hour, start.month, clear, outlook)
