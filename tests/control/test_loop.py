import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.control.test_plan_service import plan_of

from igoudar.control.acting_setup import close
from igoudar.control.actuation.overrides import Overrides
from igoudar.control.actuation.schedulers.choice import scheduler_address
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.api.rooms import Rooms
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.lease.file import FileLease
from igoudar.control.loop import Loop
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import STEP, Ask, NoPlan, Plan
from igoudar.control.planning.policy import Why
from igoudar.control.records.state import Records
from igoudar.control.service import assemble
from igoudar.control.steering import BLIND_CYCLES
from igoudar.control.telemetry import CollectorTelemetry
from igoudar.control.views.jobs import jobs
from igoudar.control.views.overview import overview
from igoudar.control.views.plan import approved_start
from igoudar.control.views.plan import plan as plan_document
from igoudar.core.errors import CommandError
from igoudar.core.model import JobState
from igoudar.core.store.reader import ParquetReader

HOUR = timedelta(hours=1)


@dataclass
class Solver:
    """Answers as the test says; without a word from it there is no plan."""

    made: Callable[[Ask], Plan | NoPlan] = lambda _: NoPlan(Why("planner.infeasible", {"seconds": 0.1}))
    asked: list[Ask] = field(default_factory=list)

    async def answer(self, ask: Ask, limit_s: float) -> Plan | NoPlan:
        self.asked.append(ask)
        return self.made(ask)

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture
def solver() -> Solver:
    return Solver()


@pytest.fixture
async def rig(state: Path, plant: Any, solver: Solver) -> AsyncIterator[tuple[Loop, Rooms]]:
    async with controlled(state, plant, solver) as found:
        yield found


@asynccontextmanager
async def controlled(state: Path, plant: Any, solver: Solver) -> AsyncIterator[tuple[Loop, Rooms]]:
    """One life of control on a state folder; the next one finds what this one left there."""
    planner = PlanService(solver, plant.clock.speed)
    records = Records.open(state / "state.sqlite")
    scheduler = SimulatedScheduler(lambda: scheduler_address(state))
    telemetry = CollectorTelemetry(state / "collect.sock")
    reader = ParquetReader(state / "store")
    lease = FileLease(state)
    lease.take()
    loop, rooms = await assemble(
        plant.roster, plant.clock, state, records, scheduler, telemetry, reader, "auto", None, planner, lease
    )
    yield loop, rooms
    await close(loop.acting)
    lease.close()
    await planner.close()
    await telemetry.close()
    await scheduler.close()
    records.close()


async def cycles(loop: Loop, plant: Any, count: int, seconds: float = 30) -> None:
    for _ in range(count):
        plant.run(seconds)
        await loop.cycle()


async def test_surplus_starts_a_job_and_says_why(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    await cycles(loop, plant, 1)
    assert cluster.calls == [("release", "job-1", "")]
    (row,) = rooms.records.actions()
    assert (row.verb, row.target, row.code, row.result) == ("release", "job-1", "control.surplus", "done")
    assert row.params["surplus_w"] == pytest.approx(50e3)


async def test_without_surplus_the_job_gets_a_begin_time_never_a_bare_hold(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = 0.0
    job = cluster.add("job-1", hours=2, deadline_h=20)
    await cycles(loop, plant, 3)
    assert [verb for verb, _, _ in cluster.calls] == ["delay"]
    begin_at = cluster.jobs["job-1"].begin_at
    assert plant.clock.now() < begin_at <= job.deadline - 2 * HOUR
    view = jobs(rooms.desk.scene).jobs[0]
    assert view.reason.code == "control.wait"
    assert "control.wait" not in view.reason.english


async def test_a_job_is_forced_in_time_even_with_no_surplus_for_days(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, _ = rig
    plant.powers["pv"] = 0.0
    job = cluster.add("job-1", hours=2, deadline_h=6)
    await cycles(loop, plant, 1)
    while cluster.jobs["job-1"].state is not JobState.RUNNING:
        assert plant.clock.now() < job.deadline
        await cycles(loop, plant, 1, seconds=600)
    assert plant.clock.now() > job.submitted + 2 * HOUR
    assert plant.clock.now() + 2 * HOUR * 1.25 < job.deadline


async def test_jobs_started_since_the_meters_were_read_are_not_given_the_same_surplus(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, _ = rig
    for number in range(6):
        cluster.add(f"job-{number}", gpus=16)  # about 25 kW each, 50 kW to spare
    await cycles(loop, plant, 1)
    assert len([c for c in cluster.calls if c[0] == "release"]) == 1
    await loop.cycle()
    assert len([c for c in cluster.calls if c[0] == "release"]) == 1


async def test_observe_sends_nothing_and_advise_only_proposes(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    loop.modes.change("observe", "operator", "test", plant.clock.now())
    await cycles(loop, plant, 2)
    assert [row.result for row in rooms.records.actions()] == ["observed"]
    loop.modes.change("advise", "operator", "test", plant.clock.now())
    await cycles(loop, plant, 3)
    assert [row.result for row in rooms.records.actions()] == ["proposed", "observed"]
    assert cluster.calls == []


async def test_blind_it_claims_no_surplus_then_lets_go(rig: Any, plant: Any, cluster: Any, lab: Any) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 1)
    plant.dead = {device.name for device in lab.meters["pv"]}
    cluster.add("job-1")
    await cycles(loop, plant, 10)
    assert [verb for verb, _, _ in cluster.calls] == ["delay"]
    await cycles(loop, plant, BLIND_CYCLES)
    assert cluster.calls[-1][0] == "release"
    assert rooms.records.actions()[0].code == "control.fail_safe"


async def test_an_operators_hold_stays_until_released(rig: Any, plant: Any, cluster: Any) -> None:
    loop, rooms = rig
    cluster.add("job-1")
    await rooms.operator.act("job-1", "hold", "operator", "maintenance", plant.clock.now(), None)
    await cycles(loop, plant, 3)
    assert [verb for verb, _, _ in cluster.calls] == ["delay"]
    assert Overrides.open(rooms.records, plant.clock.now()).jobs() == {"job-1": "hold"}
    await rooms.operator.act("job-1", "release", "operator", "done", plant.clock.now(), None)
    assert cluster.jobs["job-1"].state is JobState.RUNNING


async def test_a_dead_scheduler_is_no_data_not_zero(rig: Any, plant: Any, state: Path) -> None:
    loop, rooms = rig
    (state / "endpoints.json").write_text("{}")
    await cycles(loop, plant, 1)
    tile = next(tile for tile in overview(rooms.desk.scene).tiles if tile.code == "jobs_waiting")
    assert tile.value is None


async def test_flows_balance_and_kpis_come_from_energies(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 80, seconds=30)
    page = overview(rooms.desk.scene)
    sources = sum(flow.power_w for flow in page.sources)
    assert sources == pytest.approx(sum(flow.power_w for flow in page.sinks))
    assert sources == pytest.approx(page.bus_w)
    tiles = {tile.code: tile for tile in page.tiles}
    assert tiles["pue"].value == pytest.approx(1.2)
    assert tiles["renewable_share"].value == pytest.approx(1.0)
    assert len(tiles["pue"].history) == 96
    assert len(page.chart.time) == 96 + 192
    assert page.chart.load_w[94] == pytest.approx(650e3)
    assert page.chart.load_w[-1] is None


async def test_a_lost_collector_is_one_alarm_and_no_numbers(rig: Any, plant: Any, state: Path) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 1)
    (state / "collect.sock").unlink()
    await loop.telemetry.close()
    await cycles(loop, plant, 30, seconds=60)
    codes = [alarm.code for alarm in rooms.desk.scene.alarms]
    assert codes == ["telemetry_lost"]
    assert rooms.desk.scene.powers.pv_w is None


async def test_a_killed_part_is_alarmed_even_when_it_is_back_at_once(
    rig: Any, plant: Any, state: Path
) -> None:
    loop, rooms = rig
    parts = {"collect": {"state": "running", "restarts": 0}}
    (state / "parts.json").write_text(json.dumps(parts))
    await cycles(loop, plant, 1)
    parts["collect"]["restarts"] = 1
    (state / "parts.json").write_text(json.dumps(parts))
    await cycles(loop, plant, 2)
    (alarm,) = rooms.desk.scene.alarms
    assert (alarm.code, alarm.life.state) == ("part_dead", "returned_unacknowledged")
    assert alarm.life.occurrences == 1
    await loop.notifier.deliver()
    lines = (state / "notifications.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert "collect" in lines[0]


async def test_a_finished_job_is_left_alone(rig: Any, plant: Any, cluster: Any) -> None:
    loop, _ = rig
    job = cluster.add("job-1")
    cluster.jobs["job-1"] = replace(job, state=JobState.FINISHED, finished=plant.clock.now())
    await cycles(loop, plant, 2)
    assert cluster.calls == []


def made_of(ask: Ask, gpus: float, start: int = 4) -> Plan:
    """A plan that wants `gpus` of flexible work in every step, and expects the supply that is there."""
    names = ask.view.jobs.job_id
    expected_w = {"supply_p50_w": np.full(192, ask.view.pv_w + ask.view.wind_w)}
    why = Why("planner.job_beyond", {"hours": 48})
    return plan_of(
        ask.view.time,
        gpus=np.full(192, gpus),
        powers=plan_of(ask.view.time).powers | expected_w,
        starts=dict.fromkeys(names, start),
        job_reasons=dict.fromkeys(names, why),
    )


async def test_a_plan_in_force_starts_work_without_surplus_and_draws_itself(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = 0.0
    solver.made = lambda ask: made_of(ask, gpus=8.0)
    cluster.add("job-1")
    cluster.add("job-2", deadline_h=10)
    await cycles(loop, plant, 1)
    await loop.steering.planner.settled()
    await cycles(loop, plant, 1)
    assert [(verb, job) for verb, job, _ in cluster.calls if verb == "release"] == [("release", "job-2")]
    assert rooms.records.actions()[0].code == "control.plan"
    assert Why("planner.note_pauses") in solver.asked[0].notes
    document = plan_document(rooms.desk.scene)
    assert (document.source, document.version, len(document.steps)) == ("optimal", "v1", 192)
    drawn = overview(rooms.desk.scene).chart
    assert drawn.plan_w[94] is None
    assert drawn.plan_w[95] == pytest.approx(4e3)
    assert drawn.forecast_p50_w[95] == pytest.approx(300e3)
    assert len(drawn.forecast_p90_w) == len(drawn.time)


async def test_without_a_plan_the_document_says_why_and_still_lists_the_jobs(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = 0.0
    cluster.add("job-1")
    await cycles(loop, plant, 1)
    await loop.steering.planner.settled()
    await cycles(loop, plant, 1)
    document = plan_document(rooms.desk.scene)
    assert (document.source, document.version, document.steps) == ("greedy", "greedy", [])
    assert document.why.code == "planner.infeasible"
    (job,) = document.jobs
    assert job.start == job.latest_start == cluster.jobs["job-1"].begin_at
    assert job.reason.code == "control.wait"
    assert job.racks == pytest.approx(8 / 72, abs=0.01)


async def test_the_plan_never_delays_a_job_past_its_latest_start(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, _ = rig
    plant.powers["pv"] = 0.0
    solver.made = lambda ask: made_of(ask, gpus=0.0, start=191)
    job = cluster.add("job-1", hours=2, deadline_h=6)
    while cluster.jobs["job-1"].state is not JobState.RUNNING:
        assert plant.clock.now() < job.deadline
        await cycles(loop, plant, 1, seconds=600)
        await loop.steering.planner.settled()
    assert plant.clock.now() + 2 * HOUR * 1.25 < job.deadline


async def test_advise_proposes_with_the_consequence_and_an_approval_needs_the_plan_it_read(
    rig: Any, plant: Any, cluster: Any, solver: Any
) -> None:
    loop, rooms = rig
    plant.powers["pv"] = 0.0
    loop.modes.change("advise", "operator", "test", plant.clock.now())
    solver.made = lambda ask: made_of(ask, gpus=0.0)
    cluster.add("job-1")
    await cycles(loop, plant, 1)
    await loop.steering.planner.settled()
    await cycles(loop, plant, 1)
    scene = rooms.desk.scene
    (job,) = plan_document(scene).jobs
    assert job.proposed
    assert job.consequence.code == "planner.consequence_deadline"
    assert job.start == scene.plan.plan.start + 4 * STEP
    with pytest.raises(CommandError, match="the plan has changed"):
        approved_start(scene, "job-1", "v0")
    start = approved_start(scene, "job-1", "v1")
    await rooms.operator.approve("job-1", start, "operator", "fine", scene.now)
    assert cluster.jobs["job-1"].begin_at == job.start
    (row,) = rooms.records.actions(limit=1)
    assert (row.who, row.verb, row.result) == ("operator", "approve", "done")
    assert rooms.operator.overrides == {}


async def test_a_scheduler_that_does_not_answer_is_an_alarm_and_moves_nothing(
    rig: Any, plant: Any, cluster: Any, state: Path
) -> None:
    loop, _ = rig
    cluster.add("job-1")
    said = (state / "endpoints.json").read_text()
    (state / "endpoints.json").write_text("{}")
    await cycles(loop, plant, 1)
    assert not [alarm for alarm in loop.engine.listed() if alarm.code == "scheduler_unheard"]
    await cycles(loop, plant, 3)
    (alarm,) = [alarm for alarm in loop.engine.listed() if alarm.code == "scheduler_unheard"]
    assert "no scheduler is known" in str(alarm.params["why"])
    assert cluster.calls == []
    (state / "endpoints.json").write_text(said)
    await cycles(loop, plant, 1)
    assert not loop.unheard


async def test_a_host_that_is_not_the_writer_rests_though_its_events_are_overdue(
    rig: Any, plant: Any, cluster: Any
) -> None:
    loop, rooms = rig
    await cycles(loop, plant, 3)
    end = plant.clock.now() + timedelta(minutes=1)
    rooms.events.open(EventRequest(EventKind.CAP, "operator", "ada", limit_w=900e6, ends_at=end))
    plant.run(300)
    rooms.events.wake.clear()
    await asyncio.wait_for(loop._rest(1e6), 10.0)  # the writer has something to do at once
    rooms.events.held = lambda: False
    resting = asyncio.create_task(loop._rest(1e6))
    await asyncio.wait((resting,), timeout=0.05)
    assert not resting.done()
    rooms.events.wake.set()
    await asyncio.wait_for(resting, 10.0)
