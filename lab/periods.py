"""One period of a backtest: its supply, its urgent load, its jobs (the reference scenario's rules)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from igoudar.control.planning.plan.segments import cap_curve
from igoudar.control.planning.policy import STEP_S, Limits
from igoudar.control.planning.table import Floats, JobTable
from igoudar.lab.chill import cooling_of
from igoudar.lab.events import Announced, announced
from igoudar.lab.resources import ResourcePeriod
from igoudar.lab.scenario import Scenario
from igoudar.lab.traces import Trace

ORIGIN = datetime(2025, 1, 6, tzinfo=UTC)
WEEK_S = 7 * 86_400.0
FIRST_CHARGE = 0.5  # of the battery, at the start of each period; what lacks at its end is billed


@dataclass(frozen=True, slots=True)
class Period:
    """What one period is played with; arrays are per 15-min step."""

    index: int
    start: datetime
    weight: float
    pv_w: Floats
    wind_w: Floats
    urgent_w: Floats
    pue: Floats
    jobs: JobTable
    rejected: pl.DataFrame  # the trace's columns, times from the period's start, and `reason`
    limits: tuple[Announced, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of 15 min."""
        return len(self.pv_w)

    @property
    def end_s(self) -> float:
        """Length [s]."""
        return self.steps * STEP_S


def limits_of(scenario: Scenario) -> Limits:
    """The run's ratings and prices."""
    gpus, cap_w = scenario.gpus or 0, (scenario.it_cap_mw or 0.0) * 1e6
    battery_wh = (scenario.battery_mwh or 0.0) * 1e6
    return Limits(
        gpus=gpus,
        gpu_w=cap_w / gpus if gpus else 0.0,
        it_cap_w=cap_w,
        import_limit_w=(scenario.import_limit_mw or 0.0) * 1e6,
        export_limit_w=(scenario.export_limit_mw or 0.0) * 1e6,
        battery_wh=battery_wh,
        battery_w=(scenario.battery_mw or 0.0) * 1e6,
        efficiency=scenario.efficiency,
        soc_max_wh=battery_wh,
        charge_due_wh=FIRST_CHARGE * battery_wh,
        price_per_mwh=scenario.price,
        export_price_per_mwh=scenario.export_price,
        peak_price_per_mw=scenario.peak_price_per_mw_week,
        desalination_w=scenario.desalination_mwh_per_day * 1e6 / 24.0,
        desalination_daily_wh=scenario.desalination_mwh_per_day * 1e6,
        electrolyser_w=scenario.electrolyser_mwh_per_day * 1e6 / 24.0,
        electrolyser_daily_wh=scenario.electrolyser_mwh_per_day * 1e6,
        cap_curve=cap_curve(scenario.cap_least_pct / 100.0) if scenario.caps else (),
        reserve_w=scenario.reserve_mw * 1e6,
        reserve_share=scenario.reserve_share,
        cooling=cooling_of(scenario.cooling),
        ceilings=bool(scenario.limit),
    )


def build_periods(
    scenario: Scenario, resource: list[ResourcePeriod], trace: Trace, pue: list[Floats] | None = None
) -> list[Period]:
    """Every period with its window of the trace: window i mod its whole weeks, from `first_week` on."""
    windows = max(1, int(trace.span_s // WEEK_S))
    periods, start = [], ORIGIN
    for index, part in enumerate(resource):
        hours = np.arange(part.steps) / 4.0
        cap_w = (scenario.it_cap_mw or 0.0) * 1e6
        swing = 1.0 + scenario.urgent_swing * np.sin(2 * np.pi * (hours - 14.0) / 24.0)
        window = (index + scenario.first_week) % windows
        jobs, rejected = _jobs(scenario, trace, window, part.steps * STEP_S)
        periods.append(
            Period(
                index,
                start,
                part.weight,
                part.pv_ratio * (scenario.pv_mw or 0.0) * 1e6,
                part.wind_ratio * (scenario.wind_mw or 0.0) * 1e6,
                scenario.urgent_share * cap_w * swing,
                pue[index] if pue else np.full(part.steps, scenario.pue),
                jobs,
                rejected,
                announced(scenario.limit, index),
            )
        )
        start += timedelta(seconds=part.steps * STEP_S)
    return periods


def _jobs(scenario: Scenario, trace: Trace, window: int, end_s: float) -> tuple[JobTable, pl.DataFrame]:
    first_s = window * WEEK_S
    inside = pl.col("submitted_s").is_between(first_s, first_s + end_s, closed="left")
    moved = pl.col("submitted_s", "deadline_s") - first_s
    rows = trace.jobs.filter(inside).with_columns(moved)
    first_step = (pl.col("submitted_s") / STEP_S).ceil()
    ends_s = (first_step + (pl.col("duration_s") / STEP_S).ceil()) * STEP_S
    reason = (
        pl.when(pl.col("gpus") > (scenario.gpus or 0))
        .then(pl.lit("more_gpus_than_the_site"))
        .when(ends_s > end_s)
        .then(pl.lit("outlasts_its_period"))
        .otherwise(pl.lit(""))
    )
    rows = rows.with_columns(reason.alias("reason"))
    kept, left = rows.filter(pl.col("reason") == ""), rows.filter(pl.col("reason") != "")
    unread = trace.rejected.filter(inside).with_columns(moved).select(left.columns)
    return _table(scenario, kept, end_s), pl.concat([left, unread], how="vertical_relaxed")


def _table(scenario: Scenario, rows: pl.DataFrame, end_s: float) -> JobTable:
    count = rows.height
    duration = rows["duration_s"].to_numpy()

    def known(name: str) -> Floats:
        """What was learned; without it the duration is declared at submission."""
        return rows[name].to_numpy() if name in rows.columns else duration.copy()

    return JobTable(
        job_id=tuple(rows["job_id"].to_list()),
        gpus=rows["gpus"].to_numpy(),
        submitted_s=rows["submitted_s"].to_numpy(),
        duration_s=duration,
        expected_s=known("expected_s"),
        longest_s=known("longest_s"),
        deadline_s=np.minimum(rows["deadline_s"].to_numpy(), end_s),
        preemptible=np.ones(count, np.bool_),
        checkpoint_s=np.full(count, scenario.checkpoint_min * 60.0),
        min_run_s=np.full(count, scenario.min_run_min * 60.0),
    )
