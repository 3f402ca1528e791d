"""An event that waits for a person asks for the same until there is a yes, and is carried out with it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.control.demand_response.rig import CYCLE_S, ClusterCarrier, Rig, rig

from igoudar.collectors.results import Rejected
from igoudar.control.actuation.command import Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response.delivery import Delivery
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.core.model import JobState


class Advised:
    """Carries out what somebody stands behind; the rest waits, or is refused for `word`."""

    def __init__(self, carrier: ClusterCarrier, word: str) -> None:
        self.carrier, self.word = carrier, word
        self.asked: set[str] = set()

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        return [await self._one(command, now) for command in commands]

    async def _one(self, command: Command, now: datetime) -> Outcome:
        if command.approved_by or not self.word:
            return (await self.carrier.submit([command], now))[0]
        self.asked.add(command.target)
        waits = command.command_id if self.word == "proposed" else None
        return Outcome(command, Rejected(self.word), waits)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Rig]:
    made = rig(tmp_path)
    yield made
    made.room.book.records.close()


def advised(site: Rig, word: str) -> Advised:
    room, carrier = site.room, Advised(site.carrier, word)
    room._delivery = Delivery(carrier, room.orders, room._keep_pauses, room._tell, room.now)
    return carrier


def shed(site: Rig) -> str:
    end = site.now + timedelta(minutes=30)
    return site.open(EventRequest(EventKind.SHED, "webhook", "grid", "test", share=0.2, ends_at=end))


def running(site: Rig, names: set[str]) -> list[str]:
    return sorted(name for name in names if site.plant.cluster.jobs[name].state is JobState.RUNNING)


async def test_it_asks_for_what_it_needs_and_for_nothing_else_in_the_meantime(site: Rig) -> None:
    carrier = advised(site, "proposed")
    shed(site)
    await site.run(1.0)
    first = running(site, carrier.asked)
    await site.run(12 * CYCLE_S)
    later = running(site, carrier.asked)
    assert first
    assert len(later) < 1.1 * len(first)


@pytest.mark.parametrize("word", ["proposed", "hands_off", "observe", "no_lease", "audit_full"])
async def test_what_may_go_at_last_goes_at_once(site: Rig, word: str) -> None:
    carrier = advised(site, word)
    name = shed(site)
    await site.run(3 * CYCLE_S)
    assert site.room.memory.paused == {}
    if word == "proposed":
        site.room.approve(name, "bob")
    else:
        carrier.word = ""
    await site.run(3 * CYCLE_S)
    assert site.room.memory.paused
    assert site.load_w < 1.02 * site.event(name).limit_w


async def test_a_pause_that_a_person_approves_by_itself_is_the_event_s_to_end(site: Rig) -> None:
    site.room.pauses = site.room.book.records.merge
    carrier = advised(site, "proposed")
    shed(site)
    await site.run(3 * CYCLE_S)
    name = running(site, carrier.asked)[0]
    site.plant.cluster.suspend(name)
    await site.run(2 * CYCLE_S)
    assert name in site.room.memory.paused
