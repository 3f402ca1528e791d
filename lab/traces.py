"""Job traces as columns: Philly (Chronus) and PAI (GAIA) formats; bad rows are rejected by line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.core.errors import ConfigError

PHILLY = ("job_id", "num_gpu", "submit_time", "duration", "expect_time_list", "job_type")
PAI = ("arrival_time", "length", "cpus")
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Trace:
    """Jobs sorted by submission.

    `jobs` has line, job_id, user, gpus, submitted_s, duration_s, deadline_s (inf = none), the times from the
    trace's start; `rejected` has the same, null where it could not be read, and `reason`.
    """

    jobs: pl.DataFrame
    rejected: pl.DataFrame
    span_s: float


def load_trace(path: Path, scale: int, pai_slack_h: float) -> Trace:
    """Read a trace; `scale` multiplies the GPUs of every job.

    Raises:
        ConfigError: no such file, or of neither format.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False).with_row_index("line", offset=2)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(
            f"can't be read ({error})", where=str(path), fix="give a job trace as CSV"
        ) from error
    if set(PHILLY) <= set(frame.columns):
        jobs = _philly(frame)
    elif set(PAI) <= set(frame.columns):
        jobs = _pai(frame, pai_slack_h)
    else:
        fix = f"its header needs {', '.join(PHILLY)}, or {', '.join(PAI)}"
        raise ConfigError("of no known job format", where=f"{path}:1", fix=fix)
    return _sorted_out(jobs.with_columns(pl.col("gpus") * scale))


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False)


def _philly(frame: pl.DataFrame) -> pl.DataFrame:
    """Times in minutes; `strict` has one relative deadline, `soft` its last one, `best` none."""
    last = pl.col("expect_time_list").str.extract(r"(?:^|-)(-?[^-]*)$").cast(pl.Float64, strict=False)
    relative = pl.when(pl.col("job_type") == "best").then(float("inf")).otherwise(last)
    user = pl.col("user") if "user" in frame.columns else pl.lit("")
    return frame.select(
        "line",
        "job_id",
        user.alias("user"),
        _number("num_gpu").alias("gpus"),
        (_number("submit_time") * MINUTE_S).alias("submitted_s"),
        (_number("duration") * MINUTE_S).alias("duration_s"),
        ((_number("submit_time") + relative) * MINUTE_S).alias("deadline_s"),
    )


def _pai(frame: pl.DataFrame, slack_h: float) -> pl.DataFrame:
    """Times in hours, CPUs read as GPUs, deadline = arrival + length + slack."""
    return frame.select(
        "line",
        (pl.col("line") - 2).cast(pl.String).alias("job_id"),
        pl.lit("").alias("user"),
        _number("cpus").alias("gpus"),
        (_number("arrival_time") * HOUR_S).alias("submitted_s"),
        (_number("length") * HOUR_S).alias("duration_s"),
        ((_number("arrival_time") + _number("length") + slack_h) * HOUR_S).alias("deadline_s"),
    )


def _sorted_out(jobs: pl.DataFrame) -> Trace:
    numbers = ("gpus", "submitted_s", "duration_s", "deadline_s")
    unreadable = pl.any_horizontal(*[pl.col(n).is_null() | pl.col(n).is_nan() for n in numbers])
    reason = (
        pl.when(unreadable)
        .then(pl.lit("not_a_number"))
        .when(pl.col("gpus") <= 0)
        .then(pl.lit("no_gpus"))
        .when(pl.col("duration_s") <= 0)
        .then(pl.lit("no_duration"))
        .when(pl.col("submitted_s") < 0)
        .then(pl.lit("before_the_trace"))
        .when(pl.col("deadline_s") < pl.col("submitted_s"))
        .then(pl.lit("deadline_before_submission"))
        .otherwise(pl.lit(""))
    )
    marked = jobs.with_columns(reason.alias("reason"))
    good = marked.filter(pl.col("reason") == "").drop("reason").sort("submitted_s", maintain_order=True)
    good = good.with_columns(pl.col("gpus").cast(pl.Int64))
    bad = marked.filter(pl.col("reason") != "")
    last_s = float(good["submitted_s"].to_numpy().max()) if good.height else 0.0
    return Trace(good, bad, float(np.ceil((last_s + 1.0) / DAY_S) * DAY_S))
