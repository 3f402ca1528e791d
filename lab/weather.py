"""Outdoor temperature from a file, and the PUE of each step that follows from it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.control.planning.table import Floats
from igoudar.core.errors import ConfigError
from igoudar.lab.resources import STEPS_PER_HOUR, ResourcePeriod

HOURS_PER_DAY = 24
EPW_HEADER_LINES, EPW_TEMPERATURE = 8, 6  # EnergyPlus: eight header lines, dry bulb is the seventh field
EPW_MISSING_C = 99.9
COLUMNS = ("temperature_c", "temp_c", "t_c", "temp_air", "temperature", "drybulb")

# Free cooling, straight between the points. Sources: NREL, chiller-less warm-water sites 1.03 to 1.06;
# Summit, 1.28 on bad days, taken for a heat spell of 40 degC; 1.05 to 1.12 over the coast's 15 to 27
# degC is our design.
PUE_AT_C = ((5.0, 1.03), (15.0, 1.05), (27.0, 1.12), (40.0, 1.28))


def pue_at(temperature_c: Floats) -> Floats:
    """PUE by outdoor temperature [degC]; flat outside the points above."""
    points, values = zip(*PUE_AT_C, strict=True)
    return np.asarray(np.interp(temperature_c, points, values), dtype=np.float64)


def pue_of_periods(file: Path, periods: Sequence[ResourcePeriod]) -> list[Floats]:
    """PUE per step of each period.

    A file as long as all the weeks that the periods stand for is read as that year: a period takes its hours
    from the middle of its weeks. A shorter one is laid along the periods, hour by hour.

    Raises:
        ConfigError: no temperatures in the file, a gap, or fewer hours than the periods have.
    """
    hourly_c = read_temperature(file)
    hours = [-(-period.steps // STEPS_PER_HOUR) for period in periods]
    if len(hourly_c) < sum(hours):
        what = f"{len(hourly_c)} hours of temperature, the run has {sum(hours)}"
        raise ConfigError(what, where=str(file), fix="give a longer file, or ask for fewer --days")
    weights = [period.weight for period in periods]
    whole = sum(h * w for h, w in zip(hours, weights, strict=True))
    starts = _starts(hours, weights if len(hourly_c) >= int(whole) else [1.0] * len(hours))
    return [
        np.repeat(pue_at(hourly_c[first : first + count]), STEPS_PER_HOUR)[: period.steps]
        for first, count, period in zip(starts, hours, periods, strict=True)
    ]


def _starts(hours: Sequence[int], weights: Sequence[float]) -> list[int]:
    """First hour of each period in the file, on a midnight where it stands for more than itself."""
    starts, passed = [], 0.0
    for count, weight in zip(hours, weights, strict=True):
        middle = passed + (weight - 1.0) / 2 * count
        starts.append(max(0, int(middle) // HOURS_PER_DAY * HOURS_PER_DAY if weight > 1 else int(passed)))
        passed += weight * count
    return starts


def read_temperature(file: Path) -> Floats:
    """Hourly temperature [degC] from an EnergyPlus file (.epw) or a CSV with a column of one of COLUMNS.

    Raises:
        ConfigError: naming the file and the line.
    """
    values = _epw(file) if file.suffix.lower() == ".epw" else _csv(file)
    if not values:
        raise ConfigError("no rows", where=str(file), fix="give hourly temperatures")
    for line, text in values:
        if not _plausible(text):
            raise ConfigError(
                f"no temperature: {text!r}", where=f"{file}:{line}", fix="give a number in degC, -60 to 60"
            )
    return np.array([float(text) for _, text in values])


def _plausible(text: str) -> bool:
    try:
        return -60.0 < float(text) < 60.0 and float(text) != EPW_MISSING_C
    except ValueError:
        return False


def _epw(file: Path) -> list[tuple[int, str]]:
    try:
        with file.open(newline="", encoding="latin-1") as lines:
            rows = list(enumerate(csv.reader(lines), start=1))[EPW_HEADER_LINES:]
    except OSError as error:
        raise ConfigError(f"can't be read ({error})", where=str(file), fix="check the file") from error
    return [(line, row[EPW_TEMPERATURE] if len(row) > EPW_TEMPERATURE else "") for line, row in rows]


def _csv(file: Path) -> list[tuple[int, str]]:
    try:
        frame = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"can't be read ({error})", where=str(file), fix="check the file") from error
    named = [name for name in frame.columns if name.lower() in COLUMNS]
    if not named:
        fix = f"name one {', '.join(COLUMNS)}"
        raise ConfigError("no column of temperatures", where=f"{file}:1", fix=fix)
    return [(line, text or "") for line, text in enumerate(frame[named[0]].to_list(), start=2)]
