"""Small inputs of the measured data's formats, made here, so that no test needs the data itself."""

import csv
from collections.abc import Callable, Iterable, Sequence
from math import pi, sin
from pathlib import Path
from typing import Any

import pytest

from igoudar.lab.scenario import Scenario, changed

SITE = {"gpus": 800, "it_cap_mw": 1.6, "pv_mw": 2.4, "wind_mw": 1.6, "import_limit_mw": 4.0}
LIMITS = {"export_limit_mw": 4.0, "battery_mwh": 2.0, "battery_mw": 0.5, "peak_price_per_mw_week": 600.0}
JOB_HEAD = ("job_id", "user", "num_gpu", "submit_time", "duration", "expect_time_list", "job_type")


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def factors(hours: int) -> list[tuple[float, float]]:
    """Sun by day, wind by night, both weaker from day to day."""
    found = []
    for hour in range(hours):
        day, angle = hour // 24, 2 * pi * (hour % 24 - 6) / 24
        sun = max(0.0, sin(angle)) * (0.9 - 0.1 * (day % 3))
        found.append((sun, max(0.0, min(1.0, 0.35 - 0.3 * sin(angle) - 0.1 * (day % 4)))))
    return found


def job_rows(days: int) -> list[tuple[Any, ...]]:
    """One job every half hour, of changing size, length and kind."""
    rows = []
    for number in range(days * 48):
        minute, length = number * 30 + number % 7, 20 + 37 * number % 400
        limits = {
            0: ("strict", f"{length + 300}"),
            1: ("soft", f"{length + 60}-{length + 900}"),
            2: ("best", "0"),
        }
        kind, due = limits[number % 3]
        rows.append((f"j{number}", f"u{number % 5}", 4 * (1 + number % 9), minute, length, due, kind))
    return rows


@pytest.fixture
def resource(tmp_path: Path) -> Path:
    """Two periods of two days, weights 3 and 1."""
    file = tmp_path / "XX_RES-HYBR_aggregated.csv"
    rows = [(h // 48, h % 48, *pair) for h, pair in enumerate(factors(96))]
    write_csv(file, ("period_id", "TimeStep", "PV-FIX", "WIND-ON"), rows)
    weights = [(h // 48, h % 48, 3.0 if h < 48 else 1.0) for h in range(96)]
    write_csv(tmp_path / "XX_RES-HYBR_aggregated.weights.csv", ("period_id", "TimeStep", "weight"), weights)
    return file


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """Two days of jobs, one row without GPUs in line 4."""
    rows = job_rows(2)
    rows[2] = ("none", "u0", 0, 1, 60, "600", "strict")
    return write_csv(tmp_path / "jobs.csv", JOB_HEAD, rows)


@pytest.fixture
def scenario(resource: Path, jobs: Path) -> Callable[..., Scenario]:
    """A settled scenario of the small inputs, with what a test changes."""

    def make(**given: Any) -> Scenario:
        base = {"resource": str(resource), "jobs": str(jobs), "days": 4, **SITE, **LIMITS}
        return changed(Scenario(), {**base, **given})

    return make
