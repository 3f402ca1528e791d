"""An import limit in virtual time: the grid meter under it in every minute, whatever the battery does."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.control.demand_response.rig import Rig, rig

from igoudar.control.demand_response.document import preview
from igoudar.control.demand_response.event import EventState
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.core.model import Kind
from igoudar.simulators.plant.weather import Conditions

MW = 1e6
SECOND = timedelta(seconds=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Rig]:
    made = rig(tmp_path)
    weaken(made, bare_w(made) - 10 * MW)
    made.plant.step(60.0)
    made.read()
    yield made
    made.room.book.records.close()


def cap(site: Rig, limit_w: float, minutes: float) -> str:
    end = site.now + timedelta(minutes=minutes)
    kind = EventKind.IMPORT_CAP
    return site.open(EventRequest(kind, "operator", "ada", "test", limit_w=limit_w, ends_at=end))


def bare_w(site: Rig) -> float:
    """Import if the battery stood still."""
    return site.plant.grid_w + site.plant.battery.power_w


def weaken(site: Rig, rise_w: float, w_per_min: float = 0.0) -> None:
    """The wind gives so much more from now on (negative = less), and less each minute."""
    began_s, plain, wind = site.plant.time_s, site.plant.weather.at, site.roster.site.wind

    def at(time_s: float) -> Conditions:
        sky = plain(time_s)
        lost_w = w_per_min * max(0.0, time_s - began_s) / 60.0 - rise_w
        return sky._replace(wind_ratio=max(0.0, sky.wind_ratio - lost_w / (wind.ac_w * wind.derating)))

    site.plant.weather.at = at  # type: ignore[method-assign]


def minutes_w(site: Rig) -> list[float]:
    """Mean import of every whole minute, by the plant's own energy."""
    by_time = dict(site.import_wh)
    marks = [(at, wh) for at, wh in by_time.items() if at % 60.0 == 0.0]
    return [(later - before) * 60.0 for (_, before), (_, later) in pairwise(marks)]


def units(site: Rig) -> set[str]:
    return {device.name for device in site.roster.site.devices if device.kind is Kind.BATTERY}


@pytest.mark.parametrize("w_per_min", [0.0, 0.05 * MW, 0.3 * MW])
async def test_every_minute_is_held_while_the_wind_dies_down(site: Rig, w_per_min: float) -> None:
    assert 8 * MW < bare_w(site) < 12 * MW  # the battery can do it alone
    weaken(site, 0.0, w_per_min)
    name = cap(site, 1 * MW, 20.0)
    await site.run(1140.0)
    assert max(minutes_w(site)[1:]) <= 1 * MW
    assert site.event(name).minutes.missed == 0
    assert site.event(name).minutes.met >= 16


async def test_a_battery_that_gives_a_little_less_than_asked_leaves_no_lasting_error(site: Rig) -> None:
    site.carrier.weak = 0.94
    cap(site, 1 * MW, 20.0)
    await site.run(600.0)
    assert site.room.memory.paused == {}
    assert max(minutes_w(site)[1:]) <= 1 * MW


async def test_what_the_battery_cannot_give_at_its_rating_others_do(site: Rig) -> None:
    over_w = bare_w(site) - 1 * MW
    bank = site.roster.site.battery
    assert bank.power_w > over_w
    for unit in site.plant.battery.converters.values():
        unit.share *= 0.5 * over_w / bank.power_w  # most of its units are out of order
    name = cap(site, 1 * MW, 20.0)
    await site.run(600.0)
    assert max(minutes_w(site)[2:]) <= 1 * MW
    assert site.event(name).used_w["jobs"] + site.event(name).used_w["caps"] > 0.3 * over_w


@pytest.mark.parametrize("how", ["refuse", "deaf"])
async def test_when_the_battery_refuses_or_does_nothing_the_others_step_in(site: Rig, how: str) -> None:
    for unit in site.plant.battery.converters.values():
        unit.rates.storage_mode_state = 3.0
        unit.rates.discharge_rate_pct = unit.rates.charge_rate_pct = 0.0
    getattr(site.carrier, how).update(units(site))
    await site.run(30.0)
    over_w = site.plant.grid_w - 1 * MW
    assert over_w > 1 * MW
    name = cap(site, site.plant.grid_w - 1 * MW, 20.0)
    await site.run(300.0)
    event = site.event(name)
    assert max(minutes_w(site)[3:]) <= event.limit_w
    assert site.room.memory.paused or site.room.memory.caps
    assert event.short_w == 0.0


async def test_the_battery_is_not_lowered_before_what_replaces_it_is_on_the_meter(site: Rig) -> None:
    """It must last for hours: others take over, but the import never rises above its limit meanwhile."""
    name = cap(site, 1 * MW, 10 * 60.0)
    highest_w = 0.0
    for _ in range(60):
        await site.run(5.0)
        highest_w = max(highest_w, site.plant.grid_w)
    assert highest_w <= 1 * MW
    assert site.event(name).used_w["jobs"] > 0.0
    assert site.plant.battery.power_w < 0.9 * (bare_w(site) + site.event(name).used_w["jobs"])


async def test_a_preview_says_what_the_battery_gives_until_the_end_and_what_the_others_do(site: Rig) -> None:
    await site.cycle()
    end = site.now + timedelta(hours=10)
    kind = EventKind.IMPORT_CAP
    tried = preview(site.room, EventRequest(kind, "operator", "ada", "test", limit_w=1 * MW, ends_at=end))
    given = {one.lever: one.power_w for one in tried.levers}
    assert given["battery"] * 10.0 <= 0.75 * site.roster.site.battery.energy_wh
    assert sum(given.values()) - given["delays"] == pytest.approx(bare_w(site) - 1 * MW, rel=0.1)


async def test_a_limit_is_not_reached_before_it_was_asked_for(site: Rig) -> None:
    await site.run(2.0 * 5.0)
    site.plant.step(5.0)
    name = cap(site, site.plant.grid_w + 5 * MW, 5.0)
    await site.cycle()
    assert site.event(name).reached_at is None
    await site.run(30.0)
    event = site.event(name)
    assert event.reached_at is not None
    assert event.reached_at >= event.at


async def test_the_end_gives_the_battery_back(site: Rig) -> None:
    name = cap(site, 1 * MW, 8.0)
    await site.until(name, EventState.DONE)
    assert site.room.memory.battery_w is None
    rates = [unit.rates for unit in site.plant.battery.converters.values()]
    assert {(one.discharge_rate_pct, one.charge_rate_pct) for one in rates} == {(100.0, 100.0)}


async def test_a_battery_that_is_not_heard_for_a_while_is_not_let_go(site: Rig) -> None:
    name = cap(site, 1 * MW, 20.0)
    await site.run(300.0)
    asked_w, before = site.room.memory.battery_w, len(site.carrier.done)
    assert asked_w
    site.dead |= {device.name for device in site.roster.power_devices("battery")}
    await site.run(300.0)
    assert site.room.memory.battery_w == asked_w
    rates = {(one.point, one.value) for one in site.carrier.done[before:] if one.target in units(site)}
    assert rates  # renewed
    assert 100.0 not in {value for _, value in rates}
    site.room.cancel(name, "ada")
    await site.until(name, EventState.CANCELLED)
    assert site.room.memory.battery_w is None  # whether it is heard or not
