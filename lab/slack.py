"""What a run had to give way in: limits that the site could not keep, each with when and by how much."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from igoudar.control.planning.policy import METERS, STEP_S
from igoudar.lab.events import limit_series, metered

HOURS = STEP_S / 3600.0
TOLERANCE_W = 1.0


def slacks(site: pl.DataFrame, jobs: pl.DataFrame | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Only what gave way, by name; empty when every limit held. From the tables and settings alone."""
    scenario = settings["scenario"]
    it_w = pl.col("urgent_w") + pl.col("flexible_w")
    found = {
        "import_limit": _over(site, pl.col("import_w") - scenario["import_limit_mw"] * 1e6),
        "it_cap": _over(site, it_w - scenario["it_cap_mw"] * 1e6),
        **{f"limit_{meter}": _over_limit(site, meter, settings) for meter in METERS},
        "unfinished": _unfinished(jobs),
    }
    return {name: slack for name, slack in found.items() if slack}


def _over_limit(site: pl.DataFrame, meter: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Above an announced limit."""
    if not settings["scenario"].get("limit"):
        return {}
    limited = site.with_columns(limit_series(settings, meter).alias("limit_w"))
    return _over(limited, metered(meter) - pl.col("limit_w"))


def _over(site: pl.DataFrame, over: pl.Expr) -> dict[str, Any]:
    rows = site.select("time", over.alias("over_w")).filter(pl.col("over_w") > TOLERANCE_W)
    if not rows.height:
        return {}
    worst = rows.sort("over_w", descending=True).row(0, named=True)
    return {
        "steps": rows.height,
        "worst_w": worst["over_w"],
        "worst_at": worst["time"].isoformat(),
        "over_wh": float(rows["over_w"].sum()) * HOURS,
    }


def _unfinished(jobs: pl.DataFrame | None) -> dict[str, Any]:
    if jobs is None:
        return {}
    left = jobs.filter((pl.col("rejected_reason") == "") & pl.col("finished").is_null())
    return {"jobs": left.height, "gpus_most": int(str(left["gpus"].max()))} if left.height else {}
