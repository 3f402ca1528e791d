"""Stale or bad-quality input: hold, then fail safe."""

from typing import Any

from igoudar.collectors.results import Rejected
from igoudar.control.actuation.command import Origin
from igoudar.control.plan_service import InForce
from igoudar.control.planning.policy import Why

from .wishes import RATE, rate, settle, submit, turn, water


async def test_line_14_a_silent_device_is_not_driven(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    plant.dead = {"battery-1"}
    await turn(loop, plant, 10, seconds=60)
    (outcome,) = await submit(loop, rate(plant.clock.now()))
    assert outcome.result == Rejected("stale_input")
    assert plant.writes == []


async def test_line_14_forced_charge_needs_a_known_charge(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    plant.values["battery-1", "soc_pct"] = float("nan")
    await turn(loop, plant)
    (nameless,) = await submit(loop, rate(plant.clock.now(), -50.0))
    assert nameless.result == Rejected("stale_input")
    plant.dead = {"battery-1"}
    await turn(loop, plant, 10, seconds=60)
    (blind,) = await submit(loop, rate(plant.clock.now(), -60.0))
    assert blind.result == Rejected("stale_input")


async def test_line_14_one_lost_inlet_sensor_allows_no_warmer_water(rig: Any, plant: Any, lab: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    plant.dead = {loop.acting.executor.gate.rules.inlets[0]}
    await turn(loop, plant, 10, seconds=60)
    warmer, colder = await submit(loop, water(plant.clock.now(), 28.0), water(plant.clock.now(), 25.0))
    assert warmer.result == Rejected("stale_input")
    assert colder.sent


async def test_line_14_what_stands_is_held_then_given_back(rig: Any, plant: Any, lab: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant, orders=True)
    await submit(loop, rate(plant.clock.now(), 20.0))
    plant.dead = {device.name for device in lab.meters["pv"]}
    await turn(loop, plant, 4)
    assert [write.value for write in plant.writes] == [20.0]
    await turn(loop, plant, 16)
    last = plant.writes[-1]
    assert (last.device, last.point) == RATE
    assert (last.value, last.origin) == (100.0, Origin.SAFETY)
    row = next(row for row in rooms.records.actions() if row.target == "battery-1")
    assert row.code == "plant.let_go"


async def test_line_14_without_a_plan_the_battery_has_its_own_rule(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant, orders=True)
    await turn(loop, plant, 5)
    assert isinstance(loop.steering.in_force(plant.clock.now(), None), InForce)
    assert loop.steering.in_force(plant.clock.now(), None).why == Why("control.no_scheduler")
    assert plant.writes == []
