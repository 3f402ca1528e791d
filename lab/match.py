"""Hourly match: the share of the load that on-site supply covers in the same hour, without the grid's share.

Per hour min(supply, load) over load; surplus of one hour earns nothing in another, but through the battery.
Charge that a period's end lacks against its start counts as unmatched (24/7 carbon-free energy accounting).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from igoudar.control.planning.table import Floats
from igoudar.lab.periods import FIRST_CHARGE
from igoudar.lab.power import HOURS
from igoudar.lab.summary import CONSUMERS, Tariff

STEPS_PER_HOUR = 4
Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Periods side by side, one row each, zeros after a shorter one's end."""

    load_w: Grid
    pv_ratio: Grid
    wind_ratio: Grid
    weights: Floats

    @property
    def mean_load_w(self) -> float:
        """Over the year [W]."""
        steps = (self.load_w > 0).sum(axis=1)
        return float((self.weights * self.load_w.sum(axis=1)).sum() / (self.weights * steps).sum())


@dataclass(frozen=True, slots=True)
class Sizes:
    """Candidates side by side: generation [W] and battery [Wh, W]."""

    pv_w: Floats
    wind_w: Floats
    battery_wh: Floats
    battery_w: Floats


def match_of_sizes(profiles: Profiles, sizes: Sizes, efficiency: float) -> Floats:
    """Hourly match per candidate for a load that stays as it is, by the battery's own rule (lab/power.py)."""
    column = (slice(None), None, None)
    supply = sizes.pv_w[column] * profiles.pv_ratio + sizes.wind_w[column] * profiles.wind_ratio
    surplus = supply - profiles.load_w
    net, charge_wh = _after_battery(surplus, sizes, efficiency)
    whole = np.pad(net, ((0, 0), (0, 0), (0, -net.shape[2] % STEPS_PER_HOUR)))
    hourly = whole.reshape(*net.shape[:2], -1, STEPS_PER_HOUR).sum(axis=3) * HOURS
    missing = np.maximum(0.0, FIRST_CHARGE * sizes.battery_wh[:, None] - charge_wh) / efficiency
    unmet = np.maximum(0.0, -hourly).sum(axis=2) + missing
    load_wh = float((profiles.weights * profiles.load_w.sum(axis=1)).sum()) * HOURS
    return np.asarray(1.0 - (unmet * profiles.weights).sum(axis=1) / load_wh, dtype=np.float64)


def _after_battery(surplus_w: Grid, sizes: Sizes, efficiency: float) -> tuple[Grid, Grid]:
    """Surplus that is left per candidate, period and step, and the charge at the end."""
    most, rated = sizes.battery_wh[:, None], sizes.battery_w[:, None]
    charge = np.broadcast_to(FIRST_CHARGE * most, surplus_w.shape[:2]).copy()
    left = np.empty_like(surplus_w)
    for step in range(surplus_w.shape[2]):
        wanted = np.clip(-surplus_w[:, :, step], -rated, rated)
        power = np.maximum(
            -(most - charge) / efficiency / HOURS, np.minimum(wanted, charge * efficiency / HOURS)
        )
        moved = np.where(power > 0, power / efficiency, power * efficiency) * HOURS
        charge = np.clip(charge - moved, 0.0, most)
        left[:, :, step] = surplus_w[:, :, step] + power
    return left, charge


def match_of_tables(site: pl.DataFrame, tariff: Tariff) -> float:
    """Hourly match of a run, from its `site` table and settings."""
    lengths = tariff.period_steps
    period = np.repeat(np.arange(len(lengths)), lengths)
    hour = np.concatenate([np.arange(steps) // STEPS_PER_HOUR for steps in lengths])
    hourly = (
        site.select(
            pl.Series("period", period),
            pl.Series("hour", hour),
            (pl.col("export_w") + pl.col("curtailed_w") - pl.col("import_w")).alias("net_w"),
            pl.sum_horizontal(CONSUMERS).alias("load_w"),
            "soc_wh",
        )
        .group_by("period", "hour", maintain_order=True)
        .agg(pl.col("net_w").sum() * HOURS, pl.col("load_w").sum() * HOURS, pl.col("soc_wh").last())
    )
    sums = hourly.group_by("period", maintain_order=True).agg(
        (-pl.col("net_w")).clip(lower_bound=0).sum(), pl.col("load_w").sum(), pl.col("soc_wh").last()
    )
    start = tariff.first_charge * tariff.battery_wh
    missing = np.maximum(0.0, start - sums["soc_wh"].to_numpy()) / tariff.efficiency
    weights = np.array(tariff.weights)
    unmet = float((weights * (sums["net_w"].to_numpy() + missing)).sum())
    return 1.0 - unmet / float((weights * sums["load_w"].to_numpy()).sum())
