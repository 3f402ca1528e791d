"""Weather forecasts from a file: bulletins of any service, put there by any means, read and never fetched."""

from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planning.forecast.bulletins import Bulletins, power_ratio
from igoudar.core.errors import ConfigError

HOUR_S = 3600
QUANTITIES = ("pv_ratio", "wind_ratio", "wind_mps", "ghi_wm2", "temperature_c")
GHI_AT_RATING_WM2 = 1000.0  # standard test conditions


def read_bulletins(file: Path) -> dict[str, Bulletins]:
    """Bulletins by quantity from CSV or Parquet: columns issued, time (UTC) and some of `QUANTITIES`.

    Raises:
        ConfigError: can't be read, a column is missing, or a time is none.
    """
    frame = _read(file)
    missing = [name for name in ("issued", "time") if name not in frame.columns]
    given = [name for name in QUANTITIES if name in frame.columns]
    if missing or not given:
        what = f"no column {', '.join(missing) or 'of a quantity'}"
        raise ConfigError(what, where=str(file), fix=f"name them issued, time and some of {QUANTITIES}")
    if not frame.height:
        raise ConfigError("no rows", where=str(file), fix="write one row per bulletin and hour")
    hours = [_hours(frame[name], file).alias(f"{name}_h") for name in ("issued", "time")]
    table = frame.select(*hours, *[pl.col(name).cast(pl.Float64, strict=False) for name in given])
    return {
        name: _bulletins(table.select("issued_h", "time_h", pl.col(name).alias("value"))) for name in given
    }


def supply_outlook(found: dict[str, Bulletins]) -> dict[str, Bulletins]:
    """Bulletins of PV and wind as shares of their ratings, from whichever quantity the file has."""
    outlook = {name: found[f"{name}_ratio"] for name in ("pv", "wind") if f"{name}_ratio" in found}
    if "wind" not in outlook and "wind_mps" in found:
        speed = found["wind_mps"]
        outlook["wind"] = Bulletins(speed.issued_h, speed.first_h, power_ratio(speed.values))
    if "pv" not in outlook and "ghi_wm2" in found:
        ghi = found["ghi_wm2"]
        share = np.clip(ghi.values / GHI_AT_RATING_WM2, 0.0, 1.0)
        outlook["pv"] = Bulletins(ghi.issued_h, ghi.first_h, share)
    return outlook


def _read(file: Path) -> pl.DataFrame:
    try:
        parquet = file.suffix == ".parquet"
        return pl.read_parquet(file) if parquet else pl.read_csv(file, try_parse_dates=True)
    except (OSError, pl.exceptions.PolarsError) as error:
        fix = "give weather forecasts as CSV or Parquet"
        raise ConfigError(f"can't be read ({error})", where=str(file), fix=fix) from error


def _hours(column: pl.Series, file: Path) -> pl.Series:
    """Hours since the Unix epoch, begun ones rounded down; a time without a zone is UTC."""
    times = column if column.dtype.is_temporal() else column.cast(pl.String).str.to_datetime(strict=False)
    hours = times.dt.epoch("s") // HOUR_S
    if hours.null_count():
        line = int(np.flatnonzero(hours.is_null().to_numpy())[0]) + 2
        what = f"no time in column {column.name}"
        raise ConfigError(what, where=f"{file}:{line}", fix="write times as 2026-01-31T06:00:00Z")
    return hours


def _bulletins(table: pl.DataFrame) -> Bulletins:
    """Rows of one quantity as a matrix: one bulletin a row."""
    by_issue = table.sort("issued_h", "time_h").group_by("issued_h", maintain_order=True)
    spans = by_issue.agg(pl.col("time_h").min().alias("first"), pl.col("time_h").max().alias("last"))
    width = int((spans["last"] - spans["first"]).to_numpy().max()) + 1
    values = np.full((spans.height, width), np.nan)
    at = table.join(spans.with_row_index("row"), on="issued_h")
    values[at["row"].to_numpy(), (at["time_h"] - at["first"]).to_numpy()] = at["value"].to_numpy()
    return Bulletins(spans["issued_h"].to_numpy(), spans["first"].to_numpy(), values)
