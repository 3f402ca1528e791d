"""Actuation is idempotent by command id: at the executor, over a restart, and for proposals."""

import asyncio
from typing import Any

from igoudar.collectors.results import Rejected, Success
from igoudar.control.acting_setup import earlier
from igoudar.control.actuation.command import ActuatorClass

from .wishes import HOUR, rate, settle, submit, turn


async def test_line_23_the_same_command_reaches_the_wire_once(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    command = rate(plant.clock.now())
    first = await submit(loop, command)
    at_once = await asyncio.gather(*(submit(loop, command) for _ in range(5)))
    await turn(loop, plant, 10, seconds=60)
    later = await submit(loop, command)
    assert all(found[0].result == first[0].result == Success(40.0) for found in (*at_once, later))
    assert [write.command_id for write in plant.writes] == [command.command_id]


async def test_line_23_a_refusal_is_settled_too(rig: Any, plant: Any) -> None:
    loop, _ = rig
    await settle(loop, plant)
    command = rate(plant.clock.now(), 150.0)
    (first,) = await submit(loop, command)
    (again,) = await submit(loop, command)
    assert first is again


async def test_line_23_an_earlier_life_of_the_process_counts(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    command = rate(plant.clock.now())
    await submit(loop, command)
    assert command.command_id in earlier(rooms.records)
    anew = loop.acting.executor
    anew._settled.clear()
    anew.carried_before(earlier(rooms.records))
    (outcome,) = await submit(loop, command)
    assert outcome.result == Rejected("repeated")
    assert len(plant.writes) == 1


async def test_line_23_jobs_too(rig: Any, plant: Any, cluster: Any) -> None:
    loop, _ = rig
    loop.modes.change("observe", "ada", "nobody else steers", plant.clock.now())
    cluster.add("job-1")
    await turn(loop, plant)
    loop.modes.change("auto", "ada", "now", plant.clock.now())
    now = plant.clock.now()
    command = rate(
        now, actuator=ActuatorClass.JOBS, target="job-1", point="delay", value=None, until=now + HOUR
    )
    await submit(loop, command)
    await submit(loop, command)
    assert [call[:2] for call in cluster.calls] == [("delay", "job-1")]
