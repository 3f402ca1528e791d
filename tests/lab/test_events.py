"""Announced limits of a study: read from the scenario, known in time, told where they were passed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from igoudar.core.errors import ConfigError
from igoudar.lab.backtest import backtest
from igoudar.lab.chill import CoolingEntry
from igoudar.lab.events import LimitEntry, announced, known, strictest
from igoudar.lab.scenario import Scenario, read_scenario
from igoudar.lab.settings import _mark

TOML = """
[[limit]]
start_h  = 20.1
end_h    = 22.0
limit_mw = 0.1
meter    = "facility"
notice_h = 4.0
periods  = [1]
"""


def test_a_limit_is_read_known_after_its_notice_and_over_at_its_end(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(TOML)
    entries = read_scenario(file).limit
    assert announced(entries, 0) == ()
    (one,) = found = announced(entries, 1)
    assert (one.ceiling.start_s, one.ceiling.end_s) == (20 * 3600.0, 22 * 3600.0)
    assert known(found, 16 * 3600.0 - 1.0) == ()
    assert known(found, 16 * 3600.0) == (one.ceiling,)
    assert known(found, 22 * 3600.0) == ()
    limit_w = strictest(found, "facility", 96)
    assert np.flatnonzero(np.isfinite(limit_w)).tolist() == list(range(80, 88))
    assert np.isinf(strictest(found, "import", 96)).all()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("end_h    = 22.0", "end_h = 2.0", "ends before it starts"),
        ("limit_mw", "limit_kw", "limit"),
        ('"facility"', '"roof"', "meter"),
        ("= 0.1", "= -1.0", "limit"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(tmp_path: Path, old: str, new: str, what: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(TOML.replace(old, new))
    with pytest.raises(ConfigError, match=what):
        read_scenario(file)


@pytest.mark.parametrize(
    "given",
    [
        {"limit": (LimitEntry(start_h=1, end_h=2, limit_mw=1),)},
        {"caps": True},
        {"cap_least_pct": 90.0},
        {"cooling": CoolingEntry()},
        {"reserve_mw": 1.0},
        {"reserve_share": 0.5},
    ],
    ids=str,
)
def test_what_goes_beyond_the_plain_plan_makes_it_another_run(given: dict[str, Any]) -> None:
    assert _mark(Scenario(), {}) != _mark(Scenario(**given), {})


def test_what_is_above_a_limit_is_told_and_recomputed_from_the_tables(scenario, tmp_path) -> None:
    limit = ({"start_h": 20, "end_h": 23, "limit_mw": 0.2, "periods": [0]},)
    setting = scenario(limit=limit, policies=("run-now", "rolling"))
    found = backtest(setting, tmp_path / "out", workers=1)["policies"]
    passed = found["run-now"]["slacks"]["limit_import"]
    over_w = np.maximum(0.0, _imports(tmp_path / "out" / "run-now")[80:92] - 0.2e6)
    assert passed["steps"] == int((over_w > 1.0).sum())
    assert passed["over_wh"] == pytest.approx(float(over_w.sum()) / 4)
    assert passed["over_wh"] > 0
    assert found["rolling"]["slacks"].get("limit_import", {"over_wh": 0.0})["over_wh"] < passed["over_wh"]
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["scenario"]["limit"]


def _imports(folder: Path) -> np.ndarray:
    return pl.read_parquet(folder / "site.parquet")["import_w"].to_numpy()
