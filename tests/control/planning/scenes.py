"""Small sites and job sets for the planner's tests."""

from datetime import UTC, datetime

import numpy as np

from igoudar.control.planning.policy import STEP_S, Band, Forecast, Limits
from igoudar.control.planning.table import Floats, JobTable
from igoudar.lab.engine import Forecaster
from igoudar.lab.periods import Period

STEPS = 96
LIMITS = Limits(
    gpus=100,
    gpu_w=1000.0,
    it_cap_w=100_000.0,
    import_limit_w=1e6,
    export_limit_w=0.0,
    battery_wh=200_000.0,
    battery_w=50_000.0,
    soc_max_wh=200_000.0,
    peak_price_per_mw=600.0,
)


def job_table(rows: list[tuple[int, int, int, int]]) -> JobTable:
    """From (GPUs, submission step, steps of work, steps of slack), deadlines inside a day."""
    rows = sorted(rows, key=lambda row: row[1])
    gpus, first, length, slack = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    duration = length * STEP_S
    return JobTable(
        job_id=tuple(str(index) for index in range(len(rows))),
        gpus=gpus,
        submitted_s=first * STEP_S,
        duration_s=duration,
        expected_s=duration.copy(),
        longest_s=duration.copy(),
        deadline_s=np.minimum((first + length + slack) * STEP_S, STEPS * STEP_S),
        preemptible=np.ones(len(rows), np.bool_),
        checkpoint_s=np.full(len(rows), 600.0),
        min_run_s=np.full(len(rows), 3600.0),
    )


def period(jobs: JobTable, supply_w: Floats) -> Period:
    """A day with that supply, all of it wind."""
    start = datetime(2025, 1, 6, tzinfo=UTC)
    flat = np.ones(STEPS)
    return Period(0, start, 1.0, 0.0 * flat, supply_w, 20_000.0 * flat, 1.08 * flat, jobs, ())


def knows(day: Period) -> Forecaster:
    """Forecasts that come true; of arrivals nothing is expected."""

    def issue(step: int) -> Forecast:
        def ahead(series: Floats) -> Band:
            rest = np.concatenate([series[step:], np.full(192, series[-1])])[:192]
            return Band(rest, rest, rest)

        urgent = ahead(day.urgent_w)
        return Forecast(
            step * STEP_S, ahead(day.pv_w), ahead(day.wind_w), urgent, np.zeros(192), np.full(192, 1.08)
        )

    return issue
