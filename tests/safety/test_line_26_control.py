"""A clean stop gives the plant back at once: the control side."""

from typing import Any

from igoudar.control.acting_setup import close

from .wishes import rate, settle, submit, turn


async def test_line_26_the_last_word_to_the_collector_ends_the_authority(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    await submit(loop, rate(plant.clock.now()))
    assert plant.authorities[-1].lease_s > 0
    await close(loop.acting)
    assert (plant.authorities[-1].lease_s, dict(plant.authorities[-1].modes)) == (0.0, {})


async def test_line_26_who_never_acted_has_nothing_to_end(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await close(loop.acting)
    assert plant.authorities == []


async def test_line_26_a_restart_settles_before_it_acts_again(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    gate = loop.acting.executor.gate
    gate.started_at = plant.clock.now()
    (early,) = await submit(loop, rate(plant.clock.now()))
    await turn(loop, plant, 3)
    (later,) = await submit(loop, rate(plant.clock.now(), command_id="later"))
    assert not early.sent
    assert later.sent
