"""An operator's override wins within one cycle, and is sticky until it is released or has run out."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import Origin
from igoudar.control.actuation.overrides import Overrides
from igoudar.core.errors import CommandError

from .wishes import HOUR, RATE, rate, settle, submit, turn


async def hold(rooms: Any, plant: Any, value: float = 10.0, until: timedelta = HOUR, who: str = "ada") -> Any:
    now = plant.clock.now()
    wish = rooms.hands.wish(*RATE, value, now + until, who, "maintenance", now)
    return await rooms.hands.override(wish, now)


async def test_line_18_it_wins_at_once_and_the_plan_does_not_come_back(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    await submit(loop, rate(plant.clock.now(), 60.0))
    await turn(loop, plant)
    assert (await hold(rooms, plant)).result == Success(10.0)
    for number in range(5):
        await turn(loop, plant)
        (plan,) = await submit(loop, rate(plant.clock.now(), 60.0, command_id=f"plan-{number}"))
        (event,) = await submit(
            loop, rate(plant.clock.now(), 70.0, command_id=f"event-{number}", origin=Origin.EVENT)
        )
        assert plan.result == event.result == Rejected("overridden")
    assert [write.value for write in plant.writes] == [60.0, 10.0]
    assert plant.authorities[-1].overrides[0][:2] == RATE


async def test_line_18_it_is_renewed_before_the_device_gives_it_up(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    await hold(rooms, plant)
    await turn(loop, plant, 12, seconds=60)
    kept = [write for write in plant.writes if write.value == 10.0]
    assert len(kept) > 2
    assert {write.origin for write in kept} == {"override"}
    ends = [write.expires_at for write in kept]
    assert all(after > before for before, after in pairwise(ends))


async def test_line_18_it_survives_a_restart(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    await hold(rooms, plant)
    (row,) = Overrides.open(rooms.records, plant.clock.now()).points()
    assert (row.target, row.point, row.value, row.who, row.reason) == (*RATE, 10.0, "ada", "maintenance")


async def test_line_18_released_the_plan_has_the_point_again(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    await hold(rooms, plant)
    rooms.hands.release(*RATE, "bob", "done", plant.clock.now())
    await turn(loop, plant)
    assert plant.authorities[-1].overrides == ()
    (plan,) = await submit(loop, rate(plant.clock.now(), 60.0))
    assert plan.result == Success(60.0)
    verbs = [(row.who, row.verb) for row in rooms.records.actions(target="battery-1")]
    assert ("bob", "override_release") in verbs


async def test_line_18_it_ends_by_itself_and_says_so(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    await hold(rooms, plant, until=timedelta(minutes=10))
    await turn(loop, plant, 11, seconds=60)
    assert rooms.hands.overrides() == []
    assert rooms.records.actions(target="battery-1")[0].verb == "override_expired"


async def test_line_18_a_device_that_fails_is_held_all_the_same(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    plant.refuses = "it reads back as 100"
    with pytest.raises(CommandError, match="reads back"):
        await hold(rooms, plant)
    (plan,) = await submit(loop, rate(plant.clock.now(), 60.0))
    assert plan.result == Rejected("overridden")


async def test_line_18_nobody_overrides_beyond_the_range_or_for_ever(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await settle(loop, plant)
    with pytest.raises(CommandError, match="Out of bounds"):
        await hold(rooms, plant, 150.0)
    with pytest.raises(CommandError, match="within 7 days"):
        await hold(rooms, plant, until=timedelta(days=8))
    assert rooms.hands.overrides() == []


async def test_line_18_a_job_that_a_person_holds_is_left_alone(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    await rooms.operator.act("job-1", "hold", "ada", "maintenance", plant.clock.now(), None)
    await turn(loop, plant, 5)
    assert [verb for verb, _, _ in cluster.calls] == ["delay"]
    assert rooms.hands.overrides()[0].point == "hold"
