import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.control.demand_response.rig import Rig, flexible_running, rig

from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.document import events_view
from igoudar.control.demand_response.event import EventState
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.core.errors import StoreError
from igoudar.core.model import JobState, Kind

HOUR = timedelta(hours=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Rig]:
    made = rig(tmp_path)
    yield made
    made.room.book.records.close()


def shed(site: Rig, share: float = 0.2, hours: float = 1.0, notice_s: float = 0.0) -> EventRequest:
    start = site.now + timedelta(seconds=notice_s)
    return EventRequest(
        EventKind.SHED,
        "operator",
        "ada",
        "test",
        share=share,
        notice_s=notice_s,
        ends_at=start + hours * HOUR,
    )


async def test_a_shed_is_reached_within_half_a_minute_and_held(site: Rig) -> None:
    before_w = site.load_w
    name = site.open(shed(site))
    await site.run(30.0)
    event = site.event(name)
    assert event.baseline_w == pytest.approx(before_w, rel=0.03)
    assert event.limit_w == pytest.approx(0.8 * event.baseline_w)
    assert event.reached_at is not None
    assert site.load_w < event.limit_w
    await site.until(name, EventState.RETURNING)
    event = site.event(name)
    assert event.minutes.met >= 58
    assert event.minutes.missed == event.quarters.missed == 0
    await site.until(name, EventState.DONE)
    assert site.room.memory.idle


async def test_a_restart_in_the_middle_goes_on_and_brings_everything_back(site: Rig) -> None:
    name = site.open(shed(site, hours=0.25))
    await site.run(120.0)
    standing = dict(site.room.memory.paused)
    assert standing
    old, book = site.room, site.room.book
    memory = (again := Book(book.records, book.baseline)).restore()
    assert memory.paused == standing
    site.room = replace(old, book=again, memory=memory, wake=asyncio.Event())
    await site.until(name, EventState.DONE)
    assert site.event(name).minutes.missed == 0
    assert site.room.memory.idle
    assert not {job.job_id for job in site.queue().jobs if job.state is JobState.SUSPENDED} & standing.keys()


async def test_a_cancelled_event_returns_along_the_ramp(site: Rig) -> None:
    name = site.open(shed(site, hours=2.0))
    await site.run(600.0)
    site.room.cancel(name, "ada")
    low_w = site.load_w
    await site.run(120.0)
    assert site.load_w <= low_w + 2.5 * site.room.rules.ramp_w_per_min
    await site.until(name, EventState.CANCELLED)
    assert site.event(name).ended_by == "ada"


async def test_jobs_that_people_steer_and_targets_that_do_not_obey_are_left_alone(site: Rig) -> None:
    jobs = [job.job_id for job in flexible_running(site)]
    site.left_alone, site.carrier.refuse = set(jobs[:40]), set(jobs[40:60])
    name = site.open(shed(site, share=0.15, hours=0.25))
    await site.run(120.0)
    assert site.event(name).reached_at is not None
    touched = {command.target for command in site.carrier.done}
    assert not touched & {*jobs[:60]}


async def test_without_the_meters_the_load_stays_where_it_is(site: Rig) -> None:
    site.open(shed(site, hours=0.5))
    await site.run(60.0)
    site.dead = {device.name for device in site.roster.power_devices("transformer")}
    await site.run(60.0)
    count = len([one for one in site.carrier.done if one.point in ("suspend", "resume")])
    await site.run(600.0)
    assert len([one for one in site.carrier.done if one.point in ("suspend", "resume")]) == count


async def test_a_pause_whose_answer_was_lost_is_found_again_and_undone(site: Rig) -> None:
    site.room.pauses = site.room.book.records.merge
    site.carrier.mute = True
    name = site.open(shed(site, hours=0.25))
    await site.cycle()
    asked = {one.target for one in site.carrier.done if one.point == "suspend"}
    assert asked
    assert asked <= site.room.memory.refused.keys()
    site.carrier.mute = False
    await site.run(20.0)
    assert asked <= site.room.memory.paused.keys()
    assert not asked & site.room.memory.refused.keys()
    await site.until(name, EventState.DONE)
    assert not {job.job_id for job in site.queue().jobs if job.state is JobState.SUSPENDED} & asked


async def test_while_the_scheduler_is_silent_setpoints_are_renewed(site: Rig) -> None:
    site.open(shed(site, hours=0.5))
    await site.run(60.0)
    lever = site.room.levers.loads[0]
    loads = {lever.device: lever.rated_w / 2}
    site.room.memory = replace(site.room.memory, loads=loads, battery_w=2e6)
    site.silent, before = True, len(site.carrier.done)
    await site.run(900.0)
    sent = site.carrier.done[before:]
    assert {one.point for one in sent}.isdisjoint({"suspend", "resume", "delay", "release"})
    batteries = [one.name for one in site.roster.site.devices if one.kind is Kind.BATTERY]
    for target in (lever.device, batteries[0]):
        times = [one.issued_at.timestamp() for one in sent if one.target == target]
        gaps_s = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) > 5
        assert max(gaps_s) < site.room.orders.hold_s
    assert (site.room.memory.loads, site.room.memory.battery_w) == (loads, 2e6)


async def test_nothing_is_paused_that_cannot_be_noted(site: Rig) -> None:
    def full(rows: Sequence[object]) -> None:
        raise StoreError("no room", where="suspended.json")

    noted, site.room.pauses = site.room.pauses, full
    name = site.open(shed(site, hours=0.5))
    await site.run(30.0)
    assert not [one for one in site.carrier.done if one.point == "suspend"]
    assert events_view(site.room).events[0].note.code == "events.note_unkept"
    site.room.pauses = noted
    await site.run(30.0)
    assert site.event(name).reached_at is not None
