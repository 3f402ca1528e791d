"""Capacity factors from an export of the store: what the farms' meters measured over their rated power."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.lab.resources import ResourcePeriod

POINT = "active_power_w"
STEPS_PER_DAY, STEPS_PER_WEEK = 96, 672
STEP = timedelta(seconds=STEP_S)


def stored_periods(file: Path, site: Site, days: int) -> list[ResourcePeriod]:
    """The first `days` days, from the first midnight (UTC) on, cut into weeks that stand for themselves.

    Raises:
        ConfigError: no export of this site's store, too few days, or a quarter-hour without a reading.
    """
    frame = _read(file)
    first, last = frame["time"].min(), frame["time"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise ConfigError("no rows", where=str(file), fix="export a window that has readings")
    start = _midnight(first)
    whole = int((last + STEP - start) / timedelta(days=1))
    if whole < days:
        what = f"it holds {max(0, whole)} whole days from midnight on, {days} were asked for"
        raise ConfigError(what, where=str(file), fix="export more, or ask for fewer with --days")
    pv = _ratio(frame, site, "pv", site.solar.ac_w, start, days, file)
    wind = _ratio(frame, site, "wind", site.wind.ac_w, start, days, file)
    return [
        ResourcePeriod(number, 1.0, pv[step : step + STEPS_PER_WEEK], wind[step : step + STEPS_PER_WEEK])
        for number, step in enumerate(range(0, len(pv), STEPS_PER_WEEK))
    ]


def _midnight(first: datetime) -> datetime:
    floor = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return floor if first - floor < STEP else floor + timedelta(days=1)


def _read(file: Path) -> pl.DataFrame:
    """device, time, value of the power points; raw samples or roll-ups."""
    try:
        frame = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"can't be read ({error})", where=str(file), fix="give a Parquet export") from error
    value = "value" if "value" in frame.columns else "mean"
    if not {"device", "point", "time", value} <= set(frame.columns):
        fix = "make one with `igoudar store export FILE --parquet`"
        raise ConfigError("no export of a store", where=str(file), fix=fix)
    return frame.filter(pl.col("point") == POINT).select("device", "time", pl.col(value).alias("value"))


def _ratio(
    frame: pl.DataFrame, site: Site, role: str, rated_w: float, start: datetime, days: int, file: Path
) -> Floats:
    """The meters of one role, summed, as means per step over the rated power."""
    if rated_w <= 0:
        return np.zeros(days * STEPS_PER_DAY)
    meters = [device.name for device in site.devices if device.role == role]
    found = [name for name in meters if name in frame["device"].unique()]
    if not found or len(found) < len(meters):
        missing = ", ".join(sorted(set(meters) - set(found))) or f"a {role} meter"
        what = f"it has no {POINT} of {missing}"
        raise ConfigError(what, where=str(file), fix=f"export that device of {site.name}")
    total = np.zeros(days * STEPS_PER_DAY)
    for name in found:
        total += _steps(frame.filter(pl.col("device") == name), name, start, days, file)
    return np.clip(total / rated_w, 0.0, 1.0)


def _steps(rows: pl.DataFrame, name: str, start: datetime, days: int, file: Path) -> Floats:
    step = ((pl.col("time") - pl.lit(start)).dt.total_microseconds() / (STEP_S * 1e6)).floor()
    good = rows.filter(pl.col("value").is_finite()).with_columns(step.cast(pl.Int64).alias("step"))
    means = good.group_by("step").agg(pl.col("value").mean())
    frame = (
        pl.DataFrame({"step": np.arange(days * STEPS_PER_DAY)}).join(means, "step", how="left").sort("step")
    )
    gaps = frame.filter(pl.col("value").is_null())
    if gaps.height:
        at = start + int(gaps["step"][0]) * STEP
        what = f"{gaps.height} quarter-hours of {name} have no reading, the first at {at:%Y-%m-%d %H:%M} UTC"
        raise ConfigError(
            what, where=str(file), fix="ask for --days before the gap, or export another window"
        )
    return frame["value"].to_numpy()
