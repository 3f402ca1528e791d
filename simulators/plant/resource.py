"""Replay of measured capacity factors: a folder or file of hourly rows."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from igoudar.core.errors import ConfigError
from igoudar.simulators.plant.noise import DAY_S, Series

ORIGIN = datetime(2025, 1, 6, tzinfo=UTC)  # where the first period is laid
COLUMNS = ("PV-FIX", "WIND-ON")
PATTERN = "*RES-HYBR*aggregated.csv"
HOUR_S = 3600.0


@dataclass(frozen=True, eq=False)
class Resource:
    """Hourly factors, periods end to end from `ORIGIN`, wrapping round; wind before derating."""

    pv_ratio: Series
    wind_ratio: Series

    def day(self, day: int, points: int) -> tuple[Series, Series]:
        """PV and wind factor of one UTC day, both midnights included.

        Linear between the middles of the hours, which keeps the energy of the hourly means.
        """
        since_s = (day * DAY_S - ORIGIN.timestamp()) + np.linspace(0.0, DAY_S, points)
        hour = since_s / HOUR_S - 0.5
        return _wrapped(self.pv_ratio, hour), _wrapped(self.wind_ratio, hour)


def _wrapped(series: Series, hour: Series) -> Series:
    low = np.floor(hour).astype(int)
    part = hour - low
    count = len(series)
    mixed: Series = series[low % count] * (1.0 - part) + series[(low + 1) % count] * part
    return mixed


def load_resource(path: Path) -> Resource:
    """Read hourly PV and wind capacity factors, from a file or from a folder that holds one `RES-HYBR` file.

    Raises:
        ConfigError: naming the file, and the line of a malformed row.
    """
    file = _the_file(path)
    rows = [_row(file, line, row) for line, row in _rows(file)]
    if not rows:
        raise ConfigError("no rows", where=str(file), fix="give hourly capacity factors, one row per hour")
    return Resource(np.array([r[0] for r in rows]), np.array([r[1] for r in rows]))


def _the_file(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted(path.glob(PATTERN)) if path.is_dir() else []
    if len(found) != 1:
        what = f"{len(found)} files match {PATTERN}" if path.is_dir() else "no such file or folder"
        fix = f"give a CSV file with the columns {', '.join(COLUMNS)}, or a folder with one {PATTERN}"
        raise ConfigError(what, where=str(path), fix=fix)
    return found[0]


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """Rows with their line numbers, after a check of the header."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"can't be read ({error})", where=str(file), fix="check the path and its rights"
        ) from error
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ConfigError(
            f"no column {', '.join(missing)}", where=f"{file}:1", fix=f"the columns are {', '.join(COLUMNS)}"
        )
    return rows


def _row(file: Path, line: int, row: dict[str, str]) -> tuple[float, float]:
    try:
        pv, wind = (float(row[name]) for name in COLUMNS)
    except (TypeError, ValueError):
        pv = wind = float("nan")
    if not (0.0 <= pv <= 1.0 and 0.0 <= wind <= 1.0):
        given = ", ".join(f"{name} = {row.get(name)}" for name in COLUMNS)
        raise ConfigError(
            f"not two capacity factors between 0 and 1 ({given})",
            where=f"{file}:{line}",
            fix="correct this row",
        )
    return pv, wind
