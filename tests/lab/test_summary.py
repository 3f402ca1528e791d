"""The summary, computed again from the tables and settings in plain Python, without lab/summary.py."""

import json
import math

import polars as pl
import pytest

from igoudar.lab.backtest import backtest

LOADS = ("urgent_w", "flexible_w", "cooling_w", "desalination_w", "electrolyser_w")
POLICIES = ("run-now", "greedy", "threshold")
TIMINGS = {"solve_p50_s", "solve_p99_s", "wall_s"}


@pytest.fixture
def played(scenario, tmp_path):
    setting = scenario(policies=POLICIES, battery_mwh=20.0, battery_mw=1.0)
    return backtest(setting, tmp_path / "out", workers=1)["policies"], tmp_path / "out"


def plain_site(rows, settings):
    """Weighted sums, step by step."""
    scenario = settings["scenario"]
    full_wh, efficiency = scenario["battery_mwh"] * 1e6, scenario["efficiency"]
    sums = dict.fromkeys(
        ("load", "import", "export", "curtailed", "peak", "cost", "out", "it", "facility"), 0.0
    )
    begin = 0
    for period in settings["periods"]:
        part, begin = rows[begin : begin + period["steps"]], begin + period["steps"]
        own = dict.fromkeys(sums, 0.0)
        for row in part:
            own["load"] += sum(row[name] for name in LOADS) / 4
            own["import"] += row["import_w"] / 4
            own["export"] += row["export_w"] / 4
            own["curtailed"] += row["curtailed_w"] / 4
            own["out"] += max(0.0, row["battery_w"]) / 4
            own["it"] += (row["urgent_w"] + row["flexible_w"]) / 4
            own["facility"] += (row["urgent_w"] + row["flexible_w"] + row["cooling_w"]) / 4
            own["peak"] = max(own["peak"], row["import_w"])
        own["import"] += max(0.0, 0.5 * full_wh - part[-1]["soc_wh"]) / efficiency
        own["cost"] = (
            scenario["price"] * own["import"] + scenario["peak_price_per_mw_week"] * own["peak"]
        ) / 1e6 - scenario["export_price"] * own["export"] / 1e6
        for name in sums:
            sums[name] += period["weight"] * own[name]
    weights = sum(period["weight"] for period in settings["periods"])
    return {
        "consumption_wh": sums["load"],
        "import_wh": sums["import"],
        "import_peak_w": sums["peak"] / weights,
        "export_wh": sums["export"],
        "curtailed_wh": sums["curtailed"],
        "renewable_share": 1 - sums["import"] / sums["load"],
        "cost": sums["cost"],
        "battery_cycles": sums["out"] / full_wh,
        "pue": sums["facility"] / sums["it"],
    }


def quantile(values, share):
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def plain_jobs(rows):
    kept = [row for row in rows if not row["rejected_reason"]]
    delays = [(r["finished"] - r["submitted"]).total_seconds() - r["duration_s"] for r in kept]
    return {
        "jobs": len(kept),
        "jobs_rejected": len(rows) - len(kept),
        "deadlines_missed": sum(row["finished"] > row["deadline"] for row in kept),
        "preemptions": sum(row["preemptions"] for row in kept),
        "delay_mean_s": sum(delays) / len(delays),
        "delay_p95_s": quantile(delays, 0.95),
    }


def test_the_summary_follows_from_the_tables_and_settings_alone(played):
    policies, out = played
    settings = json.loads((out / "settings.json").read_text())
    for name in POLICIES:
        found = plain_site(pl.read_parquet(out / name / "site.parquet").rows(named=True), settings)
        found |= plain_jobs(pl.read_parquet(out / name / "jobs.parquet").rows(named=True))
        added = {"slacks", "missed_beyond_run_now", "comparable"}
        assert found.keys() == policies[name].keys() - TIMINGS - added
        for key, value in found.items():
            assert policies[name][key] == pytest.approx(value), (name, key)


def test_tables_are_as_pinned(played):
    _, out = played
    for name in POLICIES:
        site = pl.read_parquet(out / name / "site.parquet")
        schedule = pl.read_parquet(out / name / "schedule.parquet")
        jobs = pl.read_parquet(out / name / "jobs.parquet")
        assert schedule.columns == ["time", "job_id", "gpus", "power_w"]
        assert site.height == 384
        assert set(site["time"].diff().drop_nulls().dt.total_seconds()) == {900}
        assert site["time"][0].isoformat() == "2025-01-06T00:00:00+00:00"
        assert not site.select(pl.any_horizontal(pl.all().is_null())).to_series().any()
        per_step = schedule.group_by("time").agg(pl.col("power_w").sum())
        both = site.join(per_step, "time", how="left").with_columns(pl.col("power_w").fill_null(0.0))
        assert both["flexible_w"].to_list() == pytest.approx(both["power_w"].to_list())
        busy = site["urgent_w"] + site["flexible_w"]
        assert ((busy + site["cooling_w"]) / busy).to_list() == pytest.approx(site["pue"].to_list())
        assert jobs.columns[:3] == ["period", "job_id", "submitted"]


def test_every_policy_does_the_same_work(played):
    policies, out = played
    work = [
        pl.read_parquet(out / name / "jobs.parquet").filter(pl.col("rejected_reason") == "")
        for name in POLICIES
    ]
    assert all(table["finished"].null_count() == 0 for table in work)
    assert len({(table["gpus"] * table["duration_s"]).sum() for table in work}) == 1
    assert len({figures["jobs"] for figures in policies.values()}) == 1
