"""What a run leaves on disk: the tables that INTERFACES.md pins, built from what was played."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.table import Fleet, Floats, Integers
from igoudar.lab.engine import COLUMNS, Played
from igoudar.lab.periods import Period

UTC_US = pl.Datetime("us", "UTC")
JOB_COLUMNS = (
    *("period", "job_id", "submitted", "deadline", "gpus", "duration_s", "first_start", "finished"),
    *("preemptions", "deadline_missed", "rejected_reason"),
)
TOLERANCE_S = 1e-3


def site_table(period: Period, site: dict[str, Floats]) -> pl.DataFrame:
    """`site`: one row per step, step means in W."""
    steps = np.arange(period.steps)
    return pl.DataFrame(
        {"time": _times(period.start, steps * STEP_S), **{name: site[name] for name in COLUMNS}}
    )


def schedule_table(period: Period, played: Played) -> pl.DataFrame:
    """`schedule`: one row per running job and step."""
    rows = _joined(played.schedule_row)
    return pl.DataFrame(
        {
            "time": _times(period.start, _joined(played.schedule_step) * STEP_S),
            "job_id": _named(period.jobs.job_id, rows),
            "gpus": period.jobs.gpus[rows],
            "power_w": np.concatenate([np.zeros(0), *played.schedule_power_w]),
        }
    )


def jobs_table(period: Period, fleet: Fleet) -> pl.DataFrame:
    """`jobs`: every job of the period, those rejected with their reason."""
    jobs = period.jobs
    missed = ~(fleet.finished_s <= jobs.deadline_s + TOLERANCE_S)
    kept = pl.DataFrame(
        {
            "period": np.full(len(jobs), period.index),
            "job_id": pl.Series(jobs.job_id, dtype=pl.String),
            "submitted": _times(period.start, jobs.submitted_s),
            "deadline": _times(period.start, jobs.deadline_s),
            "gpus": jobs.gpus,
            "duration_s": jobs.duration_s,
            "first_start": _times(period.start, fleet.first_start_s),
            "finished": _times(period.start, fleet.finished_s),
            "preemptions": fleet.stops,
            "deadline_missed": missed,
            "rejected_reason": pl.Series([""] * len(jobs), dtype=pl.String),
        }
    )
    return pl.concat([kept, _rejected(period)], how="vertical_relaxed")


def _rejected(period: Period) -> pl.DataFrame:
    left, nothing = period.rejected, pl.lit(None)
    return left.select(
        pl.lit(period.index, dtype=pl.Int64).alias("period"),
        pl.col("job_id"),
        _moment(period.start, "submitted_s").alias("submitted"),
        _moment(period.start, "deadline_s").alias("deadline"),
        pl.col("gpus").cast(pl.Int64),
        pl.col("duration_s"),
        nothing.cast(UTC_US).alias("first_start"),
        nothing.cast(UTC_US).alias("finished"),
        pl.lit(0, dtype=pl.Int64).alias("preemptions"),
        pl.lit(False).alias("deadline_missed"),
        pl.col("reason").alias("rejected_reason"),
    )


def _moment(start: datetime, name: str) -> pl.Expr:
    finite = pl.when(pl.col(name).is_finite()).then(pl.col(name) * 1e6)
    return pl.lit(start).cast(UTC_US) + finite.round().cast(pl.Int64).cast(pl.Duration("us"))


def _times(start: datetime, seconds: NDArray[Any]) -> pl.Series:
    """UTC times; null where the seconds are not finite."""
    frame = pl.DataFrame({"s": np.asarray(seconds, dtype=float)})
    return frame.select(_moment(start, "s"))["literal"]


def _joined(parts: Sequence[Integers]) -> Integers:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _named(names: Sequence[str], rows: Integers) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(rows)
