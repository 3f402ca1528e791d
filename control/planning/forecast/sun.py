"""The sky without clouds: what sun is measured against, so that June teaches something about December."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from igoudar.control.planning.forecast.history import HOURS
from igoudar.control.planning.table import Floats, Integers

LEAST_RATIO = 0.02  # of capacity: below, the share of a clear sky says nothing
HORIZON_H = 48


@dataclass(frozen=True, slots=True)
class Sun:
    """The mean clear-sky output per hour of the day, to which every day's own is scaled."""

    typical: Floats

    def even(self, values: Floats, clear: Floats, hours: Integers) -> Floats:
        """Output as it would be under the mean clear sky."""
        return np.asarray(values * _ratio(self.typical[hours], clear))

    def own(self, values: Floats, clear: Floats, hours: Integers) -> Floats:
        """Back to the day's own clear sky; `values` may have several columns."""
        ratio = _ratio(clear, self.typical[hours])
        return np.asarray(values * (ratio[:, None] if values.ndim == 2 else ratio))


def _ratio(over: Floats, under: Floats) -> Floats:
    least = LEAST_RATIO * max(float(under.max(initial=0.0)), 1e-12)
    return np.where(under > least, np.minimum(over / np.maximum(under, least), 4.0), 0.0)


def typical(clear: Sequence[Floats], start_hours: Sequence[int]) -> Sun:
    """Mean clear-sky output per hour of the day over all records."""
    total, count = np.zeros(HOURS), np.zeros(HOURS)
    for series, start in zip(clear, start_hours, strict=True):
        hours = (start + np.arange(len(series))) % HOURS
        np.add.at(total, hours, series)
        np.add.at(count, hours, 1.0)
    return Sun(total / np.maximum(1.0, count))


def clear_sky_wm2(
    latitude_deg: float,
    longitude_deg: float,
    altitude_m: float,
    start: datetime,
    hours: int,
    tilt_deg: float = 0.0,
    azimuth_deg: float = 180.0,
) -> Floats:
    """Hourly mean irradiance on the panels without clouds [W/m2] (pvlib: Ineichen, monthly Linke turbidity).

    `start` is the first hour's beginning (UTC). Taken at the middle of each hour.
    """
    import pandas as pd  # both take a second to load: only where the sun's place is asked for
    from pvlib.irradiance import get_total_irradiance
    from pvlib.location import Location

    times = pd.date_range(start + timedelta(minutes=30), periods=hours, freq="h")
    place = Location(latitude_deg, longitude_deg, tz="UTC", altitude=altitude_m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pvlib calls deprecated parts of pandas; that is theirs to mend
        sky, sun = place.get_clearsky(times), place.get_solarposition(times)
    on_panel = get_total_irradiance(
        tilt_deg, azimuth_deg, sun["apparent_zenith"], sun["azimuth"], sky["dni"], sky["ghi"], sky["dhi"]
    )
    return np.asarray(np.nan_to_num(on_panel["poa_global"].to_numpy()), dtype=np.float64)
