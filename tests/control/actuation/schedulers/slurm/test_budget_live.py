"""The whole control loop on a real Slurm: the plan's budget keeps newcomers waiting, never an urgent job."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.control.actuation.schedulers.slurm.rig import FLEX, rules
from tests.control.actuation.schedulers.slurm.rig import clock as site_clock
from tests.control.actuation.schedulers.slurm.test_real_cluster import TOTAL_W, reserved
from tests.control.test_loop import Solver, cycles
from tests.control.test_plan_service import plan_of
from tests.peers.slurm import Cluster

from igoudar.control.acting_setup import close
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.control.api.rooms import Rooms
from igoudar.control.lease.file import FileLease
from igoudar.control.loop import Loop
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import Ask, Plan
from igoudar.control.records.state import Records
from igoudar.control.service import assemble
from igoudar.control.telemetry import CollectorTelemetry
from igoudar.core.clock import SiteClock
from igoudar.core.store.reader import ParquetReader

pytestmark = pytest.mark.xdist_group("slurm")
GPUS, GPU_W = 72 * 2, 700  # what the plan allows: two nodes, each of which stands for a rack of 72
ALLOWED_W = 2 * 8 * GPU_W


@dataclass
class Wall:
    """Site time that goes by itself, as beside a real scheduler it must."""

    clock: SiteClock = field(default_factory=lambda: site_clock(1.0))
    speed: float = 1.0

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """It does so by itself."""


@pytest.fixture
def clock() -> Wall:
    return Wall()


@pytest.fixture
async def rig(state: Path, plant: Any, slurm: Cluster) -> AsyncIterator[tuple[Loop, Rooms]]:
    """Control with a plan of two nodes' GPUs, and no sun or wind but what the plan expected."""
    site = replace(plant.roster.site, scheduler=rules(slurm))
    planner, records = PlanService(Solver(allowed), 1.0), Records.open(state / "state.sqlite")
    telemetry, lease = CollectorTelemetry(state / "collect.sock"), FileLease(state)
    lease.take()
    loop, rooms = await assemble(
        replace(plant.roster, site=site),
        plant.clock,
        state,
        records,
        SlurmScheduler(site, plant.clock.clock),
        telemetry,
        ParquetReader(state / "store"),
        "auto",
        None,
        planner,
        lease,
    )
    yield loop, rooms
    await close(loop.acting)
    lease.close()
    await planner.close()
    await telemetry.close()
    records.close()


def allowed(ask: Ask) -> Plan:
    powers = plan_of(ask.view.time).powers | {"supply_p50_w": np.full(192, 700e3)}
    return plan_of(ask.view.time, gpus=np.full(192, float(GPUS)), powers=powers)


async def planned(loop: Loop, plant: Any) -> None:
    """A first look asks for the plan, the next one follows it."""
    await cycles(loop, plant, 1)
    await loop.steering.planner.settled()
    await cycles(loop, plant, 1)


async def test_above_the_budget_a_flexible_job_waits_and_an_urgent_one_starts(
    rig: tuple[Loop, Rooms], plant: Any, slurm: Cluster
) -> None:
    loop, rooms = rig
    running = slurm.submit(*FLEX, f"--licenses=watts:{8 * GPU_W}", gpus=8)
    slurm.wait_state(running, "RUNNING")
    await planned(loop, plant)
    found = reserved(slurm)
    assert found["Licenses"] == f"watts:{TOTAL_W - ALLOWED_W}"
    ends = datetime.fromisoformat(found["EndTime"]).replace(tzinfo=UTC)
    assert timedelta(0) < ends - datetime.now(UTC) <= timedelta(minutes=15, seconds=1)

    inside = slurm.submit(*FLEX, f"--licenses=watts:{4 * GPU_W}", gpus=4)
    slurm.wait_state(inside, "RUNNING")
    above = slurm.submit(*FLEX, f"--licenses=watts:{8 * GPU_W}", gpus=8)
    urgent = slurm.submit("--partition=gpu", gpus=8)
    slurm.wait_state(urgent, "RUNNING")
    slurm.wait(lambda: slurm.jobs()[above]["state_reason"] == "Licenses")

    await cycles(loop, plant, 1)  # control sees it, and the dispatch lets it start: the budget follows
    (line,) = rooms.records.actions(target="slurm")[:1]
    assert (line.verb, line.who, line.code, line.result) == ("budget", "control", "plant.budget", "done")
    slurm.wait_state(above, "RUNNING")
    assert reserved(slurm)["Licenses"] == f"watts:{TOTAL_W - 20 * GPU_W}"


async def test_outside_auto_no_budget_is_asked_for_and_what_stands_ends_by_itself(
    rig: tuple[Loop, Rooms], plant: Any, slurm: Cluster
) -> None:
    loop, rooms = rig
    rooms.modes.change("advise", "ada", "drill", plant.clock.now())
    running = slurm.submit(*FLEX, f"--licenses=watts:{8 * GPU_W}", gpus=8)
    slurm.wait_state(running, "RUNNING")
    await planned(loop, plant)
    assert not reserved(slurm)
    assert rooms.hands.proposals() == []
    rooms.modes.change("auto", "ada", "drill", plant.clock.now())
    await cycles(loop, plant, 1)
    before = reserved(slurm)["EndTime"]
    rooms.modes.change("observe", "ada", "drill", plant.clock.now())
    await cycles(loop, plant, 2)
    assert reserved(slurm)["EndTime"] == before  # nothing more is sent, a release included


async def test_an_urgent_job_that_asks_for_watts_forbids_the_budget_and_is_told_once(
    rig: tuple[Loop, Rooms], plant: Any, slurm: Cluster
) -> None:
    loop, rooms = rig
    for place in (FLEX, ("--partition=gpu",)):
        job = slurm.submit(*place, f"--licenses=watts:{GPU_W}")
        slurm.wait_state(job, "RUNNING")
    await planned(loop, plant)
    await cycles(loop, plant, 3)
    assert not reserved(slurm)
    (line,) = rooms.records.actions(target="slurm")
    assert line.result.startswith("rejected: urgent_watts")
