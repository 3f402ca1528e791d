from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.kpi.counters import curve, delta
from igoudar.core.counters import CounterRule

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=30))
def test_energy_is_never_negative_and_restarts_are_flagged(values: list[float]) -> None:
    counted = delta(values)
    assert counted.energy_wh >= 0
    assert counted.lower_bound == any(b < a * (1 - 1e-6) for a, b in pairwise(values))


def test_energy_between_samples_flows_evenly() -> None:
    samples = [(T0, 100.0), (T0 + timedelta(minutes=20), 120.0)]
    ends = np.array([T0.timestamp(), T0.timestamp() + 600, T0.timestamp() + 1200])
    assert np.diff(curve(samples, 1800).at(ends)) == pytest.approx([10, 10])


def test_outside_the_samples_is_unknown() -> None:
    line = curve([(T0, 1.0), (T0 + timedelta(minutes=1), 2.0)], 60)
    assert np.isnan(line.at(np.array([T0.timestamp() - 1, T0.timestamp() + 61]))).all()
    assert np.isnan(curve([], 60).at(np.array([0.0]))).all()


def test_a_long_silence_is_not_covered_though_its_energy_is_known() -> None:
    samples = [(T0, 0.0), (T0 + timedelta(minutes=1), 1.0), (T0 + timedelta(minutes=61), 61.0)]
    line = curve(samples, gap_s=180)
    window = np.array([T0.timestamp(), T0.timestamp() + 3660])
    assert np.diff(line.covered_s(window)) == pytest.approx(60)
    assert np.diff(line.at(window)) == pytest.approx(61)


def test_a_rollover_loses_nothing_and_a_jump_counts_as_nothing() -> None:
    rule = CounterRule(modulus=1000.0, most_per_s=1.0)
    samples = [(T0 + timedelta(minutes=i), wh) for i, wh in enumerate((960.0, 990.0, 20.0, 700.0, 730.0))]
    line = curve(samples, 1800, rule)
    assert line.energy_wh.tolist() == [0.0, 30.0, 60.0, 60.0, 90.0]
