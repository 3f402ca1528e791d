import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.kpi.renewable import Quarter, Stock, renewable_share, shares, step

energy = st.floats(0, 1e9)


@given(energy, energy, energy, energy, energy, energy, st.floats(0, 1))
def test_share_is_a_ratio_and_stock_never_negative(
    generation: float,
    imported: float,
    export: float,
    charge: float,
    discharge: float,
    total: float,
    part: float,
) -> None:
    quarter = Quarter(generation, imported, min(export, generation), charge, discharge)
    share = step(quarter, Stock(total, total * part))
    assert share.ratio is None or 0 <= share.ratio <= 1 + 1e-9
    assert 0 <= share.stock.renewable_wh <= share.stock.total_wh * (1 + 1e-9)


def test_sun_only_is_all_renewable() -> None:
    assert step(Quarter(10, 0, 2, 0, 0), Stock()).ratio == pytest.approx(1)


def test_battery_charged_by_sun_carries_it_into_the_night() -> None:
    day = Quarter(generation_wh=100, import_wh=0, export_wh=0, charge_wh=40, discharge_wh=0)
    night = Quarter(generation_wh=0, import_wh=20, export_wh=0, charge_wh=0, discharge_wh=20)
    steps = shares([day, night], Stock())
    assert steps[1] is not None
    assert steps[1].ratio == pytest.approx(0.5)
    assert renewable_share(steps) == pytest.approx((60 + 20) / 100)


def test_battery_charged_from_the_grid_is_not_renewable() -> None:
    charge = Quarter(generation_wh=0, import_wh=50, export_wh=0, charge_wh=40, discharge_wh=0)
    night = Quarter(generation_wh=0, import_wh=0, export_wh=0, charge_wh=0, discharge_wh=20)
    assert renewable_share(shares([charge, night], Stock())) == 0


def test_unmetered_steps_are_left_out() -> None:
    sunny = Quarter(10, 0, 0, 0, 0)
    assert renewable_share(shares([None, sunny, None], Stock())) == pytest.approx(1)
    assert renewable_share([None]) is None
