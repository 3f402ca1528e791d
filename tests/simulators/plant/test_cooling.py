"""Free cooling: what it takes, and what happens when it is not enough."""

import numpy as np
import pytest

from igoudar.core.model import Site
from igoudar.simulators.plant.chillers import WATER_C, Chillers, chiller_cop
from igoudar.simulators.plant.cooling import AIR_SUPPLY_C, Cooling, affinity, outdoor_c
from igoudar.simulators.plant.weather import Conditions

MILD = Conditions(0.5, 0.5, 8.0, 500.0, 500.0, 15.0, 70.0, 12.0, 101.3, 5.0, 30.0)
WARM = MILD._replace(ambient_c=27.0, wet_bulb_c=22.0)
SPELL = MILD._replace(ambient_c=41.0, humidity_pct=15.0, wet_bulb_c=21.0)


def cooled(site: Site, sky: Conditions, load: float = 0.7, hours: float = 2.0) -> Cooling:
    return settled(Cooling(site), site, sky, load, hours)


def settled(made: Cooling, site: Site, sky: Conditions, load: float = 0.7, hours: float = 2.0) -> Cooling:
    racks = np.array([rack.peak_w * load for rack in site.racks])
    for _ in range(int(hours * 60)):
        made.carry(racks, sky)
        made.run(60.0)
    return made


def test_no_compressor_runs_when_it_is_mild(site: Site) -> None:
    made = cooled(site, MILD)
    assert made.powers.chillers < 0.001 * 8 * 132e3
    assert made.air_c == pytest.approx(AIR_SUPPLY_C)
    assert made.free_cooling_state == 2.0
    assert cooled(site, MILD._replace(ambient_c=19.0)).free_cooling_state == 1.0
    assert cooled(site, SPELL).free_cooling_state == 0.0


def test_warm_air_costs_more_and_wet_pads_help(site: Site) -> None:
    assert cooled(site, WARM).powers.total > 1.1 * cooled(site, MILD).powers.total
    assert outdoor_c(MILD) == 15.0
    assert outdoor_c(WARM) == pytest.approx(27.0 - 0.6 * 5.0)
    assert outdoor_c(SPELL) < 30.0


def test_without_chillers_a_hot_spell_warms_the_aisle(site: Site) -> None:
    made = Cooling(site)
    for unit in made.chillers.units.values():
        unit.enabled = False
    settled(made, site, SPELL)
    assert made.powers.chillers == 0.0
    assert made.unmet_w > 0.0
    assert made.air_c > AIR_SUPPLY_C + 3.0


def test_pumps_and_fans_follow_the_cube(site: Site) -> None:
    assert affinity(0.5) == 0.125
    full, half = cooled(site, MILD, 1.0), cooled(site, MILD, 0.5)
    assert half.powers.cdu_pumps == pytest.approx(full.powers.cdu_pumps / 8.0)


def test_a_colder_liquid_than_the_loop_gives_can_not_be_had(site: Site) -> None:
    made = Cooling(site)
    made.cdu_setpoint_c[:] = 20.0
    racks = np.array([rack.peak_w for rack in site.racks])
    for _ in range(120):
        made.carry(racks, MILD)
        made.run(60.0)
    assert float(made.liquid_c[0]) == pytest.approx(made.supply_c + 4.0, abs=0.1)


def test_chillers_share_by_what_each_may_lift() -> None:
    made = Chillers(1e6, {"a": 0.5, "b": 0.5})
    made.units["b"].demand_limit_pct = 50.0
    assert made.lift(600e3, 30.0) == pytest.approx(600e3)
    assert made.units["a"].heat_w == pytest.approx(400e3)
    assert made.lift(2e6, 30.0) == pytest.approx(750e3)
    assert made.power_w == pytest.approx(750e3 / chiller_cop(30.0 + 12.0 - 19.0 + 4.0))


def warmer(site: Site, sky: Conditions, water_c: float) -> Cooling:
    """The plant once its chilled water has stood at `water_c` for two hours."""
    made = Cooling(site)
    for unit in made.chillers.units.values():
        unit.setpoint_c = water_c
    return settled(made, site, sky)


def test_warmer_water_spares_compressors_and_warms_the_aisle_by_as_much(site: Site) -> None:
    fair = MILD._replace(ambient_c=21.0)
    found, raised = warmer(site, fair, WATER_C), warmer(site, fair, WATER_C + 2.0)
    assert raised.powers.chillers < found.powers.chillers
    assert raised.free_ratio > found.free_ratio
    assert raised.air_c == pytest.approx(found.air_c + 2.0, abs=0.01)


def test_colder_water_makes_no_colder_aisle_and_warmer_water_spares_nothing_when_it_is_mild(
    site: Site,
) -> None:
    assert warmer(site, MILD, WATER_C - 4.0).air_c == pytest.approx(AIR_SUPPLY_C)
    found, raised = warmer(site, MILD, WATER_C), warmer(site, MILD, WATER_C + 2.0)
    assert raised.powers.total == pytest.approx(found.powers.total, rel=0.01)
