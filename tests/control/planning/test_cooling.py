"""Cooling that gives way: envelope, ramp and tank hold, cold is conserved, the bound stays one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.planning.kept import Kept, rows_of_a_day
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period

from igoudar.control.planning.cooling import feasible, saved_w
from igoudar.control.planning.plan.cooling import CoolingTerm
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.policy import Ceiling, Cooling, CoolingOrder, Limits, Orders, View
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import Played, play
from igoudar.lab.events import Announced
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period

WARM = Cooling(per_k=0.0058, warmer_k=3.0, least_pue=1.03)
TANK = replace(WARM, tank_wh=8e3, tank_w=2e3, loss_per_h=0.005)
PLAIN = replace(LIMITS, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0, peak_price_per_mw=0.0)
CALM_THEN_WIND = [0] * 12 + [150_000] * 12


class Fickle:
    """Asks for anything."""

    name = "fickle"

    def __init__(self, seed: int) -> None:
        self.chance = np.random.default_rng(seed)

    def decide(self, view: View) -> Orders:
        wish = CoolingOrder(self.chance.uniform(-5, 9), self.chance.uniform(-5e3, 5e3))
        return Orders(view.active[:0], cooling=wish)


def day_of(rows: list[tuple[int, int, int, int]], hourly_w: list[int]) -> Period:
    inside = [row for row in rows if row[1] + row[2] <= STEPS] or [(1, 0, 1, 0)]
    return period(job_table(inside), np.repeat(np.array(hourly_w, float), 4))


def cost(played: Played, limits: Limits) -> float:
    imported = played.site["import_w"]
    missing_wh = max(0.0, 0.5 * limits.battery_wh - played.site["soc_wh"][-1]) / limits.efficiency
    energy_mwh = (float(imported.sum()) / 4.0 + missing_wh) / 1e6
    return limits.price_per_mwh * energy_mwh + limits.peak_price_per_mw * float(imported.max()) / 1e6


def check_cooling(played: Played, cooling: Cooling, pue: float = 1.08) -> None:
    """Inside envelope, ramp and tank; the overhead is the plain one less what was saved and taken out."""
    site = played.site
    warm = np.array([one.warmer_k for one in played.cold])
    held = np.array([one.tank_wh for one in played.cold])
    assert (warm >= 0.0).all()
    assert (warm <= cooling.warmer_k + 1e-9).all()
    assert np.abs(np.diff(warm, prepend=0.0)).max() <= cooling.ramp_k_per_h / 4 + 1e-9
    assert (held >= 0.0).all()
    assert (held <= cooling.tank_wh + 1e-6).all()
    it_w = site["urgent_w"] + site["flexible_w"]
    left = np.concatenate([[0.0], held[:-1]]) * (1.0 - cooling.loss_per_h) ** 0.25
    tank_w = (left - held) * 4.0
    saved = np.minimum(cooling.per_k * warm, pue - cooling.least_pue) * it_w
    assert site["cooling_w"] == pytest.approx((pue - 1.0) * it_w - saved - tank_w, abs=1e-3)
    assert (np.abs(tank_w) <= cooling.tank_w + 1e-6).all()
    assert (site["cooling_w"] >= (cooling.least_pue - 1.0) * it_w - 1e-3).all()
    came = site["pv_w"] + site["wind_w"] - site["curtailed_w"] + site["import_w"] + site["battery_w"]
    assert came == pytest.approx(it_w + site["cooling_w"] + site["export_w"], abs=1e-3)
    assert site["pue"] == pytest.approx(1.0 + site["cooling_w"] / it_w)


def test_a_site_whose_cooling_stands_has_the_plain_program() -> None:
    plain, given_way = PlanModel(LIMITS, Grid.of(), 3), PlanModel(replace(LIMITS, cooling=WARM), Grid.of(), 3)
    assert plain.terms == ()
    assert plain.relief == []
    assert np.array_equal(plain.columns.missing, given_way.columns.missing)


def test_the_supply_is_warmer_while_power_is_imported_and_goes_back_on_surplus() -> None:
    limits = replace(PLAIN, cooling=WARM)
    day = day_of([(1, 0, 1, 0)], CALM_THEN_WIND)
    played, plain = (
        play(day, limits, Rolling(limits), knows(day)),
        play(day, PLAIN, Rolling(PLAIN), knows(day)),
    )
    warm = np.array([one.warmer_k for one in played.cold])
    assert warm[4:44] == pytest.approx(3.0)
    assert warm[52:] == pytest.approx(0.0)
    spared = plain.site["import_w"][4:44] - played.site["import_w"][4:44]
    assert spared == pytest.approx(0.0058 * 3.0 * 20e3, rel=0.06)
    check_cooling(played, WARM)


def test_cold_is_made_on_surplus_and_used_in_the_calm() -> None:
    limits = replace(PLAIN, cooling=TANK)
    day = day_of([(1, 0, 1, 0)], [150_000] * 8 + [0] * 16)
    played = play(day, limits, Rolling(limits), knows(day))
    held = np.array([one.tank_wh for one in played.cold])
    assert held[28:32].max() > 0.9 * TANK.tank_wh
    assert held[-1] < 0.2 * TANK.tank_wh
    check_cooling(played, TANK)
    warm = replace(PLAIN, cooling=WARM)
    only_warm = play(day, warm, Rolling(warm), knows(day))
    assert cost(played, PLAIN) < cost(only_warm, PLAIN)
    assert bound(day, limits).cost <= cost(played, PLAIN) + 1e-6
    assert bound(day, limits).cost < bound(day, warm).cost - 0.1


def test_cold_is_made_before_a_limit_on_the_facility() -> None:
    limits = replace(PLAIN, cooling=TANK, ceilings=True)
    one = Ceiling("facility", 40 * 900.0, 52 * 900.0, 20_700.0)  # 21.6 kW of load, 0.35 kW by setpoint
    day = replace(day_of([(1, 0, 1, 0)], [0] * 24), limits=(Announced(one, 0.0),))
    played = play(day, limits, Rolling(limits), knows(day))
    facility_w = played.site["urgent_w"] + played.site["flexible_w"] + played.site["cooling_w"]
    assert facility_w[40:52].max() <= 20_700.0 + 1.0
    assert facility_w[:40].max() > 21_600.0
    check_cooling(played, TANK)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([WARM, TANK, replace(TANK, ramp_k_per_h=5.0)]))
def test_whatever_is_asked_the_plant_stays_inside(seed: int, cooling: Cooling) -> None:
    day = day_of([(1, 0, 1, 0)], CALM_THEN_WIND)
    check_cooling(play(day, replace(PLAIN, cooling=cooling), Fickle(seed)), cooling)


@given(
    st.floats(-10, 10),
    st.floats(-1e4, 1e4),
    st.floats(0, 1e6),
    st.floats(1, 1.5),
    st.floats(0, 3),
    st.floats(0, 8e3),
)
def test_what_is_feasible_never_takes_more_than_the_overhead(
    warmer_k: float, tank_w: float, it_w: float, pue: float, was_k: float, tank_wh: float
) -> None:
    done = feasible(TANK, CoolingOrder(warmer_k, tank_w), it_w, pue, was_k, tank_wh)
    relief_w = saved_w(TANK, done, it_w, pue) + max(0.0, done.tank_w)
    assert relief_w <= max(0.0, pue - TANK.least_pue) * it_w + 1e-6


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows_of_a_day, st.lists(st.integers(0, 120_000), min_size=24, max_size=24))
def test_every_plan_conserves_cold_and_none_beats_the_bound(
    rows: list[tuple[int, int, int, int]], hourly_w: list[int]
) -> None:
    limits = replace(LIMITS, cooling=TANK)
    day = day_of(rows, hourly_w)
    policy = Kept(limits)
    played = play(day, limits, policy, knows(day))
    check_cooling(played, TANK)
    best = bound(day, limits)
    assert best.cost <= cost(played, limits) + 1e-6
    assert best.cost <= bound(day, LIMITS).cost + 1e-6
    model = policy._model
    (term,) = (term for term in model.terms if isinstance(term, CoolingTerm))
    for solved in policy.solved[::12]:
        for course in range(model.courses):
            at = {name: solved.value[getattr(term, name)[course]] for name in ("warm", "out", "into", "held")}
            it_mw = solved.value[model.columns.flexible[course]] + 0.02
            assert (at["warm"] <= 0.0058 * 3.0 * it_mw + 1e-6).all()
            assert (at["warm"] + at["out"] <= 0.05 * it_mw + 1e-6).all()
            hours, kept = model.grid.hours, 0.995**model.grid.hours
            after = kept[1:] * at["held"][:-1] + hours[1:] * (at["into"] - at["out"])[1:]
            assert at["held"][1:] == pytest.approx(after, abs=1e-6)
