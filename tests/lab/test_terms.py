"""Reserve, caps and announced limits in a whole study: what the tables say adds up, and the bound holds."""

import polars as pl
import pytest

from igoudar.lab.backtest import backtest


def test_caps_in_a_study_keep_deadlines_save_energy_and_stay_above_the_bound(scenario, tmp_path):
    both = {"policies": ("run-now", "rolling", "oracle")}
    plain = backtest(scenario(**both), tmp_path / "plain", workers=1)["policies"]
    capped = backtest(scenario(caps=True, **both), tmp_path / "capped", workers=1)["policies"]
    assert capped["run-now"]["cost"] == plain["run-now"]["cost"]
    assert capped["rolling"]["consumption_wh"] < plain["rolling"]["consumption_wh"]
    assert capped["rolling"]["deadlines_missed"] <= plain["rolling"]["deadlines_missed"]
    assert capped["oracle"]["cost"] <= plain["oracle"]["cost"] + 1e-6
    assert capped["oracle"]["cost"] <= capped["rolling"]["cost"]
    site, schedule = (
        pl.read_parquet(tmp_path / "capped" / "rolling" / f"{name}.parquet") for name in ("site", "schedule")
    )
    drawn = schedule.group_by("time").agg(pl.col("power_w").sum())
    joined = site.join(drawn, on="time", how="left").fill_null(0.0)
    assert joined["flexible_w"].to_list() == pytest.approx(joined["power_w"].to_list(), abs=1e-6)


def test_a_reserve_in_a_study_leaves_the_others_as_they_are(scenario, tmp_path):
    both = {"policies": ("run-now", "rolling")}
    plain = backtest(scenario(**both), tmp_path / "plain", workers=1)["policies"]
    kept = backtest(scenario(reserve_mw=0.2, reserve_share=0.5, **both), tmp_path / "kept", workers=1)[
        "policies"
    ]
    assert kept["run-now"]["cost"] == plain["run-now"]["cost"]
    assert kept["rolling"]["cost"] != plain["rolling"]["cost"]
    assert kept["rolling"]["deadlines_missed"] <= plain["rolling"]["deadlines_missed"]
