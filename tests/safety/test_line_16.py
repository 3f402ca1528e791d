"""Temperature changes no faster than the equipment bears, and stays in its ASHRAE class."""

from dataclasses import replace
from typing import Any

import pytest

from igoudar.collectors.results import Rejected, Success
from igoudar.core.control_tables.guard import GuardTable, guarding

from .wishes import settle, submit, turn, water

FIGURES = {"recommended": (18.0, 27.0), "A1": (15.0, 32.0), "A2": (10.0, 35.0)}  # CONTROL_SAFETY.md, line 16


@pytest.mark.parametrize(("word", "inlet_c"), list(FIGURES.items()))
def test_line_16_the_classes_are_ashraes(word: Any, inlet_c: tuple[float, float]) -> None:
    assert guarding(GuardTable(thermal_class=word)).inlet_c == inlet_c
    assert guarding(GuardTable(tape=True)).ramp_c_per_h == 5.0
    assert guarding(GuardTable()).ramp_c_per_h == 20.0


async def test_line_16_steps_add_up_within_the_hour_and_are_free_again_after_it(rig: Any, plant: Any) -> None:
    loop, _ = rig
    gate = loop.acting.executor.gate
    slow = replace(gate.rules.guarding, ramp_c_per_h=5.0, inlet_c=(0.0, 60.0))
    gate.rules = replace(gate.rules, guarding=slow, inlet_limit_c=60.0)
    await settle(loop, plant)
    for value, expected in ((28.5, Success(28.5)), (31.0, Success(31.0)), (31.5, Rejected("too_fast"))):
        await turn(loop, plant, 1, seconds=300)
        (outcome,) = await submit(loop, water(plant.clock.now(), value))
        assert outcome.result == expected
    await turn(loop, plant, 2, seconds=2400)
    (outcome,) = await submit(loop, water(plant.clock.now(), 31.5, command_id="an hour later"))
    assert outcome.result == Success(31.5)
