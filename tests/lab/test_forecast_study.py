from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.control.planning.forecast import weeks

from igoudar.control.planning.forecast.history import Record
from igoudar.core.errors import ConfigError
from igoudar.lab.forecast_study import scores, study
from igoudar.lab.forecasts import arrivals_gpu_s, forecaster_for, teachers
from igoudar.lab.inputs import load_inputs
from igoudar.lab.resources import load_periods
from igoudar.lab.scenario import Scenario, changed
from igoudar.lab.synthetic_weather import write_weather

DATA = Path(__file__).parents[3] / "shared" / "data"


def test_the_reference_has_no_skill_over_itself_and_bands_cover(tmp_path: Path) -> None:
    table = scores({"wind": [Record(weeks.wind(n)) for n in range(6)]}, {"wind": 1.0})
    assert table.height == 4 * 48
    mix = table.filter(pl.col("kind") == "mix")
    assert mix["skill"].abs().max() == 0.0
    model = table.filter(pl.col("kind") == "model")
    assert (model["skill_low"] <= model["skill"]).all()
    assert (model["skill"] <= model["skill_high"]).all()
    assert model["coverage"].is_between(0.65, 0.92).all()


def test_one_week_alone_can_not_be_studied(scenario: Callable[..., Scenario]) -> None:
    with pytest.raises(ConfigError, match="one is left out"):
        study(scenario())


def test_a_period_is_forecast_from_the_others_and_its_own_past(
    scenario: Callable[..., Scenario],
) -> None:
    given = scenario()
    periods = load_inputs(given).periods(given)
    issue = forecaster_for(periods[0], teachers(periods, 0, given), given, "model")
    before = issue(100)
    periods[0].wind_w[101:] = 0.0
    periods[0].pv_w[101:] = 0.0
    after = forecaster_for(periods[0], teachers(periods, 0, given), given, "model")(100)
    np.testing.assert_array_equal(before.wind.p50_w, after.wind.p50_w)
    np.testing.assert_array_equal(before.pv.p90_w, after.pv.p90_w)
    assert before.issued_s == 100 * 900.0


def test_all_work_submitted_is_counted(scenario: Callable[..., Scenario]) -> None:
    period = load_inputs(scenario()).periods(scenario())[0]
    work = (period.jobs.gpus * period.jobs.expected_s).sum()
    assert arrivals_gpu_s(period).sum() == pytest.approx(work)


@pytest.mark.skipif(not DATA.exists(), reason="the measured weeks lie outside the project")
def test_bars_on_the_measured_weeks(tmp_path: Path) -> None:
    resource = load_periods(DATA / "dakhla_ptxboa", 56)
    table = scores({"wind": [Record(p.wind_ratio) for p in resource]}, {"wind": 1.0})
    model = table.filter(pl.col("kind") == "model")
    near, far = model.filter(pl.col("lead_h") <= 6), model.filter(pl.col("lead_h") > 6)
    assert near["skill_low"].min() > 0.0
    assert far["skill_low"].min() > -0.01
    assert model["coverage"].is_between(0.75, 0.85).all()


@pytest.mark.skipif(not DATA.exists(), reason="the measured weeks lie outside the project")
def test_a_weather_file_helps_at_every_horizon(tmp_path: Path) -> None:
    file = tmp_path / "weather.csv"
    write_weather(file, load_periods(DATA / "dakhla_ptxboa", 56))
    jobs = DATA / "gpu_jobs" / "chronus_trace_job_Philly_SLO.csv"
    told = {"pv_mw": 60, "wind_mw": 40, "it_cap_mw": 40, "gpus": 20880, "jobs": str(jobs)}
    scenario = changed(Scenario(), {**told, "resource": str(DATA / "dakhla_ptxboa")})
    model = study(scenario, file, ("wind",)).filter(pl.col("kind") == "model")
    assert model["skill_low"].min() > 0.0
    assert model["coverage"].is_between(0.75, 0.85).all()
