import numpy as np
import pytest
from tests.control.planning.forecast import weeks

from igoudar.control.planning.forecast.forecaster import learned
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.policy import Forecast
from igoudar.control.planning.table import Floats
from igoudar.core.i18n import LANGUAGES, codes, render

NOW = 400
TAUGHT = learned("model", weeks.history(), weeks.MOST, held=True)
CLIMATE = learned("climatology", weeks.history(), weeks.MOST, held=True)


def issue(wind: Floats, forecaster: object = TAUGHT) -> Forecast:
    series = {
        "pv": 60e6 * weeks.sun(9),
        "wind": wind,
        "urgent": weeks.urgent(),
        "pue": np.full(weeks.STEPS, 1.08),
        "arrivals": np.full(weeks.STEPS, 1e6),
    }
    return forecaster.issue({n: Seen(s, NOW) for n, s in series.items()})  # type: ignore[attr-defined, no-any-return]


def good() -> Floats:
    return 40e6 * weeks.wind(9)


def test_a_gap_of_three_steps_is_bridged() -> None:
    wind = good()
    wind[NOW - 2 : NOW + 1] = np.nan
    forecast = issue(wind)
    assert forecast.notes == ()
    assert forecast.wind.p50_w[0] == pytest.approx(wind[NOW - 3])


def test_gaps_further_back_are_filled() -> None:
    wind = good()
    wind[100:250] = np.nan
    forecast = issue(wind)
    assert forecast.notes == ()
    assert np.isfinite(forecast.wind.p90_w).all()


@pytest.mark.parametrize("silent", [5, 90, NOW + 1])
def test_a_missing_input_falls_back_to_the_usual_day_and_says_so(silent: int) -> None:
    wind = good()
    wind[NOW + 1 - silent : NOW + 1] = np.nan
    forecast = issue(wind)
    assert forecast.notes == (("control.forecast_wind_missing", {"hours": pytest.approx(silent / 4)}),)
    usual = issue(good(), CLIMATE).wind
    np.testing.assert_allclose(forecast.wind.p50_w[4:], usual.p50_w[4:])
    np.testing.assert_allclose(forecast.wind.p10_w[4:], usual.p10_w[4:])


def test_a_flat_lined_input_falls_back_to_the_usual_day_and_says_so() -> None:
    wind = good()
    wind[NOW - 39 : NOW + 1] = wind[NOW - 39]
    ((code, params),) = issue(wind).notes
    assert code == "control.forecast_wind_flat"
    assert params["hours"] in (10.0, 11.0)


def test_a_calm_of_some_hours_is_no_fault_but_a_whole_day_at_nothing_is() -> None:
    wind = good()
    wind[NOW - 47 : NOW + 1] = 0.0
    assert issue(wind).notes == ()
    wind[NOW - 119 : NOW + 1] = 0.0
    assert [code for code, _ in issue(wind).notes] == ["control.forecast_wind_flat"]


def test_without_history_it_stays_as_it_is_and_says_so() -> None:
    records = {**weeks.history(2), "wind": [Record(np.zeros(40))]}
    wind = good()
    forecast = issue(wind, learned("model", records, weeks.MOST))
    assert ("control.forecast_wind_untaught", {}) in forecast.notes
    assert set(forecast.wind.p50_w) == {wind[NOW]}
    assert set(forecast.wind.p90_w) == {40e6}


def test_history_with_gaps_teaches() -> None:
    records = weeks.history(3)
    records["wind"][1].steps[50:90] = np.nan
    records["wind"][2].steps[:400] = np.nan  # too little is left of this week
    forecast = issue(good(), learned("model", records, weeks.MOST))
    assert forecast.notes == ()
    assert np.isfinite(forecast.wind.p50_w).all()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_fallback_has_its_words(lang: str) -> None:
    for channel in ("pv", "wind", "urgent", "arrivals", "pue"):
        for kind in ("missing", "flat", "untaught"):
            assert f"control.forecast_{channel}_{kind}" in codes(lang)
    assert "15" in render("control.forecast_wind_flat", {"hours": 15.0}, lang)
