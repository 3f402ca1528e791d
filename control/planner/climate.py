"""What forecasts learn from before the site has a past of its own: measured factors, or the sun's course."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planner.ask import Teaching
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site

PATTERN = "*RES-HYBR*aggregated.csv"
COLUMNS: Mapping[str, str] = {"pv": "PV-FIX", "wind": "WIND-ON"}
HOURS_PER_WEEK = 168
CLEAR_DAYS = (0.75, 0.6, 0.4)  # of the rating at noon on a clear, a hazy and a cloudy day: our assumption


def teaching(site: Site, resource: Path | None, now: datetime) -> Teaching:
    """Records per channel [W]; empty where nothing is known.

    Raises:
        ConfigError: the file of capacity factors can't be read.
    """
    rated = {"pv": site.solar.ac_w, "wind": site.wind.ac_w * site.wind.derating}
    if resource is None:
        return {"pv": sunny_days(site, now), "wind": ()}
    weeks = _weeks(resource)
    return {name: [Record(w[column] * rated[name]) for w in weeks] for name, column in COLUMNS.items()}


def sunny_days(site: Site, now: datetime) -> Sequence[Record]:
    """Days of output by the height of the sun, for a site without any past [W]."""
    hours = np.arange(96) / 4.0 + 0.125
    height = sun_height(site.latitude_deg, site.longitude_deg, now.timetuple().tm_yday, hours)
    return [Record(np.tile(height * share * site.solar.ac_w, 2)) for share in CLEAR_DAYS]


def sun_height(latitude_deg: float, longitude_deg: float, day: int, hours: Floats) -> Floats:
    """Sine of the sun's height, 0 by night; `hours` of the day in UTC (Cooper 1969, no equation of time)."""
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    angle = np.radians(15.0 * (hours - 12.0) + longitude_deg)
    latitude = np.radians(latitude_deg)
    sine = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    height: Floats = np.maximum(0.0, np.asarray(sine))
    return height


def _weeks(path: Path) -> list[dict[str, Floats]]:
    """Factors of each period in 15-min steps, hourly ones held."""
    file = _file(path)
    try:
        frame = pl.read_csv(file).select(*COLUMNS.values(), *_period(file))
    except (OSError, pl.exceptions.PolarsError) as error:
        fix = f"give hourly rows with {' and '.join(COLUMNS.values())}"
        raise ConfigError(f"can't be read ({error})", where=str(file), fix=fix) from error
    parts = frame.partition_by("period", maintain_order=True)
    names = COLUMNS.values()
    return [{name: np.repeat(p[name].to_numpy().astype(np.float64), 4) for name in names} for p in parts]


def _period(file: Path) -> list[pl.Expr]:
    if "period_id" in pl.scan_csv(file).collect_schema():
        return [pl.col("period_id").alias("period")]
    return [(pl.int_range(pl.len()) // HOURS_PER_WEEK).alias("period")]


def _file(path: Path) -> Path:
    found = [path] if path.is_file() else sorted(path.glob(PATTERN))
    if len(found) != 1:
        what = f"{len(found)} files match {PATTERN}"
        raise ConfigError(what, where=str(path), fix="give a CSV file, or a folder with one such file")
    return found[0]
