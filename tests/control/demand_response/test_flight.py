import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.control.demand_response.cases import NOW

from igoudar.collectors.results import Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response import flight
from igoudar.control.demand_response.flight import Flight, forgotten
from igoudar.control.demand_response.levers import CapLever, Levers
from igoudar.control.demand_response.memory import Memory


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
