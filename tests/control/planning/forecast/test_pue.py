import numpy as np
import pytest

from igoudar.control.planning.forecast.pue import learned_pue, with_temperature
from igoudar.control.planning.policy import Band, Forecast


def truth(temperature_c: np.ndarray, load_ratio: np.ndarray) -> np.ndarray:
    return 1.03 + 0.01 / load_ratio + 0.004 * np.maximum(0.0, temperature_c - 20.0)


def test_it_follows_temperature_and_load() -> None:
    draw = np.random.default_rng(2)
    temperature, load = draw.uniform(12.0, 38.0, 2000), draw.uniform(0.3, 1.0, 2000)
    model = learned_pue(temperature, load, truth(temperature, load) + draw.normal(0.0, 0.002, 2000))
    assert model is not None
    asked = np.array([15.0, 22.0, 27.0, 35.0]), np.array([0.9, 0.5, 0.8, 0.4])
    np.testing.assert_allclose(model.at(*asked), truth(*asked), atol=0.003)


def test_readings_that_are_none_teach_nothing() -> None:
    few = np.full(200, np.nan)
    assert learned_pue(few, few, few) is None


def test_it_never_falls_under_one() -> None:
    model = learned_pue(np.linspace(10, 30, 100), np.full(100, 0.5), np.full(100, 1.0))
    assert model is not None
    assert model.at(np.array([-40.0]), np.array([1.0])) == pytest.approx(1.0)


def test_foretold_temperatures_reach_the_forecast_as_far_as_they_go() -> None:
    draw = np.random.default_rng(2)
    temperature, load = draw.uniform(12.0, 38.0, 2000), draw.uniform(0.3, 1.0, 2000)
    model = learned_pue(temperature, load, truth(temperature, load))
    assert model is not None
    nothing, pue = Band(*np.zeros((3, 192))), np.full(192, 1.08)
    forecast = Forecast(0.0, nothing, nothing, nothing, np.zeros(192), pue)
    hot = np.append(np.full(24, 35.0), np.full(25, np.nan))
    told = with_temperature(forecast, model, hot, 0.5)
    assert told.pue[0] == pytest.approx(1.11, abs=0.004)
    assert told.pue[-1] == 1.08
