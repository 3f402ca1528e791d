from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.control.planning.forecast import weeks

from igoudar.control.planning.forecast.bulletins import Bulletins
from igoudar.control.planning.forecast.live import Place, Readings, issue, taught
from igoudar.core.errors import ConfigError

START = datetime(2026, 3, 2, tzinfo=UTC)
PLACE = Place(23.7, -15.9, 10.0, 23.0)
HOURS = 5 * 168


def readings(hours: int = HOURS) -> Readings:
    sky = PLACE.clear(START, HOURS) / 1000.0
    series = {
        "pv": np.repeat(55e6 * sky * np.repeat(np.random.default_rng(1).uniform(0.6, 1.0, 35), 24), 4),
        "wind": 40e6 * weeks.wind(3, HOURS),
        "urgent": weeks.urgent(HOURS),
        "pue": np.full(HOURS * 4, 1.08),
        "arrivals": np.random.default_rng(2).exponential(1e6, HOURS * 4),
    }
    return Readings(START, {name: values[: hours * 4] for name, values in series.items()})


def test_a_site_with_history_is_forecast() -> None:
    whole, known = readings(), readings(HOURS - 60)
    forecaster = taught(known, weeks.MOST, PLACE)
    forecast = issue(forecaster, known, weeks.MOST, PLACE)
    assert forecast.notes == ()
    first = known.steps - 1
    truth = whole.series["pv"][first : first + 192]
    assert np.sqrt(np.mean((forecast.pv.p50_w - truth) ** 2)) < 0.12 * 60e6
    assert (forecast.pv.p90_w[truth == 0.0] < 0.1 * 60e6).all()
    assert forecast.wind.p50_w[0] == pytest.approx(known.series["wind"][-1])
    assert np.abs(np.diff(forecast.wind.p50_w)).max() < 0.1 * 40e6  # it glides


def test_the_weather_service_is_heeded_and_missed() -> None:
    known, now_h = readings(HOURS - 60), int(START.timestamp()) // 3600 + HOURS - 61
    told = readings().series["wind"].reshape(-1, 4).mean(axis=1) / 40e6
    issued = int(START.timestamp()) // 3600 + np.arange(0, HOURS, 6)
    rows = np.full((len(issued), 54), np.nan)
    for row, first in enumerate(range(0, HOURS, 6)):
        part = told[first : first + 54]
        rows[row, : len(part)] = part
    service = {"wind": Bulletins(issued, issued, rows)}
    forecaster = taught(known, weeks.MOST, None, service)
    with_it = issue(forecaster, known, weeks.MOST, None, service)
    without = issue(forecaster, known, weeks.MOST)
    assert with_it.notes == ()
    assert ("control.forecast_wind_no_weather", {}) in without.notes
    truth = readings().series["wind"][known.steps - 1 :][:192]
    errors = [float(np.mean((f.wind.p50_w - truth) ** 2)) for f in (with_it, without)]
    assert errors[0] < 0.5 * errors[1]
    assert np.isnan(service["wind"].at(now_h + 24 * 9)).all()  # too old to be used


def test_a_new_site_says_that_it_knows_nothing_yet() -> None:
    recent = readings(2)
    forecast = issue(taught(recent, weeks.MOST), recent, weeks.MOST)
    assert {code for code, _ in forecast.notes} == {
        f"control.forecast_{name}_untaught" for name in ("pv", "wind", "urgent", "arrivals", "pue")
    }
    assert forecast.pue[0] == pytest.approx(1.08)


def test_readings_begin_on_a_full_hour_and_are_of_one_length() -> None:
    with pytest.raises(ConfigError, match="full hour"):
        Readings(START + timedelta(minutes=15), {"pv": np.zeros(4)})
    with pytest.raises(ConfigError, match="lengths"):
        Readings(START, {"pv": np.zeros(4), "wind": np.zeros(8)})
