"""Start-up reads the plant first and never pushes defaults: the control side."""

from typing import Any

import numpy as np

from igoudar.collectors.results import Rejected
from igoudar.control.actuation.command import Origin
from tests.control.test_plan_service import plan_of

from .wishes import rate, submit, turn


def keeping(at: Any) -> Any:
    """A plan that imports although the battery could give."""
    powers = plan_of(at).powers | {"import_w": np.full(192, 300e3)}
    return plan_of(at, powers=powers, stored_wh=np.full(192, 550e3))


async def test_line_25_before_anything_was_read_nothing_is_sent(rig: Any, plant: Any) -> None:
    loop, _ = rig
    (plan,) = await submit(loop, rate(plant.clock.now()))
    (event,) = await submit(loop, rate(plant.clock.now(), command_id="event", origin=Origin.EVENT))
    assert plan.result == Rejected("settling")
    assert event.result == Rejected("stale_input")
    assert plant.writes == []


async def test_line_25_the_plan_waits_until_the_plant_has_settled(rig: Any, plant: Any, solver: Any) -> None:
    loop, _ = rig
    assert loop.acting.executor.gate.rules.settle_s == 60.0
    plant.powers["pv"] = plant.powers["wind"] = 0.0
    solver.made = lambda ask: keeping(ask.view.time)
    await turn(loop, plant, 1, seconds=20)
    await loop.steering.planner.settled()
    await turn(loop, plant, 1, seconds=20)
    assert plant.writes == []
    await turn(loop, plant, 3, seconds=20)
    assert [write.value for write in plant.writes] == [0.0]


async def test_line_25_a_quiet_start_writes_nothing_at_all(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await turn(loop, plant, 20)
    assert plant.writes == []
