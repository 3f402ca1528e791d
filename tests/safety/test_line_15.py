"""The worst inlet sensor bounds cooling, not the mean."""

from typing import Any

from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import Origin

from .wishes import settle, submit, turn, water


async def test_line_15_one_hot_rack_forbids_what_the_mean_would_allow(rig: Any, plant: Any) -> None:
    loop, _ = rig
    inlets = loop.acting.executor.gate.rules.inlets
    plant.values |= {(name, "inlet_c"): 20.0 for name in inlets}
    plant.values[inlets[-1], "inlet_c"] = 26.5
    await settle(loop, plant)
    (refused,) = await submit(loop, water(plant.clock.now(), 27.0))
    assert refused.result == Rejected("inlet_high")
    (allowed,) = await submit(loop, water(plant.clock.now(), 26.4))
    assert allowed.result == Success(26.4)


async def test_line_15_one_cold_rack_forbids_colder_water(rig: Any, plant: Any) -> None:
    loop, _ = rig
    inlets = loop.acting.executor.gate.rules.inlets
    plant.values |= {(name, "inlet_c"): 25.0 for name in inlets}
    plant.values[inlets[0], "inlet_c"] = 18.5
    await settle(loop, plant)
    (refused,) = await submit(loop, water(plant.clock.now(), 25.0))
    assert refused.result == Rejected("inlet_low")


async def test_line_15_no_origin_but_safety_passes_it(rig: Any, plant: Any) -> None:
    loop, _ = rig
    inlets = loop.acting.executor.gate.rules.inlets
    plant.values |= {(name, "inlet_c"): 26.9 for name in inlets}
    await settle(loop, plant)
    now = plant.clock.now()
    wishes = [
        water(now, 30.0, command_id=origin.value, origin=origin, approved_by=("ada",))
        for origin in (Origin.OVERRIDE, Origin.EVENT, Origin.OPERATOR, Origin.PLAN)
    ]
    outcomes = await submit(loop, *wishes)
    assert [outcome.result for outcome in outcomes] == [Rejected("inlet_high")] * 4
    await turn(loop, plant)
    assert plant.writes == []
