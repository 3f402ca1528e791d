"""Reserve for wind that falls short: kept in charge, power or load that can wait, or named as short."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.planning.kept import Kept
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period

from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.reserve import HOLD_H, Reserve
from igoudar.control.planning.policy import Band, Forecast
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import Forecaster, play
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period

KEPT_W, MUCH_W = 10e3, 30e3
PEAKS = replace(LIMITS, charge_due_wh=0.0)
CHEAP = replace(LIMITS, peak_price_per_mw=0.0, charge_due_wh=0.0)


def calm(rows: list[tuple[int, int, int, int]] | None = None, supply_w: float = 0.0) -> Period:
    return period(job_table(rows or [(1, 0, 1, 0)]), np.full(STEPS, supply_w))


def unsure(day: Period, gap_w: float) -> Forecaster:
    """A forecast whose wind may be short by `gap_w`."""
    sure = knows(day)

    def issue(step: int) -> Forecast:
        given = sure(step)
        wind = Band(given.wind.p50_w - gap_w, given.wind.p50_w, given.wind.p90_w)
        return replace(given, wind=wind)

    return issue


def test_a_plan_without_reserve_is_the_plain_program() -> None:
    plain, kept = PlanModel(LIMITS, Grid.of(), 3), PlanModel(replace(LIMITS, reserve_w=1.0), Grid.of(), 3)
    assert plain.terms == ()
    assert np.array_equal(plain.columns.missing, kept.columns.missing)
    assert kept.size > plain.size


def test_the_battery_is_not_emptied_below_the_reserve() -> None:
    day = replace(calm(), wind_w=np.repeat([25e3, 0.0], STEPS // 2))
    soc = {}
    for kept_w in (0.0, MUCH_W):
        limits = replace(PEAKS, reserve_w=kept_w)
        soc[kept_w] = play(day, limits, Rolling(limits), knows(day)).site["soc_wh"]
    least_wh = MUCH_W * HOLD_H / LIMITS.efficiency
    assert soc[MUCH_W].min() >= least_wh - 1.0
    assert soc[0.0].min() < least_wh - 1e3


def test_the_reserve_follows_what_the_wind_may_lack() -> None:
    day = replace(calm(), wind_w=np.repeat([25e3, 0.0], STEPS // 2))
    least = []
    for share in (0.0, 2.0):
        limits = replace(PEAKS, reserve_share=share)
        least.append(play(day, limits, Rolling(limits), unsure(day, 24e3)).site["soc_wh"].min())
    kept_wh = 2.0 * 24e3 * HOLD_H / LIMITS.efficiency
    assert least[1] >= kept_wh - 1.0
    assert least[0] < kept_wh - 5e3


def test_load_that_can_wait_is_reserve_too() -> None:
    limits = replace(CHEAP, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0, reserve_w=KEPT_W)
    day = calm([(20, 0, 40, 40)], 80e3)
    policy = Kept(limits)
    play(day, limits, policy, knows(day))
    term = reserve_of(policy)
    assert policy.solved[4].value[term.load[0, 0]] == pytest.approx(KEPT_W / 1e6)
    assert policy.said[4] == ()


def test_what_nothing_can_keep_is_named_with_its_amount() -> None:
    limits = replace(CHEAP, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0, reserve_w=KEPT_W)
    policy = Kept(limits)
    play(calm(), limits, policy, knows(calm()))
    (why,) = policy.said[10]
    assert why.code == "planner.gave_way_reserve"
    assert why.params == {"power_w": pytest.approx(KEPT_W), "hours": pytest.approx(6.0)}


def reserve_of(policy: Rolling) -> Reserve:
    (term,) = policy._model.terms
    assert isinstance(term, Reserve)
    return term


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 60), st.integers(1, 16), st.integers(0, 40)),
        min_size=1,
        max_size=10,
    ),
    st.lists(st.integers(0, 120_000), min_size=24, max_size=24),
    st.floats(1e3, 60e3),
)
def test_every_plan_keeps_the_reserve_or_counts_what_is_short(
    rows: list[tuple[int, int, int, int]], hourly_w: list[int], kept_w: float
) -> None:
    inside = [row for row in rows if row[1] + row[2] <= STEPS] or [(1, 0, 1, 0)]
    day = replace(calm(inside), wind_w=np.repeat(np.array(hourly_w, float), 4))
    limits = replace(LIMITS, reserve_w=kept_w)
    policy = Kept(limits)
    played = play(day, limits, policy, knows(day))
    missing_wh = max(0.0, 0.5 * limits.battery_wh - played.site["soc_wh"][-1]) / limits.efficiency
    energy_mwh = (float(played.site["import_w"].sum()) / 4 + missing_wh) / 1e6
    cost = 60.0 * energy_mwh + 600.0 * float(played.site["import_w"].max()) / 1e6
    assert bound(day, limits).cost <= cost + 1e-6
    term, columns = reserve_of(policy), policy._model.columns
    for solved in policy.solved[::12]:
        for course in range(policy._model.courses):
            at = {name: solved.value[getattr(columns, name)[course, :24]] for name in NAMES}
            battery = np.minimum(
                limits.battery_w / 1e6 - at["discharge"] + at["charge"],
                at["stored"] * limits.efficiency / HOLD_H,
            )
            kept = battery + at["flexible"] + solved.value[term.short[course, :24]]
            assert (kept >= kept_w / 1e6 - 1e-6).all()


NAMES = ("discharge", "charge", "stored", "flexible")
