"""A battery that an event lets go hears it, also when the first telling is lost or has to wait."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from tests.control.demand_response.cases import NOW
from tests.control.demand_response.rig import plan_of

from igoudar.collectors.results import Error, Rejected, Result, Success
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response import flight
from igoudar.control.demand_response.delivery import Delivery
from igoudar.control.demand_response.levers import Levers, Wishes
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.orders import Mandate, Orders
from igoudar.core.model import Kind

MANDATE = Mandate("event-1")
CYCLE = timedelta(seconds=10)
SITE = plan_of("dakhla-phase1").site
UNITS = [device.name for device in SITE.devices if device.kind is Kind.BATTERY]


@dataclass
class Batteries:
    """What each unit was told last; each answers as it is told to, when it may."""

    answer: Result | None = None  # None: as asked
    free: asyncio.Event = field(default_factory=asyncio.Event)
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    count: int = 0

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        await self.free.wait()
        return [Outcome(command, self._one(command)) for command in commands]

    def _one(self, command: Command) -> Result:
        assert command.actuator is ActuatorClass.BATTERY
        self.count += 1
        if self.answer is not None:
            return self.answer
        value = command.value or 0.0
        self.told[(command.target, command.point)] = value
        return Success(value)

    def let_go(self) -> bool:
        return {name for (name, _), value in self.told.items() if value == 100.0} == set(UNITS)


@dataclass
class Rig:
    """A delivery, cycle by cycle."""

    batteries: Batteries
    delivery: Delivery
    memory: Memory = field(default_factory=Memory)
    now: datetime = NOW

    async def cycle(self, wish_w: float | None) -> None:
        self.memory, _ = await self.delivery.carry(
            Wishes(battery_w=wish_w), self.memory, Levers(), MANDATE, self.now
        )
        self.now += CYCLE


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(flight, "QUICK_S", 0.01)
    batteries = Batteries()
    batteries.free.set()
    return Rig(
        batteries, Delivery(batteries, Orders(SITE, 1.0), lambda rows: None, lambda: None, lambda: NOW)
    )


async def test_it_is_told_once(site: Rig) -> None:
    await site.cycle(2e6)
    await site.cycle(None)
    assert site.batteries.let_go()
    assert site.memory.battery_w is None
    count = site.batteries.count
    for _ in range(30):
        await site.cycle(None)
    assert site.batteries.count == count


@pytest.mark.parametrize("answer", [Error("no answer"), Rejected("too_soon"), Rejected("no_telemetry")])
async def test_a_refusal_is_not_the_last_word(site: Rig, answer: Result) -> None:
    await site.cycle(2e6)
    site.batteries.answer = answer
    await site.cycle(None)
    assert not site.batteries.let_go()
    site.batteries.answer = None
    await site.cycle(None)
    assert site.batteries.let_go()


async def test_what_is_still_on_its_way_only_delays_it(site: Rig) -> None:
    site.batteries.free.clear()
    await site.cycle(2e6)
    await site.cycle(None)
    assert site.batteries.told == {}
    site.batteries.free.set()
    while site.delivery.busy:
        await asyncio.sleep(0)
    assert site.memory.battery_w is None
    await site.cycle(None)
    assert site.batteries.let_go()


async def test_a_new_wish_takes_its_place(site: Rig) -> None:
    await site.cycle(2e6)
    site.batteries.answer = Error("no answer")
    await site.cycle(None)
    site.batteries.answer = None
    await site.cycle(3e6)
    assert not site.batteries.let_go()


async def test_once_its_hold_is_over_it_is_asked_no_more(site: Rig) -> None:
    await site.cycle(2e6)
    site.batteries.answer = Error("no answer")
    for _ in range(40):
        await site.cycle(None)
    count = site.batteries.count
    await site.cycle(None)
    assert site.batteries.count == count
    assert count < 2 * len(UNITS) * 20
