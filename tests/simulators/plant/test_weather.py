"""The generated sky against the figures of the coast."""

import math

import numpy as np
import pytest

from igoudar.core.model import Site, SolarFarm
from igoudar.simulators.plant.air import air_day
from igoudar.simulators.plant.noise import DAY_S, Series, noise_at, noise_day
from igoudar.simulators.plant.sun import panel_c, soiling_ratio
from igoudar.simulators.plant.weather import Weather
from igoudar.simulators.plant.wind import power_curve, wind_day

from .lab import breeze

FIRST_DAY = 20_454  # 2026-01-01
YEARS = range(FIRST_DAY, FIRST_DAY + 365)


@pytest.fixture(scope="module")
def wind_year() -> Series:
    """Hourly factors of two years of different seeds: (days, hours)."""
    days = [wind_day(seed, day)[0][:144] for seed in (1, 2) for day in YEARS]
    hours: Series = np.array(days).reshape(-1, 24, 6).mean(axis=2)
    return hours


def test_wind_has_the_coast_s_mean_and_calms(wind_year: Series) -> None:
    assert float(wind_year.mean()) == pytest.approx(0.581, abs=0.03)
    assert float((wind_year < 0.1).mean()) == pytest.approx(0.074, abs=0.025)


def test_wind_blows_in_the_evening_and_rests_in_the_afternoon(wind_year: Series) -> None:
    by_hour = wind_year.mean(axis=0)
    assert int(np.argmax(by_hour)) in (20, 21, 22, 23)
    assert int(np.argmin(by_hour)) in (13, 14)
    assert by_hour[21] == pytest.approx(0.73, abs=0.04)
    assert by_hour[14] == pytest.approx(0.35, abs=0.04)


def test_wind_peaks_in_july(wind_year: Series) -> None:
    by_month = wind_year.reshape(2, 365, 24)[:, :360].mean(axis=(0, 2)).reshape(12, 30).mean(axis=1)
    assert int(np.argmax(by_month)) in (5, 6, 7)
    assert by_month[6] > by_month[0]


def test_the_power_curve_is_one() -> None:
    curve = power_curve()
    speeds = np.linspace(0.0, 12.0, 50)
    assert (np.diff(curve.at(speeds)) >= -1e-9).all()
    assert float(curve.at(np.array([13.0]))[0]) > 0.95
    assert float(curve.at(np.array([60.0]))[0]) == 0.0


@pytest.fixture(scope="module")
def solar_year() -> tuple[Series, Series]:
    """Quarter-hourly sun and wind of every sixth day: (days, steps)."""
    weather = Weather(_farm(), 1)
    rows = [
        [weather.at(day * DAY_S + step * 900.0) for step in range(96)]
        for day in range(FIRST_DAY, FIRST_DAY + 365, 6)
    ]
    pv = np.array([[sky.pv_ratio for sky in row] for row in rows])
    wind = np.array([[sky.wind_ratio for sky in row] for row in rows])
    return pv, wind


def _farm() -> Site:
    solar = SolarFarm(ac_w=1e6)
    return Site("farm", "A farm", 23.7, -15.9, 10.0, "UTC", (), (), (), (), solar=solar)


def test_sun_has_the_coast_s_mean_and_noon(solar_year: tuple[Series, Series]) -> None:
    pv, _ = solar_year
    assert float(pv.mean()) == pytest.approx(0.222, abs=0.025)
    assert 12 <= int(np.argmax(pv.mean(axis=0))) / 4 <= 14.5
    assert float(pv.min()) >= 0.0
    assert float(pv.max()) <= 1.0
    assert float(pv[:, :20].max()) == 0.0  # before five in the morning


def test_sun_and_wind_take_turns(solar_year: tuple[Series, Series]) -> None:
    pv, wind = solar_year
    assert -0.48 < float(np.corrcoef(pv.ravel(), wind.ravel())[0, 1]) < -0.18


def test_air_is_mild_with_hot_spells() -> None:
    days = [air_day(1, 10.0, day) for day in YEARS]
    ambient = np.concatenate([day[0] for day in days])
    assert 18.0 < float(ambient.mean()) < 24.0
    assert float(ambient.max()) > 30.0
    humid = np.concatenate([day[1] for day in days])
    assert float((humid > 60.0).mean()) > 0.6
    assert all((wet <= dry + 1e-6).all() for dry, _, wet, _ in days)


def test_a_hot_panel_and_a_dusty_one() -> None:
    hot = panel_c(np.array([1000.0]), np.array([25.0]), np.array([1.0]))
    assert float(hot[0]) == pytest.approx(25.0 + 1000.0 / 31.84)
    solar = SolarFarm(soiling_per_day=0.01)
    assert soiling_ratio(solar, 14 * 1000) == 1.0
    assert soiling_ratio(solar, 14 * 1000 + 10) == pytest.approx(0.99**10)


def test_a_process_is_continuous_over_midnight_and_independent_of_the_order_of_asking() -> None:
    later = noise_day(5, "x", 600.0, 7200.0, 101)
    earlier = noise_day(5, "x", 600.0, 7200.0, 100)
    assert earlier[-1] == pytest.approx(later[0])
    assert noise_at(5, "x", 600.0, 7200.0, 101 * DAY_S) == pytest.approx(float(later[0]))


def test_a_process_is_standard_normal_with_its_memory() -> None:
    series = np.concatenate([noise_day(5, "y", 600.0, 7200.0, day)[:-1] for day in range(100, 400)])
    assert float(series.mean()) == pytest.approx(0.0, abs=0.05)
    assert float(series.std()) == pytest.approx(1.0, abs=0.05)
    lag = float(np.corrcoef(series[:-12], series[12:])[0, 1])
    assert lag == pytest.approx(math.exp(-1.0), abs=0.05)


def test_a_replay_gives_its_own_factors_and_a_sky_to_match() -> None:
    weather = Weather(_farm(), 1, breeze())
    noon = weather.at(1_736_121_600.0 + 12.5 * 3600.0)
    assert noon.pv_ratio == pytest.approx(0.8 * math.sin(5 / 12 * math.pi))
    assert noon.poa_wm2 == pytest.approx(noon.pv_ratio / 0.83 * 1000.0)
    assert noon.ghi_wm2 < noon.poa_wm2
