"""Pauses through the executor: noted before the call, ended by themselves, refused while nobody may act."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.control.test_loop import cycles, rig, solver

from igoudar.collectors.results import Error, Rejected, Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.pausing import rows
from igoudar.core import handsoff
from igoudar.core.errors import CommandError, StoreError
from igoudar.core.model import JobState

__all__ = ["rig", "solver"]
HOUR = timedelta(hours=1)


def pause(now: Any, **changed: Any) -> Command:
    command = Command(
        command_id="pause",
        actuator=ActuatorClass.JOBS,
        target="job-1",
        point="suspend",
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        origin=Origin.EVENT,
        who="ada",
        code="control.operator",
        params={"who": "ada", "reason": "shed"},
        until=now + HOUR,
    )
    return replace(command, **changed)


def runs(cluster: Any, **more: Any) -> None:
    cluster.add("job-1", state=JobState.RUNNING, begin_at=None, started=cluster.clock.now(), **more)


async def paused(loop: Any, plant: Any, cluster: Any) -> Command:
    """A job that ran and stands now, and the command that asked for it."""
    runs(cluster)
    await cycles(loop, plant, 1)
    asked = pause(plant.clock.now())
    await loop.acting.executor.submit([asked], asked.issued_at)
    return asked


async def test_a_pause_is_on_disk_and_in_the_records_and_ends_by_its_time(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    loop, _ = rig
    runs(cluster)
    await cycles(loop, plant, 1)
    (outcome,) = await loop.acting.executor.submit([pause(plant.clock.now())], plant.clock.now())
    assert outcome.result == Success(0.0)
    assert cluster.jobs["job-1"].state is JobState.SUSPENDED
    kept = json.loads((state / "suspended.json").read_text())["jobs"]["job-1"]
    (row,) = loop.acting.suspends.open()
    assert kept["resume_by"] == row.resume_by.isoformat()
    assert row.command_id == "pause"
    await cycles(loop, plant, 5, seconds=300)
    assert cluster.jobs["job-1"].state is JobState.SUSPENDED
    await cycles(loop, plant, 8, seconds=300)
    assert cluster.calls[-1][:2] == ("resume", "job-1")
    assert loop.acting.suspends.open() == []
    assert json.loads((state / "suspended.json").read_text())["jobs"] == {}


async def test_a_pause_that_waited_for_a_person_is_noted_when_it_is_done(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    """An event notes its pauses before it asks; in advise they are crossed out until a person says yes."""
    loop, rooms = rig
    runs(cluster)
    await cycles(loop, plant, 1)
    rooms.modes.change_class(ActuatorClass.JOBS, "advise", "ada", plant.clock.now())
    wish = pause(plant.clock.now())
    loop.acting.suspends.note(rows([wish], (), Memory(), "event"))
    (outcome,) = await loop.acting.executor.submit([wish], plant.clock.now())
    assert outcome.proposal_id == wish.command_id
    await cycles(loop, plant, 2, seconds=300)
    assert loop.acting.suspends.open() == []
    await rooms.hands.approve(wish.command_id, "ada", "shed", plant.clock.now())
    assert cluster.jobs["job-1"].state is JobState.SUSPENDED
    assert [row.job_id for row in loop.acting.suspends.open()] == ["job-1"]
    assert set(json.loads((state / "suspended.json").read_text())["jobs"]) == {"job-1"}


async def test_the_plan_does_not_resume_what_an_event_paused(rig: Any, plant: Any, cluster: Any) -> None:
    loop, _ = rig
    await paused(loop, plant, cluster)
    await cycles(loop, plant, 1)
    now = plant.clock.now()
    early = pause(now, command_id="early", point="resume", origin=Origin.PLAN, until=None)
    (outcome,) = await loop.acting.executor.submit([early], now)
    assert outcome.result == Rejected("outranked")
    own = pause(now, command_id="own", point="resume", until=None)
    (outcome,) = await loop.acting.executor.submit([own], now)
    assert outcome.result == Success(0.0)


async def test_a_pause_that_can_t_be_noted_is_not_made(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    loop, _ = rig
    runs(cluster)
    await cycles(loop, plant, 1)
    (state / "suspended.json").write_text("{")
    (outcome,) = await loop.acting.executor.submit([pause(plant.clock.now())], plant.clock.now())
    assert isinstance(outcome.result, Error)
    assert cluster.calls == []


@pytest.mark.parametrize(
    ("job", "changed", "reason"),
    [
        ({"flexible": False}, {}, "urgent_job"),
        ({}, {"until": None}, "no_end"),
        ({}, {"target": "job-9"}, "unknown_job"),
        ({}, {"point": "cancel"}, "unknown_verb"),
        ({}, {"point": "resume"}, "wrong_state"),
    ],
)
async def test_what_may_not_be_done_to_a_job(
    rig: Any, plant: Any, cluster: Any, job: dict[str, Any], changed: dict[str, Any], reason: str
) -> None:
    loop, rooms = rig
    runs(cluster, **job)
    await cycles(loop, plant, 1)
    now = plant.clock.now()
    (outcome,) = await loop.acting.executor.submit([pause(now, **changed)], now)
    assert outcome.result == Rejected(reason)
    assert rooms.records.actions()[0].result == f"rejected: {reason}"
    assert cluster.calls == []


async def test_hands_off_stops_jobs_too_at_once_and_only_until_it_ends(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    handsoff.turn_on(state, "ada", "drill")
    await cycles(loop, plant, 3)
    with pytest.raises(CommandError, match="Hands-off"):
        await rooms.operator.act("job-1", "hold", "ada", "x", plant.clock.now(), None)
    assert cluster.calls == []
    assert [alarm.code for alarm in rooms.desk.scene.alarms] == ["hands_off"]
    handsoff.turn_off(state)
    await cycles(loop, plant, 1)
    assert [call[0] for call in cluster.calls] == ["release"]
    assert [alarm.life.active for alarm in rooms.desk.scene.alarms] == [False]


async def test_without_the_lease_nothing_is_sent(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    loop.acting.executor.gate.lease.close()
    await cycles(loop, plant, 2)
    assert (cluster.calls, plant.authorities) == ([], [])
    assert rooms.records.actions()[0].result == "rejected: no_lease"


async def test_a_person_s_pause_has_a_resume_by_even_when_none_was_given(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, rooms = rig
    runs(cluster)
    now = plant.clock.now()
    row = await rooms.operator.act("job-1", "suspend", "ada", "test", now, None)
    assert (row.verb, row.result) == ("suspend", "done")
    (kept,) = loop.acting.suspends.open()
    assert kept.resume_by == now + timedelta(hours=12)
    cluster.jobs["job-1"] = replace(cluster.jobs["job-1"], state=JobState.RUNNING)
    with pytest.raises(CommandError, match="may not last that long"):
        await rooms.operator.act("job-1", "suspend", "ada", "test", now, now + timedelta(days=3))


async def test_a_point_that_can_t_be_moved_is_an_alarm_until_it_can(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 4)
    plant.refuses = "it reads back as 100"
    rate = pause(
        plant.clock.now(),
        actuator=ActuatorClass.BATTERY,
        target="battery-1",
        point="discharge_rate_pct",
        value=40.0,
    )
    await loop.acting.executor.submit([rate], plant.clock.now())
    await cycles(loop, plant, 1)
    (alarm,) = [alarm for alarm in rooms.desk.scene.alarms if alarm.code == "command_failed"]
    assert "reads back" in alarm.params["why"]
    plant.refuses = ""
    later = replace(
        rate, command_id="later", issued_at=plant.clock.now(), expires_at=plant.clock.now() + HOUR
    )
    await loop.acting.executor.submit([later], plant.clock.now())
    await cycles(loop, plant, 1)
    (alarm,) = [alarm for alarm in rooms.desk.scene.alarms if alarm.code == "command_failed"]
    assert not alarm.life.active


async def test_a_job_that_has_gone_on_meanwhile_is_no_alarm_and_a_dead_scheduler_is_one(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = 0.0
    cluster.add("job-1")
    cluster.add("job-2")
    cluster.refuses = "it is running"
    await cycles(loop, plant, 1)
    said = {row.result for row in rooms.records.actions()}
    assert said == {"rejected: refused (the scheduler refused: it is running)"}
    assert rooms.desk.scene.alarms == ()
    cluster.refuses, cluster.answers = "", False
    await cycles(loop, plant, 1)
    (alarm,) = rooms.desk.scene.alarms
    assert (alarm.code, alarm.source) == ("command_failed", "scheduler")
    cluster.answers = True
    await cycles(loop, plant, 3, seconds=60)
    assert [alarm.life.active for alarm in rooms.desk.scene.alarms] == [False]


async def test_a_database_that_can_t_be_read_does_not_end_control(
    rig: Any, plant: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop, _ = rig
    await paused(loop, plant, cluster)
    await cycles(loop, plant, 1)

    def refuse(*_: object) -> None:
        raise StoreError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr(type(loop.acting.suspends), "open", refuse)
        broken.setattr(type(loop.acting.suspends), "row", refuse)
        await cycles(loop, plant, 13, seconds=300)
    assert "taken as last read: disk I/O error" in caplog.text
    assert cluster.calls[-1][:2] == ("resume", "job-1")  # by the list as it was last known
    await cycles(loop, plant, 1)
    assert loop.acting.suspends.open() == []
