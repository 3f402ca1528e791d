import math
from pathlib import Path

import pytest

from igoudar.core.errors import ConfigError
from igoudar.lab.inputs import named_site
from igoudar.lab.options import assembled
from igoudar.lab.scenario import Scenario, changed, read_scenario, settled

REFERENCE = Path(__file__).parents[2] / "benchmarks" / "reference.toml"


def test_the_reference_scenario_is_the_pinned_one():
    found = read_scenario(REFERENCE)
    assert (found.pv_mw, found.wind_mw, found.battery_mwh) == (60.0, 40.0, 0.0)
    assert (found.job_scale, found.peak_price_per_mw_week, found.price) == (6, 600.0, 60.0)
    assert (found.gpus, found.it_cap_mw, found.pue) == (20880, 40.0, 1.08)


def test_what_the_scenario_leaves_open_comes_from_the_site():
    found = settled(Scenario(pv_mw=5.0), named_site("dakhla-phase1"))
    assert (found.pv_mw, found.gpus) == (5.0, 20880)
    assert found.import_limit_mw == named_site("dakhla-phase1").grid.import_limit_w / 1e6


@pytest.mark.parametrize("name", ["price", "export_price", "peak_price_per_mw_week"])
def test_a_negative_price_is_refused(name):
    with pytest.raises(ConfigError, match=f"{name} is negative"):
        changed(Scenario(), {name: -0.01})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("days", 0),
        ("job_scale", 0),
        ("first_week", -1),
        ("battery_mwh", -1.0),
        ("pue", 0.9),
        ("efficiency", 0.2),
    ],
)
def test_what_no_run_could_mean_is_refused(key, value):
    with pytest.raises(ConfigError, match=key):
        changed(Scenario(), {key: value})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_must_be_finite(value):
    with pytest.raises(ConfigError, match="price: "):
        changed(Scenario(), {"price": value})


def test_an_unknown_key_names_the_nearest(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("pv_mv = 3\n")
    with pytest.raises(ConfigError, match="did you mean pv_mw"):
        read_scenario(file)


def test_a_file_that_is_no_toml_is_named(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("price = = 3\n")
    with pytest.raises(ConfigError, match=r"a\.toml: can't be read"):
        read_scenario(file)


def test_options_override_the_file(tmp_path, resource, jobs):
    file = tmp_path / "a.toml"
    file.write_text(f'resource = "{resource}"\njobs = "{jobs}"\nprice = 50.0\npv_mw = 7.0\n')
    found = assembled(file, {"price": 70.0, "policy": "greedy, run-now", "pv_mw": None})
    assert (found.price, found.pv_mw, found.policies) == (70.0, 7.0, ("greedy", "run-now"))


def test_paths_count_from_here_first_then_from_the_file(tmp_path, monkeypatch, resource, jobs):
    file = tmp_path / "a.toml"
    file.write_text(f'resource = "{resource.name}"\njobs = "{jobs.name}"\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert assembled(file, {}).jobs == str(jobs)
    (elsewhere / jobs.name).write_text(jobs.read_text())
    assert assembled(file, {}).jobs == str(elsewhere / jobs.name)


@pytest.mark.parametrize("missing", ["resource", "jobs"])
def test_a_run_needs_supply_and_jobs(missing, resource, jobs):
    given = {"resource": str(resource), "jobs": str(jobs), missing: None}
    with pytest.raises(ConfigError, match=f"no {missing} given"):
        assembled(None, given)
