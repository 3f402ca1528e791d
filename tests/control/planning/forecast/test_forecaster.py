from collections.abc import Mapping
from dataclasses import fields
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.planning.forecast import weeks

from igoudar.control.planning.forecast.forecaster import KINDS, Forecaster, learned
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.policy import Forecast
from igoudar.control.planning.table import Floats

kinds = st.sampled_from(KINDS)
steps = st.integers(0, weeks.STEPS - 1)


@cache
def forecaster(kind: str) -> Forecaster:
    return learned(kind, weeks.history(), weeks.MOST, held=True)


def week(seed: int) -> dict[str, Floats]:
    made = {"pv": 60e6 * weeks.sun(seed), "wind": 40e6 * weeks.wind(seed), "urgent": weeks.urgent()}
    return {**made, "pue": np.full(weeks.STEPS, 1.08), "arrivals": np.full(weeks.STEPS, 1e6)}


def issued(kind: str, series: Mapping[str, Floats], step: int) -> Forecast:
    return forecaster(kind).issue({name: Seen(values, step) for name, values in series.items()})


@given(kinds, st.integers(50, 70), steps)
@settings(max_examples=40, deadline=None)
def test_quantiles_are_ordered_and_within_the_capacity(kind: str, seed: int, step: int) -> None:
    forecast = issued(kind, week(seed), step)
    for name, most in (("pv", 60e6), ("wind", 40e6), ("urgent", np.inf)):
        band = getattr(forecast, name)
        assert len(band.p50_w) == 192
        assert (band.p10_w >= 0.0).all()
        assert (band.p10_w <= band.p50_w).all()
        assert (band.p50_w <= band.p90_w).all()
        assert (band.p90_w <= most).all()
    assert (forecast.arrivals_gpu_s >= 0.0).all()
    assert (forecast.pue >= 1.0).all()
    assert forecast.notes == ()


@given(kinds, steps, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_future_never_changes_a_forecast(kind: str, step: int, seed: int) -> None:
    series = week(60)
    draw = np.random.default_rng(seed)
    other = {name: values.copy() for name, values in series.items()}
    for values in other.values():
        values[step + 1 :] = draw.uniform(0.0, 6e7, len(values) - step - 1)
    first, second = issued(kind, series, step), issued(kind, other, step)
    for band in ("pv", "wind", "urgent"):
        for column in fields(getattr(first, band)):
            same = [getattr(getattr(f, band), column.name) for f in (first, second)]
            np.testing.assert_array_equal(*same)
    np.testing.assert_array_equal(first.arrivals_gpu_s, second.arrivals_gpu_s)


def test_the_present_step_is_known() -> None:
    series = week(61)
    forecast = issued("model", series, 301)
    for name in ("pv", "wind", "urgent"):
        band = getattr(forecast, name)
        assert band.p10_w[0] == pytest.approx(series[name][301])
        assert band.p90_w[0] == pytest.approx(series[name][301])


def test_what_is_the_same_every_day_is_foreseen_exactly() -> None:
    series = week(61)
    forecast = issued("model", series, 301)
    np.testing.assert_allclose(forecast.urgent.p50_w, np.tile(series["urgent"], 2)[301 : 301 + 192])


def test_the_model_beats_persistence_and_climatology_on_weeks_it_has_not_seen() -> None:
    error = dict.fromkeys(KINDS, 0.0)
    for seed in range(50, 58):
        series = week(seed)
        for step in range(96, weeks.STEPS - 48, 24):
            truth = series["wind"][step + 1 : step + 25]
            for kind in KINDS:
                error[kind] += float(((issued(kind, series, step).wind.p50_w[1:25] - truth) ** 2).sum())
    assert min(error, key=lambda kind: error[kind]) == "model"
    assert error["mix"] < min(error["persistence"], error["climatology"])
