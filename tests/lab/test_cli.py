"""`igoudar lab ...`, as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from igoudar.core.errors import ConfigError
from igoudar.core.i18n import codes
from igoudar.lab import cli


def run(*words):
    app = typer.Typer()
    cli.add_commands(app)
    result = CliRunner().invoke(app, ["lab", *(str(word) for word in words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def given(resource, jobs):
    """The options of the issue, one by one."""
    named = {
        "site": "jazari-lab",
        "resource": resource,
        "jobs": jobs,
        "policy": "run-now,greedy",
        "days": 4,
        "battery-mwh": 1,
        "battery-mw": 0.5,
        "pv-mw": 1.2,
        "wind-mw": 0.8,
        "import-limit-mw": 2,
        "price": 60,
        "export-price": 1,
        "peak-price-per-mw-week": 600,
        "job-scale": 1,
        "seed": 3,
    }
    return [word for name, value in named.items() for word in (f"--{name}", value)]


def test_a_backtest_prints_every_policy_and_leaves_its_files(given, tmp_path):
    result = run("backtest", *given, "--out", tmp_path / "out", "--workers", 1)
    assert result.exit_code == 0
    assert all(name in result.stdout for name in ("run-now", "greedy", "renewable", "line 4"))
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"settings.json", "summary.json", "report.html", "run-now", "greedy"} <= files
    scenario = json.loads((tmp_path / "out" / "settings.json").read_text())["scenario"]
    assert (scenario["wind_mw"], scenario["export_price"], scenario["seed"]) == (0.8, 1.0, 3)


def test_a_backtest_answers_in_json(given, tmp_path):
    result = run("backtest", *given, "--out", tmp_path / "out", "--workers", 1, "--json")
    assert json.loads(result.stdout)["policies"].keys() == {"run-now", "greedy"}


def test_a_scenario_file_will_do_and_options_override_it(resource, jobs, tmp_path):
    file = tmp_path / "s.toml"
    file.write_text(
        f'site = "jazari-lab"\nresource = "{resource}"\njobs = "{jobs}"\npolicies = ["greedy"]\ndays = 4\n'
    )
    result = run(
        "backtest", "--scenario", file, "--days", 2, "--out", tmp_path / "o", "--json", "--workers", 1
    )
    assert json.loads(result.stdout)["policies"].keys() == {"greedy"}
    assert pl.read_parquet(tmp_path / "o" / "greedy" / "site.parquet").height == 192


def test_the_table_speaks_french(given, tmp_path):
    result = run("backtest", *given, "--out", tmp_path / "out", "--workers", 1, "--lang", "fr")
    assert "politique" in result.stdout
    assert "sans GPU" in result.stdout


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--price", "-1"), "price is negative"),
        (("--policy", "gready"), "no policy gready"),
        (("--resource", "nowhere"), "nowhere: no such file or folder"),
        (("--jobs", "nowhere.csv"), r"nowhere\.csv: can't be read"),
        (("--site", "atlantis"), "atlantis"),
        (("--days", "0"), "days is under 1"),
        (("--days", "9"), "holds 4 days, 9 were asked for"),
        (("--weather", "nowhere.csv"), r"nowhere\.csv: can't be read"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(given, tmp_path, words, what):
    with pytest.raises(ConfigError, match=what) as refused:
        run("backtest", *given, *words, "--out", tmp_path / "out")
    assert "\n" not in str(refused.value)


def test_a_refusal_is_exit_code_2_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "igoudar.app.main", "lab", "backtest", "--out", str(tmp_path)]
    done = subprocess.run([*command, "--price", "-1"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("igoudar: scenario: price is negative")
    assert done.stderr.count("\n") == 1


def scenario_file(tmp_path: Path, resource, jobs) -> Path:
    file = tmp_path / "s.toml"
    lines = f'resource = "{resource}"\njobs = "{jobs}"\nsite = "jazari-lab"\ndays = 4\n'
    file.write_text(lines + 'policies = ["run-now", "greedy"]\nbattery_mwh = 0.0\nbattery_mw = 0.0\n')
    return file


def test_whatif_tells_what_a_battery_changes(tmp_path, resource, jobs):
    file = scenario_file(tmp_path, resource, jobs)
    words = ("--set", "battery_mwh=1", "--set", "battery-mw=0.5", "--workers", 1)
    found = json.loads(run("whatif", file, *words, "--out", tmp_path / "w", "--json").stdout)
    assert found["changed"] == {"battery_mwh": [0.0, 1.0], "battery_mw": [0.0, 0.5]}
    for name in ("run-now", "greedy"):
        assert found["difference"][name]["battery_cycles"] > 0
        assert found["difference"][name]["cost"] == pytest.approx(
            found["second"][name]["cost"] - found["first"][name]["cost"]
        )
    told = run("whatif", file, *words, "--out", tmp_path / "w").stdout
    assert "difference" in told
    assert "+" in told


def test_whatif_tells_what_a_tank_and_a_limit_change(tmp_path, resource, jobs):
    file = scenario_file(tmp_path, resource, jobs)
    words = ("--set", "cooling={tank_mwh_th=1.0}", "--set", "limit=[{start_h=3,end_h=5,limit_mw=0.5}]")
    found = json.loads(run("whatif", file, *words, "--out", tmp_path / "w", "--json").stdout)
    before, after = found["changed"]["cooling"]
    assert before is None
    assert after["tank_mwh_th"] == 1.0
    assert found["changed"]["limit"][1][0]["meter"] == "import"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "nothing to compare with"),
        (("--set", "days=4"), "both settings are the same"),
        (("--set", "battery"), "'battery' changes nothing"),
        (("--set", "batery_mwh=1"), "did you mean battery_mwh"),
        (("--set", "price=much"), "price: "),
    ],
)
def test_whatif_refuses_what_changes_nothing(tmp_path, resource, jobs, words, what):
    with pytest.raises(ConfigError, match=what):
        run("whatif", scenario_file(tmp_path, resource, jobs), *words, "--out", tmp_path / "w")


def test_size_answers_per_target(tmp_path, resource, jobs):
    file = scenario_file(tmp_path, resource, jobs)
    words = ("--policy", "greedy", "--match", "80,95", "--workers", 1, "--out", tmp_path / "z")
    found = json.loads(run("size", "--scenario", file, *words, "--json").stdout)
    assert [answer["target"] for answer in found["answers"]] == [0.8, 0.95]
    told = run("size", "--scenario", file, *words).stdout
    assert "95.0" in told
    assert "USD2025/kW" in told


@pytest.mark.parametrize("match", ["0", "101", "most", "-5"])
def test_a_match_is_per_cent(tmp_path, match):
    with pytest.raises(ConfigError, match="no hourly match"):
        run("size", "--match", match, "--out", tmp_path)


def test_every_reason_of_rejection_and_slack_has_its_words():
    known = codes("en")
    reasons = ("not_a_number", "no_gpus", "no_duration", "before_the_trace", "deadline_before_submission")
    assert all(f"lab.reason_{reason}" in known for reason in reasons)
    assert all(f"lab.slack_{name}" in known for name in ("import_limit", "it_cap", "unfinished"))
