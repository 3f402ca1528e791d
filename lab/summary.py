"""A policy's figures, from its tables and the run's settings alone (INTERFACES.md, "Lab files")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from igoudar.control.planning.policy import STEP_S

HOURS = STEP_S / 3600.0
MEGA = 1e6
CONSUMERS = ("urgent_w", "flexible_w", "cooling_w", "desalination_w", "electrolyser_w")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the figures need beside the tables."""

    weights: Sequence[float]  # per period
    period_steps: Sequence[int]
    battery_wh: float
    efficiency: float
    price_per_mwh: float
    export_price_per_mwh: float
    peak_price_per_mw: float
    first_charge: float = 0.5

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Tariff":
        """From `settings.json`."""
        scenario, periods = settings["scenario"], settings["periods"]
        return cls(
            [period["weight"] for period in periods],
            [period["steps"] for period in periods],
            scenario["battery_mwh"] * MEGA,
            scenario["efficiency"],
            scenario["price"],
            scenario["export_price"],
            scenario["peak_price_per_mw_week"],
        )


def summarise(site: pl.DataFrame, jobs: pl.DataFrame | None, tariff: Tariff) -> dict[str, Any]:
    """All figures but timings; energies and cost are weighted sums over periods, jobs are pooled."""
    periods = by_period(site, tariff)
    weights = np.array(tariff.weights)

    def weighted(name: str) -> float:
        return float((weights * periods[name].to_numpy()).sum())

    consumption_wh, import_wh = weighted("consumption_wh"), weighted("import_wh")
    it_wh, discharge_wh = weighted("it_wh"), weighted("discharge_wh")
    return {
        "consumption_wh": consumption_wh,
        "import_wh": import_wh,
        "import_peak_w": weighted("peak_w") / float(weights.sum()),
        "export_wh": weighted("export_wh"),
        "curtailed_wh": weighted("curtailed_wh"),
        "renewable_share": 1.0 - import_wh / consumption_wh if consumption_wh else None,
        "cost": weighted("cost"),
        "battery_cycles": discharge_wh / tariff.battery_wh if tariff.battery_wh else 0.0,
        "pue": weighted("facility_wh") / it_wh if it_wh else None,
        **_jobs(jobs),
    }


def by_period(site: pl.DataFrame, tariff: Tariff) -> pl.DataFrame:
    """Energies [Wh], peak import [W] and cost of each period, unweighted."""
    index = np.repeat(np.arange(len(tariff.period_steps)), tariff.period_steps)
    energy = [(pl.col(name).sum() * HOURS).alias(alias) for name, alias in _ENERGIES]
    charge = (pl.col("battery_w").clip(lower_bound=0).sum() * HOURS).alias("discharge_wh")
    rows = site.with_columns(pl.Series("period", index)).group_by("period", maintain_order=True)
    found = rows.agg(
        *energy,
        charge,
        pl.sum_horizontal(CONSUMERS).sum().mul(HOURS).alias("consumption_wh"),
        pl.sum_horizontal("urgent_w", "flexible_w").sum().mul(HOURS).alias("it_wh"),
        pl.sum_horizontal("urgent_w", "flexible_w", "cooling_w").sum().mul(HOURS).alias("facility_wh"),
        pl.col("import_w").max().alias("peak_w"),
        pl.col("soc_wh").last(),
    )
    owed = (tariff.first_charge * tariff.battery_wh - pl.col("soc_wh")).clip(
        lower_bound=0
    ) / tariff.efficiency
    paid = found.with_columns(pl.col("import_wh") + owed)
    cost = (
        tariff.price_per_mwh * pl.col("import_wh") / MEGA
        + tariff.peak_price_per_mw * pl.col("peak_w") / MEGA
        - tariff.export_price_per_mwh * pl.col("export_wh") / MEGA
    )
    return paid.with_columns(cost.alias("cost"))


_ENERGIES = (("import_w", "import_wh"), ("export_w", "export_wh"), ("curtailed_w", "curtailed_wh"))


def _jobs(jobs: pl.DataFrame | None) -> dict[str, Any]:
    if jobs is None:
        return {"jobs": 0, "jobs_rejected": 0, "deadlines_missed": 0, "preemptions": 0, **_NO_DELAY}
    kept = jobs.filter(pl.col("rejected_reason") == "")
    took_s = (pl.col("finished") - pl.col("submitted")).dt.total_microseconds() / 1e6
    delay = kept.select((took_s - pl.col("duration_s")).alias("s"))["s"].drop_nulls()
    return {
        "jobs": kept.height,
        "jobs_rejected": jobs.height - kept.height,
        "deadlines_missed": int(kept["deadline_missed"].sum()),
        "preemptions": int(kept["preemptions"].sum()),
        "delay_mean_s": float(np.mean(delay.to_numpy())) if len(delay) else None,
        "delay_p95_s": float(np.quantile(delay.to_numpy(), 0.95)) if len(delay) else None,
    }


_NO_DELAY = {"delay_mean_s": None, "delay_p95_s": None}
