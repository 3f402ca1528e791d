import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.control.demand_response.cases import NOW
from tests.control.demand_response.rig import plan_of

from igoudar.collectors.results import Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response import flight
from igoudar.control.demand_response.delivery import Delivery
from igoudar.control.demand_response.flight import Flight, forgotten
from igoudar.control.demand_response.levers import CapLever, JobLever, Levers, Pause, Sight, Wishes
from igoudar.control.demand_response.memory import Memory, observed
from igoudar.control.demand_response.orders import Mandate, Orders
from igoudar.core.model import JobState


class Slow:
    """Answers when the test lets it."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def submit(self, commands: Sequence[Command], now: object) -> list[Outcome]:
        await self.go.wait()
        return [Outcome(command, Success(command.value or 0.0)) for command in commands]


def cap(target: str, limit_w: float) -> Command:
    end = NOW + timedelta(minutes=3)
    return Command(
        target, ActuatorClass.CAPS, target, "power_limit_w", NOW, end, Origin.EVENT, "control",
        "events.power_limit_w", {}, limit_w,
    )  # fmt: skip


async def test_a_slow_device_holds_nobody_up_and_is_reckoned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "QUICK_S", 0.01)
    carrier = Slow()
    going, levers = Flight(carrier), Levers(caps=(CapLever("shelf-1", 100e3, 120e3, 90e3, 120e3),))
    assert await going.send([cap("shelf-1", 90e3)], NOW) == []
    assert going.busy
    memory = going.expected(Memory(), levers, NOW)
    assert memory.pending_facility_w == -10e3
    assert going.landed() == []
    carrier.go.set()
    await asyncio.sleep(0)
    while going.busy:
        await asyncio.sleep(0)
    (outcome,) = going.landed()
    assert outcome.result == Success(90e3)
    assert forgotten(memory, [outcome]).effects == ()
    assert going.landed() == []


async def test_what_is_on_its_way_is_given_up_at_the_end() -> None:
    going = Flight(Slow())
    task = asyncio.create_task(going.send([cap("shelf-1", 90e3)], NOW))
    await asyncio.sleep(0)
    await going.stop()
    assert await task == []


async def test_what_is_still_on_its_way_counts_as_done_however_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flight, "QUICK_S", 0.01)
    carrier, lever = Slow(), CapLever("shelf-1", 100e3, 120e3, 90e3, 120e3)
    late, orders = NOW + timedelta(seconds=40), Orders(plan_of("dakhla-phase1").site, 1.0)
    delivery = Delivery(carrier, orders, lambda rows: None, lambda: None, lambda: late)
    wishes, levers = Wishes(caps={"shelf-1": 90e3}), Levers(caps=(lever,))
    memory, _ = await delivery.carry(wishes, Memory(), levers, Mandate("event-1"), NOW)
    seen = Sight(late, 20e6, None, late + timedelta(seconds=30))
    assert observed(memory, seen, levers, {}, 3.0).effects == ()
    memory = delivery.pending(observed(memory, seen, levers, {}, 3.0), levers)
    assert memory.pending_facility_w == -10e3
    await delivery.stop()


async def test_a_pause_that_was_asked_for_late_in_a_long_cycle_is_on_the_meter_later_too() -> None:
    """Readings from before its answer don't show it: counting them would pause others for the same watts."""
    answered = NOW + timedelta(seconds=8)
    running = JobLever("job-1", 100, JobState.RUNNING, 143e3, 155e3, 3600.0, 0.0)
    carrier, orders = Slow(), Orders(plan_of("dakhla-phase1").site, 1.0)
    carrier.go.set()
    delivery = Delivery(carrier, orders, lambda rows: None, lambda: None, lambda: answered)
    wishes = Wishes(pauses=(Pause("job-1", NOW + timedelta(hours=1)),))
    memory, _ = await delivery.carry(wishes, Memory(), Levers((running,)), Mandate("event-1"), NOW)
    early = Sight(answered, 20e6, None, NOW + timedelta(seconds=6))
    stands = Levers((replace(running, state=JobState.SUSPENDED),))
    assert observed(memory, early, stands, {}, 3.0).pending_facility_w == -143e3
    later = Sight(answered, 20e6, None, answered + timedelta(seconds=3))
    assert observed(memory, later, stands, {}, 3.0).pending_facility_w == 0.0
