"""The test vectors of the KPI definitions: own calculations in consistent units."""

import pytest

from igoudar.control.kpi import carbon, counters, pue, water


def test_vector_1_plain_pue() -> None:
    assert pue.pue(1_314_000, 1_095_000) == pytest.approx(1.2)


def test_vector_2_all_carriers_count() -> None:
    facility = 500_000e3 + 80_200e3 + pue.fuel_energy_wh("diesel_l", 2000)
    assert facility == pytest.approx(600_000e3)
    assert pue.pue(facility, 480_000e3) == pytest.approx(1.25)


def test_vector_3_sums_before_ratios() -> None:
    assert pue.pooled_pue([(120, 100), (75, 50)]) == pytest.approx(1.3)


def test_vector_5_partial_pue() -> None:
    assert pue.partial_pue(400, [60, 20]) == pytest.approx(1.2)


def test_vector_6_water() -> None:
    assert water.wue(450_000, 1_250_000e6) == pytest.approx(0.36)


def test_vector_9_carbon() -> None:
    emitted_g = carbon.emissions_g([(400e6, 551), (200e6, 0)])
    assert emitted_g == pytest.approx(220.4e6)
    assert carbon.cue(emitted_g, 500e6) == pytest.approx(0.4408)


def test_vector_11_one_job() -> None:
    running_g = carbon.operational_g(10e3, 1.25, 551)
    embodied_g = carbon.embodied_g(1_500e3, 10 * 3600, 43_800 * 3600, 1 / 8)
    assert running_g == pytest.approx(6_887.5)
    assert embodied_g == pytest.approx(42.81, abs=0.005)
    assert running_g + embodied_g == pytest.approx(6_930.31, abs=0.005)


def test_vector_13_counter_and_its_restart() -> None:
    wh = [value / 1e3 / counters.JOULES_PER_WH for value in (7_200_000_000, 7_560_000_000, 90_000_000)]
    first = counters.delta(wh[:2])
    assert first.energy_wh == pytest.approx(100)
    assert not first.lower_bound
    assert first.energy_wh / (1_200 / 3600) == pytest.approx(300)
    after = counters.delta(wh[1:])
    assert after.energy_wh == pytest.approx(25)
    assert after.lower_bound


def test_vector_15_uncertainty() -> None:
    assert pue.pue_limits(1.2, 0.5) == pytest.approx(0.0085, abs=5e-5)
    assert pue.pue_expanded_uncertainty(1.2, 0.5) == pytest.approx(0.0098, abs=5e-5)
    assert pue.pue_limits(1.2, 0.5, transformer_pct=0.5) == pytest.approx(0.0120, abs=5e-5)


@pytest.mark.parametrize("ratio", [pue.pue, carbon.cue, water.wue])
def test_no_it_energy_is_no_value(ratio: object) -> None:
    assert callable(ratio)
    assert ratio(1.0, 0.0) is None
