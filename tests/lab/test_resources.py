import re
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from tests.lab.conftest import factors, write_csv

from igoudar.core.errors import ConfigError
from igoudar.lab.inputs import named_site
from igoudar.lab.resources import load_periods
from igoudar.lab.stored import stored_periods
from igoudar.lab.weather import pue_at, pue_of_periods, read_temperature

HEAD = ("period_id", "TimeStep", "PV-FIX", "WIND-ON")


def test_hours_are_held_and_weighted(resource):
    first, second = load_periods(resource, 4)
    assert (first.weight, second.weight, first.steps) == (3.0, 1.0, 192)
    assert np.array_equal(first.pv_ratio.reshape(-1, 4).std(axis=1), np.zeros(48))
    assert first.pv_ratio[::4] == pytest.approx([sun for sun, _ in factors(48)])


def test_a_folder_with_one_such_file_will_do(resource):
    assert len(load_periods(resource.parent, 4)) == 2


def test_a_folder_with_none_is_said(tmp_path):
    with pytest.raises(ConfigError, match="0 files match"):
        load_periods(tmp_path, 1)


def test_fewer_days_end_inside_a_period(resource):
    assert [p.steps for p in load_periods(resource, 3)] == [192, 96]


def test_more_days_than_the_file_has_are_refused(resource):
    with pytest.raises(ConfigError, match="holds 4 days, 5 were asked for"):
        load_periods(resource, 5)


def test_a_series_of_another_length_is_cut_into_weeks_and_a_rest(tmp_path):
    file = write_csv(tmp_path / "year.csv", ("PV-FIX", "WIND-ON"), factors(400))
    assert [(p.steps, p.weight) for p in load_periods(file, 16)] == [(672, 1.0), (672, 1.0), (192, 1.0)]


@pytest.mark.parametrize("bad", ["", "nan", "NaN", "1.2", "-0.1", "much"])
def test_a_value_that_is_no_factor_is_named_by_line(tmp_path, bad):
    rows = [(0, h, *pair) for h, pair in enumerate(factors(24))]
    rows[5] = (0, 5, bad, 0.4)
    file = write_csv(tmp_path / "a.csv", HEAD, rows)
    with pytest.raises(ConfigError, match=re.escape(f"{file}:7: 1 rows have no two capacity factors")):
        load_periods(file, 1)


def test_a_missing_hour_is_named_by_line(tmp_path):
    rows = [(0, h, *pair) for h, pair in enumerate(factors(25))]
    del rows[5]
    file = write_csv(tmp_path / "a.csv", HEAD, rows)
    with pytest.raises(ConfigError, match=r"a\.csv:7: hour 5 of period 0 is missing, line 7 has TimeStep 6"):
        load_periods(file, 1)


def test_a_missing_column_is_named(tmp_path):
    file = write_csv(tmp_path / "a.csv", ("PV-FIX",), [(0.1,)])
    with pytest.raises(ConfigError, match="no column WIND-ON"):
        load_periods(file, 1)


@pytest.mark.parametrize("weights", [[(0, 3.0)], [(0, 3.0), (1, "x")], [(0, 3.0), (1, 0.0)]])
def test_weights_that_do_not_fit_are_refused(resource, weights):
    write_csv(resource.with_name(resource.stem + ".weights.csv"), ("period_id", "weight"), weights)
    with pytest.raises(ConfigError, match="not one weight above 0 for each period"):
        load_periods(resource, 4)


@pytest.fixture
def site():
    return named_site("jazari-lab")


def export(path, site, hours, start, *, value="value", gap=None):
    """What `igoudar store export --parquet` writes of the two meters, a sample every 5 min."""
    times = [start + timedelta(minutes=5 * i) for i in range(hours * 12)]
    watts = {"pv": site.solar.ac_w * 0.5, "wind": site.wind.ac_w * 0.25}
    frames = [
        pl.DataFrame(
            {
                "device": device.name,
                "point": "active_power_w",
                "time": pl.Series(times, dtype=pl.Datetime("us", "UTC")),
                value: [None if gap and gap[0] <= t < gap[1] else watts[device.role] for t in times],
            },
            schema_overrides={value: pl.Float64},
        )
        for device in site.devices
        if device.role in watts
    ]
    pl.concat(frames).write_parquet(path)
    return path


START = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", ["value", "mean"])
def test_an_export_of_the_store_begins_at_its_first_midnight(tmp_path, site, value):
    file = export(tmp_path / "a.parquet", site, 51, START, value=value)
    (period,) = stored_periods(file, site, 2)
    assert (period.steps, period.weight) == (192, 1.0)
    assert period.pv_ratio == pytest.approx(0.5)
    assert period.wind_ratio == pytest.approx(0.25)


def test_an_export_with_a_gap_names_its_first_moment(tmp_path, site):
    gap = (datetime(2026, 3, 2, 5, tzinfo=UTC), datetime(2026, 3, 2, 6, tzinfo=UTC))
    file = export(tmp_path / "a.parquet", site, 51, START, gap=gap)
    with pytest.raises(ConfigError, match=r"4 quarter-hours of meter-pv .* 2026-03-02 05:00 UTC"):
        stored_periods(file, site, 2)


def test_an_export_that_is_too_short_is_refused(tmp_path, site):
    file = export(tmp_path / "a.parquet", site, 20, START)
    with pytest.raises(ConfigError, match="holds 0 whole days"):
        stored_periods(file, site, 1)


def test_any_other_parquet_file_is_refused(tmp_path, site):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match="no export of a store"):
        stored_periods(tmp_path / "a.parquet", site, 1)


def test_pue_rises_with_the_temperature_and_stays_in_the_coast_s_range():
    temperature = np.linspace(-10, 50, 200)
    assert (np.diff(pue_at(temperature)) >= 0).all()
    assert pue_at(np.array([15.0, 27.0])) == pytest.approx([1.05, 1.12])


def test_temperatures_along_the_run_hold_for_an_hour(tmp_path, resource):
    file = write_csv(tmp_path / "t.csv", ("time", "temperature_c"), [(h, 10 + h % 24) for h in range(96)])
    first, second = pue_of_periods(file, load_periods(resource, 4))
    assert (len(first), len(second)) == (192, 192)
    assert first[:8] == pytest.approx(np.repeat(pue_at(np.array([10.0, 11.0])), 4))


def test_a_year_of_temperatures_gives_each_period_the_middle_of_its_weeks(tmp_path, resource):
    file = write_csv(tmp_path / "t.csv", ("temperature_c",), [(h / 10,) for h in range(192)])
    first, second = pue_of_periods(file, load_periods(resource, 4))
    assert first[0] == pue_at(np.array([4.8]))[0]
    assert second[0] == pue_at(np.array([14.4]))[0]


def test_too_few_temperatures_are_refused(tmp_path, resource):
    file = write_csv(tmp_path / "t.csv", ("temperature_c",), [(20,)] * 95)
    with pytest.raises(ConfigError, match="95 hours of temperature, the run has 96"):
        pue_of_periods(file, load_periods(resource, 4))


@pytest.mark.parametrize("bad", ["", "nan", "hot", "99.9"])
def test_a_temperature_that_is_none_is_named_by_line(tmp_path, bad):
    file = write_csv(tmp_path / "t.csv", ("temperature_c",), [(20,), (bad,)])
    file.write_text("temperature_c\n20\n" + (bad or '""') + "\n")
    with pytest.raises(ConfigError, match=r"t\.csv:3: no temperature"):
        read_temperature(file)


def test_an_epw_year_can_be_read(shared_data):
    hourly = read_temperature(shared_data / "weather" / "dcrl_USA_CA_San.Jose-Mineta.epw")
    assert len(hourly) == 8760
    assert hourly[0] == 6.1


def test_the_measured_weeks_are_the_pinned_ones(shared_data):
    periods = load_periods(shared_data / "dakhla_ptxboa", 56)
    assert [p.steps for p in periods] == [672] * 8
    assert sum(p.weight for p in periods) * 168 == pytest.approx(8760, abs=1)
    year = sum(p.weight * p.wind_ratio.sum() for p in periods) / sum(p.weight * p.steps for p in periods)
    assert year == pytest.approx(0.575, abs=0.001)
