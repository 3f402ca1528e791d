"""A hold or a pause whose row can't be read: nobody else moves the point, and the job runs again."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.control.actuation.test_pauses import paused
from tests.control.test_loop import cycles, rig, solver
from tests.safety.wishes import RATE, rate

from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.overrides import HOLD, Overrides
from igoudar.control.demand_response.keeping import paused_jobs
from igoudar.control.records.safety_tables import OverrideRow, SuspendRow
from igoudar.control.records.state import Records
from igoudar.core.errors import StoreError
from igoudar.core.model import JobState

__all__ = ["rig", "solver"]
HOUR = timedelta(hours=1)
NO_TEXT = "CAST(x'7bff' AS TEXT)"
HELD = [
    f"who = {NO_TEXT}",
    "value = 'x'",
    "at = 'noon'",
    "until = '2026-'",
    "until = x'00'",
    "reason = x'7b'",
]
KEYS = [("overrides", "target"), ("overrides", "point"), ("suspends", "job_id")]
STANDING = [f"command_id = {NO_TEXT}", "command_id = x'7b'", "at = 'noon'", "resume_by = '2026-'"]


def spoil(records: Records, table: str, change: str) -> None:
    with records.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {change}")  # noqa: S608 - a table of ours


def alarms(rooms: Any) -> list[str]:
    return [str(one.params["rows"]) for one in rooms.desk.scene.alarms if one.code == "rows_unread"]


async def hold(rooms: Any, plant: Any) -> None:
    now = plant.clock.now()
    await rooms.hands.override(rooms.hands.wish(*RATE, 10.0, now + HOUR, "ada", "maintenance", now), now)


@pytest.mark.parametrize("damage", HELD)
async def test_a_hold_that_can_not_be_read_keeps_the_plan_off_and_is_written_no_more(
    rig: Any, plant: Any, damage: str
) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 4)
    await hold(rooms, plant)
    spoil(rooms.records, "overrides", damage)
    loop.acting.executor.gate.overrides.read(plant.clock.now())  # as a start and a takeover do
    written = len(plant.writes)
    await cycles(loop, plant, 12, seconds=60)
    (plan,) = await loop.acting.executor.submit([rate(plant.clock.now(), 60.0)], plant.clock.now())
    assert plan.result == Rejected("overridden")
    assert len(plant.writes) == written  # the device's own timer ends what stands
    assert plant.authorities[-1].overrides[0][:2] == RATE
    assert alarms(rooms) == [f"overrides {' '.join(RATE)}"]
    rooms.hands.release(*RATE, "bob", "it was for maintenance", plant.clock.now())
    assert Overrides.open(rooms.records, plant.clock.now()).listed() == []
    await cycles(loop, plant, 1)
    (plan,) = await loop.acting.executor.submit([rate(plant.clock.now(), 50.0)], plant.clock.now())
    assert plan.result == Success(50.0)


async def test_other_holds_stand_and_one_that_is_over_holds_nobody_off(rig: Any, plant: Any) -> None:
    _, rooms = rig
    now = plant.clock.now()
    ends = {"one": now + HOUR, "two": now + HOUR, "three": now - HOUR, "four": now + HOUR}
    rows = [
        OverrideRow(target="cdu-1", point=point, value=1.0, at=now - HOUR, until=until, who="ada", reason="x")
        for point, until in ends.items()
    ]
    rooms.records.merge(rows)
    spoil(rooms.records, "overrides", "who = x'7b' WHERE point IN ('two', 'three')")
    spoil(rooms.records, "overrides", "until = '' WHERE point = 'four'")
    found = {row.point: (row.value, row.until) for row in Overrides.open(rooms.records, now).listed()}
    assert found == {"one": (1.0, now + HOUR), "two": (None, now + HOUR), "four": (None, now + HOLD)}


@pytest.mark.parametrize("damage", STANDING)
async def test_a_pause_that_can_not_be_read_ends_by_the_failsafe_s_file(
    rig: Any, plant: Any, cluster: Any, damage: str
) -> None:
    loop, rooms = rig
    asked = await paused(loop, plant, cluster)
    spoil(rooms.records, "suspends", damage)
    await cycles(loop, plant, 5, seconds=300)
    assert cluster.jobs["job-1"].state is JobState.SUSPENDED
    await cycles(loop, plant, 8, seconds=300)
    assert cluster.jobs["job-1"].state is not JobState.SUSPENDED
    await cycles(loop, plant, 1)
    assert loop.acting.suspends.open() == []
    assert alarms(rooms) == ["suspends job-1"]
    (row,) = rooms.records.rows(select(SuspendRow))  # it is whole again
    assert (row.job_id, row.at) == ("job-1", asked.issued_at)
    assert row.resumed_at is not None
    assert row.at < row.resume_by <= row.resumed_at + HOUR


@pytest.mark.parametrize("damage", STANDING)
async def test_plan_and_events_do_without_a_pause_that_can_not_be_read(
    rig: Any, plant: Any, cluster: Any, damage: str
) -> None:
    loop, rooms = rig
    now = (await paused(loop, plant, cluster)).issued_at
    (row,) = rooms.records.rows(select(SuspendRow))
    assert loop.acting.suspends.since(now - HOUR)
    assert paused_jobs(rooms.records, [row.command_id])
    spoil(rooms.records, "suspends", damage)
    assert loop.acting.suspends.since(now - HOUR) == []
    assert paused_jobs(rooms.records, [row.command_id]) == {}


@pytest.mark.parametrize("damage", STANDING)
async def test_one_that_the_file_does_not_know_either_runs_again_at_once(
    rig: Any, plant: Any, cluster: Any, state: Path, damage: str
) -> None:
    """As after a takeover: the file is this host's, the pause was the other one's."""
    loop, rooms = rig
    await paused(loop, plant, cluster)
    (state / "suspended.json").unlink()
    spoil(rooms.records, "suspends", damage)
    loop.acting.suspends.take_over()
    assert set(json.loads((state / "suspended.json").read_text())["jobs"]) == {"job-1"}  # for our failsafe
    await cycles(loop, plant, 1)
    assert cluster.calls[-1][:2] == ("resume", "job-1")
    await cycles(loop, plant, 1)
    assert loop.acting.suspends.open() == []


@pytest.mark.parametrize("damage", [NO_TEXT, "x'7b'"])
@pytest.mark.parametrize(("table", "key"), KEYS)
async def test_without_even_a_key_nobody_goes_on_and_the_next_step_is_named(
    rig: Any, plant: Any, table: str, key: str, damage: str
) -> None:
    loop, rooms = rig
    now = plant.clock.now()
    held = OverrideRow(target="a", point="b", value=1.0, at=now, until=now + HOUR, who="ada", reason="x")
    rooms.records.merge([held])
    rooms.records.merge(
        [SuspendRow(job_id="j", at=now, resume_by=now + HOUR, resumed_at=None, command_id="x")]
    )
    spoil(rooms.records, table, f"{key} = {damage}")
    read = loop.acting.suspends.open if table == "suspends" else lambda: Overrides.open(rooms.records, now)
    with pytest.raises(StoreError, match=f"key of a row of {table}.*igoudar restore"):
        read()
