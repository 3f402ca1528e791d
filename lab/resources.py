"""Measured capacity factors as periods of whole weeks, from any region's files of this format."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError

PATTERN = "*RES-HYBR*aggregated.csv"
PV, WIND = "PV-FIX", "WIND-ON"
STEPS_PER_HOUR = 4
HOURS_PER_WEEK = 168


@dataclass(frozen=True, slots=True)
class ResourcePeriod:
    """One period: 15-min capacity factors (hourly ones held) and how many weeks of the year it stands for."""

    period_id: int
    weight: float
    pv_ratio: Floats
    wind_ratio: Floats

    @property
    def steps(self) -> int:
        """Steps of 15 min."""
        return len(self.pv_ratio)


def load_periods(path: Path, days: int) -> list[ResourcePeriod]:
    """The first `days` days of a resource, in order of period_id; a last period may be shorter.

    Raises:
        ConfigError: a missing file or column, a gap or NaN (named by line), or fewer days than asked for.
    """
    file = resource_file(path)
    rows = _rows(file)
    weights = _weights(file, set(rows["period_id"].to_list()))
    periods: list[ResourcePeriod] = []
    hours_left = days * 24
    for (period_id,), part in rows.group_by("period_id", maintain_order=True):
        hours = min(part.height, hours_left)
        if hours > 0:
            periods.append(_period(int(str(period_id)), weights, part.head(hours)))
        hours_left -= hours
    if hours_left > 0:
        what = f"it holds {days - hours_left / 24:g} days, {days} were asked for"
        raise ConfigError(what, where=str(file), fix="ask for fewer with --days")
    return periods


def _period(period_id: int, weights: dict[int, float], part: pl.DataFrame) -> ResourcePeriod:
    held = [np.repeat(part[name].to_numpy(), STEPS_PER_HOUR) for name in (PV, WIND)]
    return ResourcePeriod(period_id, weights[period_id], *held)


def resource_file(path: Path) -> Path:
    """The file itself, or the only one in the folder that holds PV and wind jointly.

    Raises:
        ConfigError: none or several.
    """
    if path.is_file():
        return path
    found = sorted(path.glob(PATTERN)) if path.is_dir() else []
    if len(found) != 1:
        what = f"{len(found)} files match {PATTERN}" if path.is_dir() else "no such file or folder"
        raise ConfigError(what, where=str(path), fix="give a CSV file, or a folder with one such file")
    return found[0]


def _rows(file: Path) -> pl.DataFrame:
    """Hourly rows by period; a series without periods is cut into weeks."""
    try:
        frame = pl.read_csv(file, infer_schema=False).with_row_index("line", offset=2)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"can't be read ({error})", where=str(file), fix="give hourly rows") from error
    missing = [name for name in (PV, WIND) if name not in frame.columns]
    if missing:
        raise ConfigError(
            f"no column {', '.join(missing)}", where=f"{file}:1", fix=f"name them {PV} and {WIND}"
        )
    if "period_id" not in frame.columns:
        frame = frame.with_columns((pl.col("line") - 2).floordiv(HOURS_PER_WEEK).alias("period_id"))
    numbers = [pl.col(name).cast(pl.Float64, strict=False) for name in (PV, WIND)]
    frame = frame.with_columns(*numbers, pl.col("period_id").cast(pl.Int64, strict=False))
    fine = [pl.col(name).is_between(0.0, 1.0).fill_null(False) for name in (PV, WIND)]
    broken = frame.filter(~pl.all_horizontal(*fine, pl.col("period_id").is_not_null()))
    if broken.height:
        line = broken["line"][0]
        what = f"{broken.height} rows have no two capacity factors between 0 and 1, the first in line {line}"
        raise ConfigError(what, where=f"{file}:{line}", fix="correct those rows")
    frame = frame.sort("period_id", maintain_order=True)
    _check_steps(file, frame)
    return frame


def _check_steps(file: Path, frame: pl.DataFrame) -> None:
    """Every period counts its hours from 0 without a gap, where the file numbers them."""
    if "TimeStep" not in frame.columns:
        return
    hour = pl.int_range(pl.len()).over("period_id")
    step = pl.col("TimeStep").cast(pl.Int64, strict=False)
    wrong = frame.with_columns(hour.alias("hour")).filter(step.ne_missing(pl.col("hour")))
    if wrong.height:
        line, period, expected = wrong.select("line", "period_id", "hour").row(0)
        what = (
            f"hour {expected} of period {period} is missing, line {line} has TimeStep {wrong['TimeStep'][0]}"
        )
        raise ConfigError(what, where=f"{file}:{line}", fix="fill the gap: every hour needs its row")


def _weights(file: Path, periods: set[int]) -> dict[int, float]:
    """Weeks that each period stands for, from the weights file beside; 1 each without one."""
    beside = file.with_name(file.name.removesuffix(".csv") + ".weights.csv")
    if not beside.exists():
        return dict.fromkeys(periods, 1.0)
    try:
        frame = pl.read_csv(beside, columns=["period_id", "weight"], infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        fix = "give period_id and weight, or remove the file"
        raise ConfigError(f"can't be read ({error})", where=str(beside), fix=fix) from error
    numbers = frame.with_columns(pl.all().cast(pl.Float64, strict=False)).unique()
    found = {int(i): w for i, w in numbers.rows() if i is not None and w is not None and w > 0}
    if numbers.height != len(found) or periods - found.keys():
        wrong = sorted(periods - found.keys()) or "one of them"
        what = f"not one weight above 0 for each period ({wrong})"
        raise ConfigError(what, where=str(beside), fix="correct the weights, or remove the file")
    return found
