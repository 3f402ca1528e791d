"""Whether policies may be compared: run-now's misses are nobody's fault, others' are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

BASE = "run-now"
KEYS = ("period", "job_id")


def comparison(out: Path, summaries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per policy `missed_beyond_run_now` and `comparable`; None where `run-now` was not played beside."""
    return {name: _against_base(out, name, BASE in summaries) for name in summaries}


def _against_base(out: Path, name: str, has_base: bool) -> dict[str, Any]:
    mine, base = out / name / "jobs.parquet", out / BASE / "jobs.parquet"
    if not has_base:
        return {"missed_beyond_run_now": None, "comparable": None}
    if not mine.exists():
        return {"missed_beyond_run_now": 0, "comparable": True}
    beyond = _missed(mine).join(_missed(base), on=KEYS, how="anti").height
    return {"missed_beyond_run_now": beyond, "comparable": beyond == 0}


def _missed(file: Path) -> pl.DataFrame:
    columns = [*KEYS, "deadline_missed", "rejected_reason"]
    rows = pl.read_parquet(file, columns=columns)
    return rows.filter(pl.col("deadline_missed") & (pl.col("rejected_reason") == ""))
