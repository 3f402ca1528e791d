"""The plan's caps on a site's shelves: asked for where jobs can wait, given back, judged by the guard."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests.control.test_plan_service import Solver, plan_of

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import Origin
from igoudar.control.actuation.guard.judge import judge
from igoudar.control.actuation.guard.rules import rules
from igoudar.control.actuation.guard.verdict import Allowed
from igoudar.control.actuation.guard.view import Held, View
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.actuation.sight import Sight
from igoudar.control.ledger import Books, Ledger
from igoudar.control.picture import Picture, Powers
from igoudar.control.plan_caps import PlanCaps, caps_stand, dimmed
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planning.policy import Why
from igoudar.control.roster import roster
from igoudar.control.steering import Moment, Steering
from igoudar.core.model import JobState, Reading
from igoudar.core.model_scheduler import Scheduling
from igoudar.core.site import load_site
from igoudar.core.throughput import throughput_ratio

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFE = timedelta(minutes=5)
FULL_W = 132e3
SHELF = {"active_power_w": 110e3, "power_limit_w": FULL_W, "limit_enabled_state": 0.0}
LIMITS = {"limit_low_w": 29_040.0, "limit_high_w": FULL_W}
SHELVES = {f"shelf-a1-{n:02}": {**SHELF, **LIMITS} for n in range(1, 4)}


@pytest.fixture(scope="module")
def plant() -> Any:
    profiles = load_profiles()
    site = replace(load_site("jazari-lab", profiles), scheduler=Scheduling(kind="slurm"))
    return roster(site, profiles, 1.0)


class Listening(Solver):
    """Keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asks: list[Ask] = []

    async def answer(self, ask: Ask, limit_s: float) -> Plan | NoPlan:
        self.asks.append(ask)
        return await super().answer(ask, limit_s)


def sight(plant: Any, *jobs: QueuedJob) -> Sight:
    readings = {name: Reading(NOW, name, found) for name, found in SHELVES.items()}
    picture = Picture(NOW, readings, dict.fromkeys(readings, NOW))
    return Sight(plant, picture, {job.job_id: job for job in jobs})


def job(name: str, rack: str, *, flexible: bool = True, due_h: float = 24.0) -> QueuedJob:
    due = NOW + timedelta(hours=due_h)
    return QueuedJob(name, name, "u", 8, JobState.RUNNING, flexible, NOW, 3600.0, racks=(rack,), deadline=due)


def moment(at: datetime = NOW, *, fresh: bool = True) -> Moment:
    powers = Powers(0.0, 0.0, 0.0, 0.0, 1e6, 1e6, 0.0, 0.0, at)
    return Moment(at, powers, 50.0, 1.1, fresh, 0, 10.0, at)


def saving(saved_w: float) -> Plan:
    """1 kW of flexible power in every step, and so much saved beside it."""
    return plan_of(NOW, saved_w=np.full(192, saved_w))


async def caps_of(plan: Plan | None, memory: Memory | None = None) -> PlanCaps:
    solver = Solver()
    service = PlanService(solver, 1.0)
    if plan is not None:
        solver.next = plan
        service.ask(None, NOW)  # type: ignore[arg-type]
        await service.settled()
    return PlanCaps(service, memory or Memory(), 0.85, LIFE)


async def test_the_plans_cap_is_asked_of_racks_whose_jobs_can_wait(plant: Any) -> None:
    caps = await caps_of(saving(100.0))
    seen = sight(
        plant,
        job("urgent", "a1-01", flexible=False),
        job("hurried", "a1-02", due_h=1.5),
        job("patient", "a1-03"),
    )
    (command,) = caps.commands(seen, moment())
    assert (command.target, command.point, command.origin.value) == ("shelf-a1-03", "power_limit_w", "plan")
    assert command.value == pytest.approx(FULL_W * 0.93)  # 0.22 + 0.78 x 1 / 1.1, to a hundredth
    assert command.expires_at == NOW + LIFE


@pytest.mark.parametrize("expected_h", [5.0, 20.0, 80.0])
async def test_a_job_that_is_capped_from_its_start_on_is_let_go_in_time(
    plant: Any, expected_h: float
) -> None:
    caps, due_h = await caps_of(saving(300.0)), expected_h + 1.5
    slowed = throughput_ratio(0.85)
    done_h = ran_h = 0.0
    while done_h < expected_h:
        patient = job("patient", "a1-03", due_h=due_h - ran_h)
        seen = sight(plant, replace(patient, expected_s=expected_h * 3600, work_done_s=ran_h * 3600))
        capped = any(one.target == "shelf-a1-03" for one in caps.commands(seen, moment()))
        assert capped or ran_h > 0.0
        ran_h, done_h = ran_h + 0.25, done_h + 0.25 * (slowed if capped else 1.0)
    assert ran_h <= due_h


async def test_no_cap_goes_under_the_sites_least(plant: Any) -> None:
    caps = await caps_of(saving(5e3))
    values = [command.value for command in caps.commands(sight(plant), moment())]
    assert values == [pytest.approx(0.85 * FULL_W)] * 3


async def test_a_cap_that_stands_is_renewed_in_time_and_given_back_when_it_is_not_wanted(plant: Any) -> None:
    memory = Memory()
    caps, seen = await caps_of(saving(100.0), memory), sight(plant)
    first = caps.commands(seen, moment())
    for command in first:
        memory.note(command, Success(command.value or 0.0), NOW)
    assert caps.commands(seen, moment(NOW + timedelta(minutes=1))) == []
    again = caps.commands(seen, moment(NOW + timedelta(minutes=3)))
    assert [one.value for one in again] == [one.value for one in first]
    blind = caps.commands(seen, moment(NOW + timedelta(minutes=1), fresh=False))
    assert [(one.value, one.code) for one in blind] == [(FULL_W, "plant.caps_free")] * 3


async def test_what_an_event_holds_is_left_to_it(plant: Any) -> None:
    memory = Memory()
    caps, seen = await caps_of(saving(100.0), memory), sight(plant)
    for command in caps.commands(seen, moment()):
        memory.note(replace(command, origin=type(command.origin).EVENT), Success(1.0), NOW)
    assert caps.commands(seen, moment(NOW + timedelta(minutes=3))) == []


async def test_without_a_plan_or_anything_to_save_nothing_is_asked(plant: Any) -> None:
    for plan in (None, plan_of(NOW), saving(0.0)):
        caps = await caps_of(plan)
        assert caps.commands(sight(plant), moment()) == []


async def test_the_guard_judges_the_plans_caps_like_anybodys(plant: Any) -> None:
    caps, seen = await caps_of(saving(100.0)), sight(plant)
    (command, *_) = caps.commands(seen, moment())
    view = View(
        now=NOW,
        picture=seen.picture,
        lease=True,
        hands_off=False,
        modes={"caps": "auto"},
        started_at=NOW - timedelta(hours=1),
        jobs=seen.jobs,
    )
    assert isinstance(judge(command, rules(plant), view), Allowed)
    assert judge(command, rules(plant), replace(view, modes={"caps": "observe"})) == Rejected("observe")
    assert judge(command, rules(plant), replace(view, hands_off=True)) == Rejected("hands_off")


@pytest.mark.parametrize(("busy", "left"), [(72, 0.5), (36, 1.0), (48, 0.75)])
def test_what_stands_of_caps_is_not_taken_for_urgent_load(plant: Any, busy: int, left: float) -> None:
    half_w = (0.22 + 0.78 / 2) * FULL_W  # half of the power above idle
    seen, memory = sight(plant, replace(job("a", "a1-01"), gpus=busy)), Memory()
    assert set(dimmed(seen, memory, 0.22).values()) == {1.0}
    memory.held[("shelf-a1-01", "power_limit_w")] = Held(
        half_w, "power_limit_w", Origin.EVENT, NOW, NOW + LIFE
    )
    found = dimmed(seen, memory, 0.22)
    assert found["a1-01"] == pytest.approx(left)  # half of 72 GPUs at full power take no more than that
    assert found["a1-02"] == 1.0
    late = replace(seen, picture=replace(seen.picture, at=NOW + LIFE))
    assert dimmed(late, memory, 0.22)["a1-01"] == 1.0
    reading = Reading(
        NOW, "shelf-a1-01", {**SHELF, **LIMITS, "power_limit_w": half_w, "limit_enabled_state": 1.0}
    )
    told = replace(seen.picture, readings={**seen.picture.readings, "shelf-a1-01": reading})
    assert dimmed(replace(seen, picture=told), Memory(), 0.22)["a1-01"] == pytest.approx(left)


async def test_the_planner_is_told_urgent_load_beside_caps(plant: Any) -> None:
    solver, running = Listening(), job("a", "a1-01")
    planner = PlanService(solver, 1.0)
    queue = Queue(NOW, 64, 64, 64, (running,))
    steering = Steering(plant.site, Ledger(180.0), Books({}), planner, dimmed=lambda: {"a1-01": 0.5})
    steering.decide(moment(), queue, ())
    await planner.settled()
    (ask,) = solver.asks
    assert ask.view.urgent_w == pytest.approx(1e6 - 8 * 0.5 * ask.view.limits.gpu_w)
    assert steering.dimming.ratios(np.array([NOW.timestamp(), NOW.timestamp() + 900.0])) == pytest.approx(0.5)


@pytest.mark.parametrize(("mode", "heard"), [("auto", True), ("auto", False), ("advise", True)])
async def test_the_plan_reckons_with_caps_only_while_they_are_carried_out(
    plant: Any, mode: str, heard: bool
) -> None:
    site = replace(plant.site, plan=replace(plant.site.plan, caps=True))
    seen = sight(plant) if heard else Sight(plant, Picture(NOW, lost=True))
    solver = Listening()
    stand = caps_stand(site, lambda actuator: mode, lambda: seen)
    planner = PlanService(solver, 1.0)
    steering = Steering(site, Ledger(180.0), Books({}), planner, caps_stand=stand)
    steering.decide(moment(), Queue(NOW, 64, 64, 64, ()), ())
    await planner.settled()
    (ask,) = solver.asks
    reckons = mode == "auto" and heard
    assert bool(ask.view.limits.cap_curve) is reckons
    assert (Why("planner.note_caps") in ask.notes) is not reckons
