from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.policy import Limits, View
from igoudar.control.planning.table import Fleet, JobTable
from igoudar.lab.match import Profiles, Sizes, match_of_sizes, match_of_tables
from igoudar.lab.power import HOURS, balance, charge_after_wh, feasible_battery_w
from igoudar.lab.summary import CONSUMERS, Tariff

LIMITS = Limits(800, 2e3, 1.6e6, 4e6, 0.5e6, battery_wh=2e6, battery_w=0.5e6, soc_max_wh=2e6)
NO_JOBS = JobTable((), *(np.zeros(0) for _ in range(9)))
VIEW = View(
    *(0, 0.0, datetime(2025, 1, 6, tzinfo=UTC), 900.0, LIMITS, NO_JOBS, Fleet.fresh(0)),
    *(np.zeros(0, np.int64), 0.0, 0.0, 0.0, 1.08, 1e6, 0.0),
)
watts = st.floats(0, 5e6)


@given(pv=watts, wind=watts, load=watts, soc=st.floats(0, 2e6), ordered=st.none() | st.floats(-1e6, 1e6))
def test_every_step_closes_inside_its_limits(pv, wind, load, soc, ordered):
    closed = balance(replace(VIEW, pv_w=pv, wind_w=wind, soc_wh=soc), load, ordered)
    supplied = pv + wind - closed.curtailed_w + closed.import_w + closed.battery_w
    assert supplied == pytest.approx(load + closed.export_w, abs=1e-3)
    assert closed.import_w == 0.0 or closed.export_w == closed.curtailed_w == 0.0
    assert -1e-6 <= closed.soc_wh <= 2e6 + 1e-6
    assert abs(closed.battery_w) <= 0.5e6
    assert 0 <= closed.export_w <= 0.5e6
    assert min(closed.import_w, closed.curtailed_w) >= 0


@given(soc=st.floats(0, 2e6), wanted=st.floats(-1e6, 1e6))
def test_the_battery_loses_on_both_ways(soc, wanted):
    power = feasible_battery_w(LIMITS, soc, wanted)
    moved = soc - charge_after_wh(LIMITS, soc, power)
    expected = power * HOURS / 0.95 if power > 0 else power * HOURS * 0.95
    assert moved == pytest.approx(expected, abs=1e-3)


def stepwise(surplus, battery_wh, battery_w):
    """The engine's own balance, step after step: net power and the charge at the end."""
    limits = replace(
        LIMITS, battery_wh=battery_wh, battery_w=battery_w, soc_max_wh=battery_wh, export_limit_w=1e12
    )
    soc, net = battery_wh / 2, []
    for value in surplus:
        view = replace(VIEW, limits=limits, pv_w=max(0.0, value), soc_wh=soc)
        closed = balance(view, max(0.0, -value), None)
        net.append(closed.export_w - closed.import_w)
        soc = closed.soc_wh
    return np.array(net), soc


@given(st.lists(st.floats(-2e6, 2e6), min_size=8, max_size=24), st.floats(1e4, 4e6))
def test_the_fast_search_uses_the_engine_s_battery(surplus, battery_wh):
    values = np.array(surplus)
    load, pv = np.maximum(0.0, -values)[None, :] + 1.0, np.maximum(0.0, values)[None, :] + 1.0
    profiles = Profiles(load, pv / 2e6, np.zeros_like(pv), np.ones(1))
    one = np.ones(1)
    sizes = Sizes(2e6 * one, 0 * one, battery_wh * one, battery_wh / 4 * one)
    net, soc = stepwise(values, battery_wh, battery_wh / 4)
    hourly = np.pad(net, (0, -len(net) % 4)).reshape(-1, 4).sum(axis=1) * HOURS
    unmet = np.maximum(0, -hourly).sum() + max(0.0, battery_wh / 2 - soc) / 0.95
    assert match_of_sizes(profiles, sizes, 0.95)[0] == pytest.approx(
        1 - unmet / (load.sum() * HOURS), abs=1e-6
    )


def test_a_surplus_of_one_hour_earns_nothing_in_another():
    columns = {name: [0.0] * 8 for name in ("import_w", "export_w", "curtailed_w", "soc_wh", *CONSUMERS)}
    columns |= {
        "urgent_w": [4.0] * 8,
        "import_w": [4.0, 0, 0, 0] + [0.0] * 4,
        "export_w": [0, 1, 1, 1] + [9.0] * 4,
    }
    tariff = Tariff([1.0], [8], 0.0, 0.95, 60.0, 0.0, 0.0)
    site = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64), strict=False)
    assert match_of_tables(site, tariff) == pytest.approx(1 - 1 / 32)
