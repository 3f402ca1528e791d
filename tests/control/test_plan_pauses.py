"""Pauses by the plan, live: in a lack that lasts, kept on disk, ended by themselves, below everybody else."""

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.control.test_loop import controlled, cycles, made_of, rig, solver

from igoudar.collectors.profiles import load_profiles
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.dispatch import job_power_w
from igoudar.control.failsafe.keeper import Failsafe
from igoudar.control.failsafe.schedulers import SimulatedResumes
from igoudar.control.failsafe.watch import MARGIN_S
from igoudar.control.plan_pauses import PlanPauses, plan_pauses
from igoudar.control.planner.ask import NoPlan
from igoudar.control.planning.policy import Why
from igoudar.control.roster import Roster, roster
from igoudar.control.views.jobs import jobs
from igoudar.control.views.plan import plan as plan_document
from igoudar.core.clock import SiteClock
from igoudar.core.errors import StoreError
from igoudar.core.i18n import LANGUAGES, render
from igoudar.core.model import JobState
from igoudar.core.site import load_site

__all__ = ["rig", "solver"]
HOUR = timedelta(hours=1)
CALM_W, WINDY_W = 0.0, 600e3


@pytest.fixture
def lab() -> Roster:
    profiles = load_profiles()
    site = load_site("jazari-lab", profiles)
    return roster(replace(site, plan=replace(site.plan, pauses=True)), profiles, 60.0)


def runs(cluster: Any, name: str, *, hours: float = 4, ran_h: float = 2, **more: Any) -> None:
    """A job that has run for a while; five more have ended today, so that one in five may be paused."""
    began = cluster.clock.now() - ran_h * HOUR
    done: dict[str, Any] = {"submitted": began, "started": began, "begin_at": None}
    gpus = {"gpus": 64, "work_done_s": ran_h * 3600}
    cluster.add(name, hours=hours + ran_h, state=JobState.RUNNING, **{**gpus, **done, **more})
    for number in range(5):
        over = {**done, "state": JobState.FINISHED, "finished": cluster.clock.now()}
        cluster.add(f"over-{name}-{number}", **over)


def calm(plant: Any, solver: Any, gpus: float = 0.0) -> None:
    """No wind, no sun, import on the meter, and a plan that wants few GPUs."""
    plant.powers |= {"pv": CALM_W, "wind": CALM_W, "grid": 650e3}
    solver.made = lambda ask: made_of(ask, gpus)


def windy(plant: Any) -> None:
    """Wind for everybody, and export on the meter."""
    plant.powers |= {"wind": WINDY_W, "grid": -100e3, "transformer": 300e3}


async def stands(rig: Any, plant: Any, cluster: Any, solver: Any, **job: Any) -> None:
    """One job, which the plan has paused."""
    runs(cluster, "job-1", **job)
    calm(plant, solver)
    await watched(rig[0], plant, 10)


async def begins(rig: Any, plant: Any, cluster: Any) -> None:
    """Until the plan pauses a job."""
    while not verbs(cluster, "suspend"):
        await watched(rig[0], plant, 1)


async def watched(loop: Any, plant: Any, minutes: float) -> None:
    """So long, with plans answered at once, and asked for as often as the site's time says."""
    loop.steering.planner._wall = lambda: plant.clock.now().timestamp()
    for _ in range(round(minutes)):
        await cycles(loop, plant, 1, seconds=60)
        await loop.steering.planner.settled()


def verbs(cluster: Any, *wanted: str) -> list[tuple[str, str]]:
    return [(verb, job) for verb, job, _ in cluster.calls if verb in wanted]


async def test_a_job_stands_in_a_calm_and_goes_on_after_it_once(
    rig: Any, plant: Any, cluster: Any, solver: Any, state: Path
) -> None:
    loop, rooms = rig
    runs(cluster, "job-1")
    calm(plant, solver)
    await watched(loop, plant, 5)
    assert verbs(cluster, "suspend") == []
    await watched(loop, plant, 4)
    assert verbs(cluster, "suspend") == [("suspend", "job-1")]
    (row,) = rooms.records.actions(target="job-1")
    assert (row.verb, row.code, row.result, row.params["origin"]) == (
        "suspend",
        "control.plan_pauses",
        "done",
        "plan",
    )
    kept = json.loads((state / "suspended.json").read_text())["jobs"]["job-1"]
    (pause,) = loop.acting.suspends.open()
    assert kept["resume_by"] == pause.resume_by.isoformat() == row.after
    assert pause.resume_by <= pause.at + 12 * HOUR

    await watched(loop, plant, 40)
    assert verbs(cluster, "resume") == []
    windy(plant)
    solver.made = lambda ask: made_of(ask, 64.0)
    await watched(loop, plant, 12)
    assert verbs(cluster, "resume") == [("resume", "job-1")]
    assert json.loads((state / "suspended.json").read_text())["jobs"] == {}

    calm(plant, solver)
    await watched(loop, plant, 90)
    assert verbs(cluster, "suspend") == [("suspend", "job-1")]


async def test_it_says_that_the_plan_paused_it_why_and_until_when(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    await stands(rig, plant, cluster, solver)
    (pause,) = loop.acting.suspends.open()
    view = next(job for job in jobs(rooms.desk.scene).jobs if job.job_id == "job-1")
    (planned,) = plan_document(rooms.desk.scene).jobs
    assert planned.reason == view.reason
    assert view.reason.code == "control.paused"
    until = datetime.fromisoformat(str(view.reason.params["until"]["time"]))
    assert until == pause.resume_by
    assert (planned.consequence, planned.proposed) == (None, False)
    assert planned.latest_start == pause.resume_by
    (row,) = rooms.records.actions(target="job-1")
    for lang in LANGUAGES:
        assert "GPU" in render(row.code, row.params, lang)
        assert "650" in render(row.code, row.params, lang)


async def test_a_pause_that_has_just_begun_is_not_taken_back(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    calm(plant, solver)
    await begins(rig, plant, cluster)
    windy(plant)
    await watched(loop, plant, 28)
    assert verbs(cluster, "resume") == []
    await watched(loop, plant, 5)
    assert verbs(cluster, "resume") == [("resume", "job-1")]


async def test_a_dip_of_the_plan_that_is_soon_over_is_not_worth_a_stop(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    calm(plant, solver)
    gpus = np.where(np.arange(192) % 4 == 3, 64.0, 0.0)
    solver.made = lambda ask: replace(made_of(ask, 0.0), gpus=gpus)
    await watched(loop, plant, 14)
    assert verbs(cluster, "suspend") == []


async def test_a_passing_cloud_pauses_nothing(rig: Any, plant: Any, cluster: Any, solver: Any) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    for _ in range(10):
        calm(plant, solver)
        await watched(loop, plant, 4)
        plant.powers |= {"wind": WINDY_W, "grid": -50e3}
        await watched(loop, plant, 2)
    assert verbs(cluster, "suspend") == []


@pytest.mark.parametrize(("shows", "in_all"), [(True, 1), (False, 2)])
async def test_what_a_pause_spares_must_show_before_the_next_is_asked_for(
    rig: Any, plant: Any, cluster: Any, solver: Any, shows: bool, in_all: int
) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    runs(cluster, "job-2")
    calm(plant, solver)
    job_w = job_power_w(cluster.jobs["job-1"], loop.steering.site, None)
    plant.powers["grid"] = 1.5 * job_w  # room for one of them
    await begins(rig, plant, cluster)
    plant.powers["grid"] = (0.5 if shows else 1.5) * job_w
    await watched(loop, plant, 5)
    assert len(verbs(cluster, "suspend")) == 1
    await watched(loop, plant, 5)
    assert len(verbs(cluster, "suspend")) == in_all


async def test_a_lack_that_was_smaller_for_a_moment_is_not_small_for_ever(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    calm(plant, solver)
    await watched(loop, plant, 3)
    plant.powers["wind"] = 30e3  # a third of what runs
    await watched(loop, plant, 1)
    plant.powers["wind"] = CALM_W
    await watched(loop, plant, 4)
    assert verbs(cluster, "suspend") == []
    await watched(loop, plant, 12)
    assert verbs(cluster, "suspend") == [("suspend", "job-1")]


@pytest.mark.parametrize(
    "job",
    [
        {"flexible": False},
        {"ran_h": 0.5},
        {"deadline_h": 6.0},
        {"hours": 0.3},
        {"gpus": 512},
    ],
    ids=["urgent", "inside its minimum run", "no slack", "nearly done", "more GPUs than lack"],
)
async def test_who_is_never_paused(
    rig: Any, plant: Any, cluster: Any, solver: Any, job: dict[str, Any]
) -> None:
    loop, _ = rig
    runs(cluster, "job-1", **job)
    calm(plant, solver, gpus=80.0 if job.get("gpus") == 512 else 0.0)
    await watched(loop, plant, 15)
    assert verbs(cluster, "suspend") == []


async def test_what_a_person_steers_or_an_event_holds_is_theirs(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    runs(cluster, "job-1")
    runs(cluster, "job-2")
    await watched(loop, plant, 1)
    await rooms.operator.act("job-1", "suspend", "ada", "mine", plant.clock.now(), None)
    await rooms.operator.act("job-1", "resume", "ada", "mine", plant.clock.now(), None)
    await watched(loop, plant, 1)
    end = plant.clock.now() + HOUR
    rooms.events.open(EventRequest(EventKind.CAP, "operator", "ada", limit_w=900e6, ends_at=end))
    cluster.calls.clear()
    calm(plant, solver)
    await watched(loop, plant, 30)
    assert verbs(cluster, "suspend") == []  # an event holds
    await watched(loop, plant, 60)
    assert verbs(cluster, "suspend") == [("suspend", "job-2")]  # job-1 has stood once already


async def test_without_a_plan_none_is_new_and_those_that_stand_end_by_their_time(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    await stands(rig, plant, cluster, solver, deadline_h=9.0)
    (pause,) = loop.acting.suspends.open()
    solver.made = lambda ask: NoPlan(Why("planner.infeasible", {"seconds": 0.1}))
    runs(cluster, "job-2", deadline_h=30.0)
    while cluster.jobs["job-1"].state is JobState.SUSPENDED:
        assert plant.clock.now() < pause.resume_by
        await watched(loop, plant, 5)
    assert verbs(cluster, "suspend", "resume") == [("suspend", "job-1"), ("resume", "job-1")]
    longest = timedelta(hours=4) * 1.26
    assert plant.clock.now() + longest < cluster.jobs["job-1"].deadline
    (row,) = rooms.records.actions(target="job-1", limit=1)
    assert row.verb == "resume"


@pytest.mark.parametrize(("mode", "proposed"), [("observe", 0), ("advise", 1)])
async def test_in_observe_nothing_and_in_advise_a_proposal(
    rig: Any, plant: Any, cluster: Any, solver: Any, mode: str, proposed: int
) -> None:
    loop, rooms = rig
    loop.modes.change(mode, "operator", "test", plant.clock.now())
    runs(cluster, "job-1")
    calm(plant, solver)
    await watched(loop, plant, 20)
    assert cluster.calls == []
    assert {job.reason for job in jobs(rooms.desk.scene).jobs if job.state == "running"} == {None}
    waiting = [row for row in loop.acting.executor.proposals.waiting() if row.command["point"] == "suspend"]
    assert len(waiting) == proposed
    if waiting:
        await rooms.hands.approve(waiting[0].id, "ada", "fine", plant.clock.now())
        assert verbs(cluster, "suspend") == [("suspend", "job-1")]
        await watched(loop, plant, 1)
        assert set(rooms.desk.scene.paused) == {"job-1"}


async def test_one_in_five_at_most(rig: Any, plant: Any, cluster: Any, solver: Any) -> None:
    loop, _ = rig
    for number in range(4):
        runs(cluster, f"job-{number}")
    for number in range(5):
        for name in ("job-1", "job-2", "job-3"):
            del cluster.jobs[f"over-{name}-{number}"]
    calm(plant, solver)  # nine jobs today
    await watched(loop, plant, 120)
    assert len(verbs(cluster, "suspend")) == 1


async def test_the_plan_reckons_with_pauses_and_sees_who_stands(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    runs(cluster, "job-1")
    runs(cluster, "job-2")
    cluster.jobs["job-2"] = replace(cluster.jobs["job-2"], state=JobState.SUSPENDED)  # not by the plan
    calm(plant, solver)
    await watched(loop, plant, 1)
    first = solver.asked[0]
    assert first.view.jobs.job_id == ("job-1",)
    assert list(first.view.jobs.preemptible) == [True]
    assert Why("planner.note_pauses") not in first.notes
    await watched(loop, plant, 25)
    last = solver.asked[-1]
    assert last.view.jobs.job_id == ("job-1",)
    assert list(last.view.jobs.preemptible) == [False]  # once is enough
    assert np.isnan(last.view.fleet.since_s[0])  # it waits


async def test_a_restart_forgets_no_pause_and_unread_records_begin_none(
    rig: Any, plant: Any, cluster: Any, solver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, _ = rig
    await stands(rig, plant, cluster, solver)
    before, now = loop.steering.pauses, plant.clock.now()
    queue = await loop.scheduler.queue()
    again = PlanPauses(before.site, before.book, lambda: "auto")
    again.look(queue, now, ())
    assert again.paused == before.paused != {}
    again.look(queue, now, {"job-1"})
    assert again.paused == {}

    def refuse(*_: object) -> None:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(type(before.book), "since", refuse)
    again.look(queue, now, ())
    assert not again.stand
    assert set(again.paused) == {"job-1"}


async def test_a_killed_control_s_pauses_are_the_next_one_s_until_their_time(
    state: Path, plant: Any, cluster: Any, solver: Any
) -> None:
    async with controlled(state, plant, solver) as before:
        await stands(before, plant, cluster, solver, deadline_h=9.0)
        (pause,) = before[0].acting.suspends.open()
        said = [job.reason for job in jobs(before[1].desk.scene).jobs if job.job_id == "job-1"]
    async with controlled(state, plant, solver) as (loop, rooms):
        await watched(loop, plant, 1)
        assert set(rooms.desk.scene.paused) == {"job-1"}
        (reason,) = [job.reason for job in jobs(rooms.desk.scene).jobs if job.job_id == "job-1"]
        assert (reason.code, reason.params["until"]) == ("control.paused", said[0].params["until"])
        while cluster.jobs["job-1"].state is JobState.SUSPENDED:
            assert plant.clock.now() < pause.resume_by
            await watched(loop, plant, 5)
        await watched(loop, plant, 30)
        assert verbs(cluster, "suspend", "resume") == [("suspend", "job-1"), ("resume", "job-1")]
        assert (loop.acting.suspends.open(), loop.acting.suspends.jobs.read()) == ([], {})


async def test_with_control_dead_the_failsafe_ends_every_pause_by_its_time_and_the_next_control_knows(
    state: Path, plant: Any, cluster: Any, solver: Any
) -> None:
    async with controlled(state, plant, solver) as before:
        runs(cluster, "job-2")
        await stands(before, plant, cluster, solver, deadline_h=9.0)
        ends = {row.job_id: row.resume_by for row in before[0].acting.suspends.open()}
        assert set(ends) == {"job-1", "job-2"}
        began_s, speed = time.monotonic(), plant.clock.speed
        SiteClock(plant.clock.now(), began_s, speed).save(state / "clock.json")
        failsafe = Failsafe.open(state, SimulatedResumes(before[0].scheduler), began_s)
        for job_id, resume_by in sorted(ends.items(), key=lambda item: item[1]):
            end_s = began_s + (resume_by - plant.clock.now()).total_seconds() / speed
            for early_s in (MARGIN_S + 0.1, MARGIN_S - 0.1):
                failsafe.pulse.since_s = end_s  # silence would end them all at once
                await failsafe.step(end_s - early_s)
                assert (("resume", job_id) in verbs(cluster, "resume")) is (early_s < MARGIN_S)
            await failsafe.step(end_s)
    async with controlled(state, plant, solver) as (loop, rooms):
        await watched(loop, plant, 30)
        assert rooms.desk.scene.paused == {}
        assert len(verbs(cluster, "suspend")) == len(verbs(cluster, "resume")) == 2
        assert (loop.acting.suspends.open(), loop.acting.suspends.jobs.read()) == ([], {})
        told = [(row.target, row.code) for row in rooms.records.actions() if row.who == "failsafe"]
        assert sorted(told) == [("job-1", "failsafe.resume_by"), ("job-2", "failsafe.resume_by")]


async def test_while_an_event_acts_the_plan_lets_nobody_go_on(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    await stands(rig, plant, cluster, solver)
    end = plant.clock.now() + HOUR
    rooms.events.open(EventRequest(EventKind.CAP, "operator", "ada", limit_w=900e6, ends_at=end))
    windy(plant)
    solver.made = lambda ask: made_of(ask, 64.0)
    await watched(loop, plant, 50)
    assert verbs(cluster, "resume") == []
    view = next(job for job in jobs(rooms.desk.scene).jobs if job.job_id == "job-1")
    assert view.reason.code == "control.paused"  # it still says whose the pause is
    await watched(loop, plant, 30)
    assert verbs(cluster, "resume") == [("resume", "job-1")]


async def test_what_goes_on_counts_as_load_before_the_meters_show_it(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    await stands(rig, plant, cluster, solver)
    now = plant.clock.now()
    loop.acting.suspends.resumed("job-1", now)
    pauses, queue = loop.steering.pauses, await loop.scheduler.queue()
    pauses.look(queue, now, ())
    assert pauses.unmetered_w(queue, now - timedelta(seconds=1), 1.1) == pytest.approx(
        job_power_w(queue.jobs[0], pauses.site, 1.1)
    )
    assert pauses.unmetered_w(queue, now + timedelta(seconds=1), 1.1) == 0.0
    assert pauses.unmetered_w(queue, None, 1.1) == 0.0


async def test_unless_the_site_lets_it_there_are_none(rig: Any) -> None:
    loop, rooms = rig
    site = loop.steering.site
    assert plan_pauses(site, loop.acting.suspends, rooms.modes) is not None
    plain = replace(site, plan=replace(site.plan, pauses=False))
    assert plan_pauses(plain, loop.acting.suspends, rooms.modes) is None
