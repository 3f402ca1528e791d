"""Runs go on where they were killed, and say what can't be run."""

import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest

from igoudar.core.errors import ConfigError
from igoudar.lab.backtest import backtest

TABLES = ("site", "jobs", "schedule")
TIMINGS = ("wall_s", "solve_p50_s", "solve_p99_s")


def tables(out, policies):
    return {(p, t): pl.read_parquet(out / p / f"{t}.parquet") for p in policies for t in TABLES}


def figures(out):
    policies = json.loads((out / "summary.json").read_text())["policies"]
    return {name: {k: v for k, v in row.items() if k not in TIMINGS} for name, row in policies.items()}


def options_of(scenario):
    given = scenario.model_dump(exclude={"policies"}, exclude_none=True)
    toml = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join([*toml, f"policies = {json.dumps(list(scenario.policies))}"])


def start(file, out):
    command = [sys.executable, "-m", "igoudar.app.main", "lab", "backtest"]
    words = ["--scenario", str(file), "--out", str(out), "--workers", "2", "--json"]
    return subprocess.Popen([*command, *words], stdout=subprocess.DEVNULL, start_new_session=True)


def wait_until(holds, seconds=60.0):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_run_goes_on_to_the_same_tables(scenario, tmp_path):
    policies = ("run-now", "greedy", "threshold", "daily")
    setting = scenario(policies=policies)
    file = tmp_path / "s.toml"
    file.write_text(options_of(setting))
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    run = start(file, killed)
    wait_until(lambda: any(killed.glob("*/periods/*/timing.json")))
    os.kill(run.pid, signal.SIGKILL)
    run.wait(10)
    wait_until(lambda: not alive(run.pid), 10.0)  # its workers end by themselves
    kept = {path: path.stat().st_mtime_ns for path in killed.glob("*/periods/*/timing.json")}
    assert 0 < len(kept) < 8
    assert not (killed / "summary.json").exists()
    assert start(file, killed).wait(60) == 0
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    backtest(setting, whole, workers=1)
    first, second = tables(killed, policies), tables(whole, policies)
    assert all(first[key].equals(second[key]) for key in first)
    assert figures(killed) == figures(whole)


def test_a_folder_of_another_run_is_refused(scenario, tmp_path):
    backtest(scenario(policies=("run-now",)), tmp_path / "out", workers=1)
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        backtest(scenario(policies=("run-now",), price=61.0), tmp_path / "out", workers=1)


def test_a_folder_of_other_data_is_refused(scenario, tmp_path, jobs):
    setting = scenario(policies=("run-now",))
    backtest(setting, tmp_path / "out", workers=1)
    jobs.write_text(jobs.read_text().replace("j0,u0,4", "j0,u0,8"))
    with pytest.raises(ConfigError, match="other settings or data"):
        backtest(setting, tmp_path / "out", workers=1)


def test_another_policy_may_join(scenario, tmp_path):
    backtest(scenario(policies=("run-now",)), tmp_path / "out", workers=1)
    found = backtest(scenario(policies=("run-now", "daily")), tmp_path / "out", workers=1)
    assert list(found["policies"]) == ["run-now", "daily"]


def test_an_unknown_policy_names_those_there_are(scenario, tmp_path):
    with pytest.raises(ConfigError, match=r"no policy gready\. choose from run-now"):
        backtest(scenario(policies=("gready",)), tmp_path / "out")


def test_an_out_that_is_a_file_is_said(scenario, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="no folder for a run"):
        backtest(scenario(), tmp_path / "out")


def test_settings_hold_options_site_versions_and_data(scenario, tmp_path):
    backtest(scenario(policies=("run-now",)), tmp_path / "out", workers=1)
    found = json.loads((tmp_path / "out" / "settings.json").read_text())
    assert found["scenario"]["price"] == 60.0
    assert found["site"] == "dakhla-phase1"
    assert {"igoudar", "python", "polars"} <= found["versions"].keys()
    assert found["data"].keys() == {"resource", "jobs"}
    assert json.loads((tmp_path / "out" / "rejected.json").read_text()) == [
        {"line": 4, "job_id": "none", "reason": "no_gpus"}
    ]


def test_an_import_limit_that_is_too_low_is_reported_as_slack(scenario, tmp_path):
    setting = scenario(policies=("run-now",), import_limit_mw=0.05)
    found = backtest(setting, tmp_path / "out", workers=1)["policies"]["run-now"]["slacks"]
    assert found.keys() == {"import_limit"}
    assert found["import_limit"]["steps"] > 0
    assert found["import_limit"]["worst_w"] > 0


def test_urgent_load_over_the_cap_is_reported_and_never_endless(scenario, tmp_path):
    setting = scenario(policies=("run-now", "greedy"), urgent_share=1.2)
    found = backtest(setting, tmp_path / "out", workers=1)["policies"]
    for figures_ in found.values():
        assert {"it_cap", "unfinished"} <= figures_["slacks"].keys()
        assert figures_["deadlines_missed"] > 0


def test_weather_moves_the_pue(scenario, tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("temperature_c\n" + "".join(f"{15 + hour % 24}\n" for hour in range(96)))
    found = backtest(scenario(policies=("run-now",), weather=str(file)), tmp_path / "out", workers=1)
    site = pl.read_parquet(tmp_path / "out" / "run-now" / "site.parquet")
    assert site["pue"].n_unique() > 10
    assert 1.05 < found["policies"]["run-now"]["pue"] < 1.28


def test_run_now_s_own_misses_are_held_against_nobody(scenario, tmp_path):
    setting = scenario(policies=("run-now", "greedy"), gpus=300, job_scale=2)
    found = backtest(setting, tmp_path / "out", workers=1)["policies"]
    assert found["run-now"]["deadlines_missed"] > 0
    assert (found["run-now"]["missed_beyond_run_now"], found["run-now"]["comparable"]) == (0, True)
    assert found["greedy"]["comparable"] == (found["greedy"]["missed_beyond_run_now"] == 0)
