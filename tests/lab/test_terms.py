"""Caps, reserve and cooling in a whole study: what the tables say adds up, and the bound holds."""

import polars as pl
import pytest

from igoudar.core.errors import ConfigError
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


def test_cooling_that_gives_way_lowers_the_pue_and_its_bound(scenario, tmp_path):
    both = {"policies": ("run-now", "rolling", "oracle")}
    tank = {"tank_mwh_th": 1.0, "tank_mw_th": 0.2}
    plain = backtest(scenario(**both), tmp_path / "plain", workers=1)["policies"]
    given = backtest(scenario(cooling=tank, **both), tmp_path / "given", workers=1)["policies"]
    assert given["run-now"]["cost"] == plain["run-now"]["cost"]
    assert given["run-now"]["pue"] == pytest.approx(plain["run-now"]["pue"])
    assert given["rolling"]["pue"] < plain["rolling"]["pue"] - 1e-4
    assert given["oracle"]["cost"] <= min(plain["oracle"]["cost"], given["rolling"]["cost"]) + 1e-6
    for name in both["policies"]:
        site = pl.read_parquet(tmp_path / "given" / name / "site.parquet")
        it_w = site["urgent_w"] + site["flexible_w"]
        came = site["pv_w"] + site["wind_w"] - site["curtailed_w"] + site["import_w"] + site["battery_w"]
        went = it_w + site["cooling_w"] + site["export_w"]
        assert came.to_list() == pytest.approx(went.to_list(), abs=2.0)
        assert site["pue"].to_list() == pytest.approx((1.0 + site["cooling_w"] / it_w).to_list())
        assert site["pue"].min() >= 1.03 - 1e-9


@pytest.mark.parametrize(
    ("cooling", "what"),
    [({"most_c": 40.0}, "most_c"), ({"tank_mwh": 1.0}, "tank_mwh"), ({"least_pue": 0.9}, "least_pue")],
)
def test_cooling_that_can_not_be_meant_is_refused(scenario, cooling, what):
    with pytest.raises(ConfigError, match=f"cooling.{what}"):
        scenario(cooling=cooling)
