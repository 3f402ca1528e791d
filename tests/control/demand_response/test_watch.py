"""A limit that nothing is left for is an alarm once the response time is over; so is one without a yes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.control.demand_response.rig import CYCLE_S, Rig, rig

from igoudar.control.alarms.rules import Condition
from igoudar.control.demand_response.document import events_view
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.demand_response.watch import EventWatch
from igoudar.core.errors import CommandError
from igoudar.core.i18n import render

AUTO = dict.fromkeys(("jobs", "caps", "battery", "loads"), "auto")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Rig]:
    made = rig(tmp_path, jobs=())
    yield made
    made.room.book.records.close()


def cap(site: Rig, ratio: float, source: str = "operator") -> str:
    end = site.now + timedelta(minutes=30)
    limit_w = ratio * site.load_w
    return site.open(EventRequest(EventKind.CAP, source, "ada", "test", limit_w=limit_w, ends_at=end))


class Watched:
    """The alarm engine's part: conditions from cycle to cycle."""

    def __init__(self, site: Rig, modes: dict[str, str]) -> None:
        self.site, self.watch = site, EventWatch(site.room, lambda: modes)
        self.before: dict[tuple[str, str], Condition] = {}
        self.texts: dict[str, str] = {}

    async def active(self, seconds: float) -> set[str]:
        """Codes that are alarms after so long."""
        for _ in range(round(seconds / CYCLE_S)):
            await self.site.run(CYCLE_S)
            for signal in self.watch.signals(self.site.picture(), self.before):
                self.before[signal.key] = signal.condition
                self.texts[signal.code] = render(f"alarms.{signal.code}", signal.params, "en")
        return {code for (code, _), condition in self.before.items() if condition.active}


async def test_a_limit_below_what_levers_reach_is_an_alarm_after_the_response_time(site: Rig) -> None:
    site.room.rules = replace(site.room.rules, levers=frozenset({"caps"}))
    watched = Watched(site, AUTO)
    assert await watched.active(20.0) == set()
    name = cap(site, 0.8)
    assert await watched.active(20.0) == set()
    assert site.event(name).short_w > 0.0
    assert await watched.active(40.0) == {"event_short"}
    assert name in watched.texts["event_short"]
    site.room.cancel(name, "ada")
    assert await watched.active(120.0) == set()


async def test_in_advise_only_an_event_from_outside_waits_for_a_person(site: Rig) -> None:
    watched = Watched(site, {**AUTO, "jobs": "advise"})
    cap(site, 0.98)
    assert await watched.active(60.0) == set()
    assert {one.approved_by for one in site.carrier.done} == {("ada",)}
    name = cap(site, 0.97, "webhook")
    before = len(site.carrier.done)
    assert await watched.active(60.0) == {"event_unapproved"}
    assert {one.approved_by for one in site.carrier.done[before:]} == {()}
    site.room.approve(name, "bob")
    assert await watched.active(60.0) == set()
    with pytest.raises(CommandError, match="already"):
        site.room.approve(name, "bob")
    assert site.room.book.restore() is not None
    assert site.event(name).approved_by == ("bob",)


async def test_while_it_acts_an_event_shows_what_each_lever_gives_now(site: Rig) -> None:
    name = cap(site, 0.85)
    await site.run(60.0)
    live = {one.lever: one for one in events_view(site.room).events[0].levers}
    assert live["jobs"].count == len(site.room.memory.paused) > 0
    assert live["jobs"].power_w == pytest.approx(site.event(name).used_w["jobs"], rel=0.2)
