"""A plan that may set the cooling's supply warmer: it spares import, inside its envelope, and says so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.control.planner.conftest import NOW, powers

from igoudar.control.plan_cooling import planned_k
from igoudar.control.planner.ask import Ask, Plan
from igoudar.control.planner.frame import with_warmer
from igoudar.control.planner.solve import Planner
from igoudar.control.planning.setpoint import Warmth
from igoudar.core.model_plan import WarmerSupply

SUPPLY = WarmerSupply(19.0, 22.0)
LOADS = ("urgent_w", "flexible_w", "cooling_w", "drives_w", "export_w")


def solved(ask: Ask) -> Plan:
    found = Planner({}).answer(ask)
    assert isinstance(found, Plan), found
    return found


def warmed(ask: Ask, mean_k: float = 0.0, most_k: float = SUPPLY.warmer_k) -> Ask:
    return replace(ask, view=with_warmer(ask.view, SUPPLY, Warmth(mean_k, most_k)))


def test_it_spares_import_and_is_never_warmer_than_the_envelope(ask_of: Callable[..., Ask]) -> None:
    ask = ask_of(plant=powers(0.0, 0.0))
    plain, warm = solved(ask), solved(warmed(ask))
    assert plain.warm_w is None
    assert warm.warm_w is not None
    it_w = warm.powers["urgent_w"] + warm.powers["flexible_w"]
    assert np.all(warm.warm_w <= SUPPLY.warmer_k * SUPPLY.pue_per_k * it_w + 1.0)
    assert warm.powers["import_w"].sum() < plain.powers["import_w"].sum()
    assert planned_k(warm, SUPPLY, NOW) == SUPPLY.warmer_k
    given = warm.powers["supply_p50_w"] - warm.powers["curtailed_w"]
    given = given + warm.powers["import_w"] + warm.powers["battery_w"]
    assert np.allclose(given, sum(warm.powers[name] for name in LOADS), atol=1e3)


def test_it_reckons_with_no_more_than_the_inlets_leave(ask_of: Callable[..., Ask]) -> None:
    warm = solved(warmed(ask_of(plant=powers(0.0, 0.0)), most_k=0.5))
    assert planned_k(warm, SUPPLY, NOW) == 0.5


def test_while_wind_and_sun_are_spare_it_stays_as_found(ask_of: Callable[..., Ask]) -> None:
    warm = solved(warmed(ask_of(plant=powers(600e3, 900e3, it_w=200e3), soc_pct=95.0)))
    assert planned_k(warm, SUPPLY, NOW) == 0.0


def test_what_it_stood_warmer_is_taken_out_of_the_days_overhead(ask_of: Callable[..., Any]) -> None:
    ask = ask_of()
    assert warmed(ask, 2.0).view.pue == pytest.approx(ask.view.pue + 2.0 * SUPPLY.pue_per_k)
    assert warmed(ask).view.pue == ask.view.pue
