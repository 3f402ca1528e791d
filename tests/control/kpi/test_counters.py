from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.kpi.counters import curve, delta

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=30))
def test_energy_is_never_negative_and_restarts_are_flagged(values: list[float]) -> None:
    counted = delta(values)
    assert counted.energy_wh >= 0
    assert counted.lower_bound == any(b < a for a, b in pairwise(values))


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
