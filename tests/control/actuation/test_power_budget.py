"""The plan's power as the scheduler's budget: asked for when it must be, in nobody's way who may start."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.test_plan_service import plan_of

from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.power_budget import LASTS, BudgetOrders, committed
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.picture import Powers
from igoudar.control.plan_service import NOTHING_YET, InForce
from igoudar.control.planning.policy import Why
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.steering import BLIND_CYCLES, Moment
from igoudar.core.model import JobState

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SUPPLY = Powers(1e3, 0.0, 0.0, 0.0, 1e3, 1e3, 0.0, 0.0, T0)
RUNS, WAITS, HELD = JobState.RUNNING, JobState.WAITING, JobState.HELD


def job(name: str, state: JobState = RUNS, gpus: int = 8, **more: Any) -> QueuedJob:
    known = QueuedJob(name, name, "ada", gpus, state, True, T0, 3600.0, asked_w=700.0 * gpus)
    return replace(known, **more)


def wait(name: str, minutes: float) -> Decision:
    return Decision(name, Verb.WAIT, T0 + minutes * MINUTE, "control.wait")


@dataclass
class Rig:
    """Orders at speed 1 with a plan of so many GPUs; what is asked for stands at once."""

    site: Any
    gpus: float = 16.0
    auto: bool = True
    event: bool = False
    force: InForce | None = None
    memory: Memory = field(default_factory=Memory)
    now: datetime = T0
    blind: int = 0

    def __post_init__(self) -> None:
        rules = replace(self.site.scheduler, kind="slurm", watts_licence="watts")
        site = replace(self.site, scheduler=rules)
        self.orders = BudgetOrders(
            site, self._in_force, self.memory, 1.0, 5 * MINUTE, lambda: self.auto, lambda: self.event
        )

    def _in_force(self, now: datetime) -> InForce:
        plan = plan_of(T0, gpus=np.full(192, self.gpus))
        return self.force or InForce("optimal", Why("planner.solved"), plan)

    def cycle(
        self, *jobs: QueuedJob, decisions: tuple[Decision, ...] = (), minutes: float = 0
    ) -> list[Command]:
        self.now += minutes * MINUTE
        moment = Moment(self.now, SUPPLY, None, 1.1, True, self.blind, 10.0, T0)
        asked = self.orders.commands(moment, Queue(self.now, 64, 64, 64, jobs), decisions)
        for command in asked:
            self.memory.note(command, Success(command.value or 0.0), self.now)
        return asked

    def watts(self, *jobs: QueuedJob, **more: Any) -> list[float | None]:
        return [command.value for command in self.cycle(*jobs, **more)]


@pytest.fixture
def rig(lab: Any) -> Rig:
    return Rig(lab.site)


def test_what_the_plan_allows_is_asked_for_in_the_jobs_own_watts(rig: Rig) -> None:
    (command,) = rig.cycle(job("1"))
    assert (command.value, command.point, command.target) == (16 * 700.0, "budget", "slurm")
    assert command.until == T0 + LASTS
    assert rig.cycle(job("1"), minutes=1) == []  # it stands


def test_it_is_renewed_before_its_end_and_not_before(rig: Rig) -> None:
    rig.cycle(job("1"))
    assert rig.cycle(job("1"), minutes=10) == []
    (again,) = rig.cycle(job("1"), minutes=1.5)
    assert again.until == rig.now + LASTS


def test_a_job_that_may_start_is_let_in_at_once_and_other_changes_take_their_time(rig: Rig) -> None:
    rig.cycle(job("1"))
    rig.gpus = 12.0
    assert rig.watts(job("1"), minutes=0.5) == []
    assert rig.watts(job("1"), minutes=0.6) == [12 * 700.0]
    assert rig.watts(job("1"), job("2", WAITS, 32), minutes=0.1) == [40 * 700.0]


def test_a_job_that_waits_by_the_plan_is_no_reason_for_more(rig: Rig) -> None:
    rig.gpus = 8.0
    late = job("2", HELD, 32, begin_at=T0 + 60 * MINUTE)
    assert rig.watts(job("1"), late, decisions=(wait("2", 60),)) == [8 * 700.0]
    soon = (wait("2", 10),)  # its begin time comes before the budget could end without us
    assert rig.watts(job("1"), late, decisions=soon, minutes=0.1) == [40 * 700.0]


@pytest.mark.parametrize("why", ["advise", "no licence", "nobody asks"])
def test_none_is_asked_for(rig: Rig, why: str) -> None:
    rig.auto = why != "advise"
    if why == "no licence":
        rig.orders.site = replace(
            rig.orders.site, scheduler=replace(rig.orders.site.scheduler, watts_licence="")
        )
    one = job("1", asked_w=0.0) if why == "nobody asks" else job("1")
    assert rig.cycle(one) == []


def test_an_event_leaves_no_room_for_newcomers(rig: Rig) -> None:
    rig.event = True
    assert rig.watts(job("1")) == [8 * 700.0]


@pytest.mark.parametrize("blind", [False, True])
def test_without_a_plan_or_telemetry_the_budget_is_given_back_once(rig: Rig, blind: bool) -> None:
    rig.cycle(job("1"))
    rig.force, rig.blind = (None, BLIND_CYCLES) if blind else (NOTHING_YET, 0)
    (ended,) = rig.cycle(job("1"), minutes=1)
    assert (ended.value, ended.until, ended.code) == (None, None, "plant.budget_free")
    assert rig.cycle(job("1"), minutes=1) == []
    rig.force, rig.blind = None, 0
    assert rig.watts(job("1"), minutes=1) == [16 * 700.0]


def test_one_that_was_refused_is_not_taken_for_standing(rig: Rig) -> None:
    moment = Moment(T0, SUPPLY, None, 1.1, True, 0, 10.0, T0)
    queue = Queue(T0, 64, 64, 64, (job("1"),))
    for _ in range(2):
        (command,) = rig.orders.commands(moment, queue, ())
        rig.memory.note(command, Rejected("urgent_watts"), T0)


STATES = st.sampled_from([RUNS, WAITS, HELD, JobState.SUSPENDED, JobState.FINISHED])
JOBS = st.lists(
    st.builds(
        lambda n, state, gpus, flexible, minutes: job(
            str(n),
            state,
            gpus,
            flexible=flexible,
            begin_at=None if minutes is None else T0 + minutes * MINUTE,
        ),
        st.integers(1, 10**6),
        STATES,
        st.integers(1, 64),
        st.booleans(),
        st.none() | st.integers(-60, 600),
    ),
    max_size=12,
)


@given(jobs=JOBS, gpus=st.floats(0, 500), event=st.booleans())
def test_nobody_who_may_start_ever_waits_for_the_budget(
    lab: Any, jobs: list[QueuedJob], gpus: float, event: bool
) -> None:
    rig = Rig(lab.site, gpus=gpus, event=event)
    inside = sum(one.asked_w for one in committed(jobs, (), T0 + LASTS))
    for watts in rig.watts(*jobs):
        assert watts is not None
        assert watts >= inside
        assert watts <= max(inside, 700.0 * gpus) + 1 + 700.0 * 0.001
