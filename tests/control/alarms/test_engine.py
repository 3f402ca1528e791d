from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from igoudar.control.alarms.digest import Digest
from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.alarms.notify import Notifier
from igoudar.control.alarms.states import AlarmState
from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.roster import Roster, roster
from igoudar.core.errors import ConfigError
from igoudar.core.model import AlarmRule, Device, Hall, Kind, Reading, Site

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOT = AlarmRule("rack_inlet_high", Kind.RACK_SENSORS, "inlet_c", 2, high=27.0, deadband=0.5)


def thousand() -> Roster:
    devices = tuple(
        Device(f"sensors-{n:04}", Kind.RACK_SENSORS, "none", "", f"rack-{n:04}", hall=f"hall-{n % 2}")
        for n in range(1000)
    )
    halls = (Hall("hall-0"), Hall("hall-1"))
    site = Site("big", "Big", 0, 0, 0, "UTC", halls, (), (), devices, alarms=(HOT,))
    return roster(site, {}, 1.0)


def picture(
    plant: Roster, at: datetime, inlet_c: float = 22.0, silent_since: datetime | None = None
) -> Picture:
    names = [device.name for device in plant.site.devices]
    if silent_since:
        return Picture(at, {}, dict.fromkeys(names, silent_since))
    return Picture(at, {n: Reading(at, n, {"inlet_c": inlet_c}) for n in names}, dict.fromkeys(names, at))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records.open(tmp_path / "state.sqlite")
    yield opened
    opened.close()


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


async def test_a_thousand_devices_drop_at_once_and_each_group_pages_once(
    records: Records, tmp_path: Path, capsys: Any
) -> None:
    plant = thousand()
    engine, digest, notifier = AlarmEngine(plant, records, T0), Digest(), Notifier(records, tmp_path, "en")
    for second in range(0, 120, 5):
        raised = engine.evaluate(picture(plant, T0 + seconds(second), silent_since=T0), {})
        notifier.post(digest.take(raised, T0 + seconds(second)))
    assert len(engine.listed()) == 1000
    assert notifier.count == 2
    await notifier.deliver()
    assert len((tmp_path / "notifications.jsonl").read_text().splitlines()) == 2
    assert "500 alarms" in capsys.readouterr().err


def test_a_square_wave_is_one_notification(records: Records) -> None:
    plant = thousand()
    engine, digest = AlarmEngine(plant, records, T0), Digest()
    notices = []
    for step in range(50):
        at = T0 + seconds(step * 5)
        raised = engine.evaluate(picture(plant, at, inlet_c=28.0 if step % 2 else 20.0), {})
        notices += digest.take(raised, at)
    assert len(notices) == 2  # one per hall
    assert engine.listed()[0].life.occurrences == 25


def test_what_a_group_window_held_back_is_announced_at_its_end(records: Records) -> None:
    plant = thousand()
    engine, digest = AlarmEngine(plant, records, T0), Digest()
    names = [device.name for device in plant.site.devices]
    hot: dict[str, float] = {}
    sizes = []
    for step in range(0, 100, 10):
        at = T0 + seconds(step)
        if step < 30:
            hot |= {names[step]: 28.0}
        readings = {n: Reading(at, n, {"inlet_c": hot.get(n, 22.0)}) for n in names}
        found = engine.evaluate(Picture(at, readings, dict.fromkeys(names, at)), {})
        sizes += [(step, len(notice.alarms)) for notice in digest.take(found, at)]
    assert sizes == [(0, 1), (60, 2)]


def test_alarms_survive_a_restart(records: Records) -> None:
    plant = thousand()
    engine = AlarmEngine(plant, records, T0)
    engine.evaluate(picture(plant, T0, inlet_c=30.0), {})
    engine.acknowledge(engine.listed()[0].id, "operator", "seen", T0)
    again = AlarmEngine(plant, records, T0 + seconds(60))
    assert len(again.listed()) == 1000
    assert again.evaluate(picture(plant, T0 + seconds(60), inlet_c=30.0), {}) == []
    assert sum(alarm.life.acknowledged_by == "operator" for alarm in again.listed()) == 1


def test_a_collector_that_comes_back_has_time_to_open_its_links_again(records: Records) -> None:
    plant = thousand()
    engine = AlarmEngine(plant, records, T0)
    engine.evaluate(picture(plant, T0), {})
    stale_s = plant.stale_s(plant.site.devices[0])
    back = T0 + seconds(100 * stale_s)
    engine.evaluate(Picture(back, {}, {}, lost=True), {})
    for age_s in (0.1 * stale_s, 1.9 * stale_s):
        at = back + seconds(age_s)
        engine.evaluate(picture(plant, at, silent_since=T0), {})
        assert {alarm.code for alarm in engine.listed()} == {"telemetry_lost"}
    engine.evaluate(picture(plant, back + seconds(2.1 * stale_s), silent_since=T0), {})
    assert len(engine.listed()) == 1001


def test_a_device_that_was_silent_before_stays_so_when_the_collector_comes_back(records: Records) -> None:
    plant = thousand()
    engine = AlarmEngine(plant, records, T0)
    engine.evaluate(picture(plant, T0 + seconds(60), silent_since=T0), {})
    engine.evaluate(Picture(T0 + seconds(70), {}, {}, lost=True), {})
    engine.evaluate(picture(plant, T0 + seconds(71), silent_since=T0), {})
    silent = [alarm.life for alarm in engine.listed() if alarm.code == "device_silent"]
    assert len(silent) == 1000
    assert all(life.active and life.occurrences == 1 for life in silent)


def test_an_alarm_that_returned_still_says_what_it_was_about(records: Records) -> None:
    plant = thousand()
    engine = AlarmEngine(plant, records, T0)
    held = True

    def held_up(seen: Picture, before: Conditions) -> Iterator[Signal]:
        told: dict[str, object] = {"why": "it is busy"} if held else {}
        yield standing("not_authorised", "big", 1, held, seen.at, before, told)

    engine.watches.append(held_up)
    engine.evaluate(picture(plant, T0), {})
    held = False
    engine.evaluate(picture(plant, T0 + seconds(5)), {})
    (alarm,) = engine.listed()
    assert alarm.life.state is AlarmState.RETURNED_UNACKNOWLEDGED
    assert alarm.params["why"] == "it is busy"


async def test_a_target_that_is_down_gets_it_later_and_once(records: Records, tmp_path: Path) -> None:
    plant = thousand()
    engine, notifier = AlarmEngine(plant, records, T0), Notifier(records, tmp_path, "en")
    blocked = tmp_path / "notifications.jsonl"
    blocked.mkdir()  # the file can't be written
    notifier.post(Digest().take(engine.evaluate(picture(plant, T0, inlet_c=30.0), {}), T0))
    assert await notifier.deliver() == 1
    blocked.rmdir()
    again = Notifier(records, tmp_path, "en")
    assert await again.deliver() == 0
    assert await again.deliver() == 0
    assert len(blocked.read_text().splitlines()) == 2


async def test_while_the_records_take_nothing_people_are_told_from_memory_and_once(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = thousand()
    raised = AlarmEngine(plant, records, T0).evaluate(picture(plant, T0, inlet_c=30.0), {})
    notifier, told = Notifier(records, tmp_path, "en"), tmp_path / "notifications.jsonl"
    monkeypatch.setattr("igoudar.control.records.engine.passes", lambda _: True)
    rename(records, "notices", "away")
    notifier.post(Digest().take(raised, T0))
    for _ in range(2):
        assert await notifier.deliver() == 0
        assert len(told.read_text().splitlines()) == 2
    rename(records, "away", "notices")
    records.add([])
    assert len(records.open_notices()) == 2 * 2  # now they are kept, for two targets
    assert await notifier.deliver() == 0
    assert records.open_notices() == []
    assert len(told.read_text().splitlines()) == 2


def rename(records: Records, before: str, after: str) -> None:
    with records.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


async def test_hostile_names_do_not_steer_the_terminal(records: Records, tmp_path: Path, capsys: Any) -> None:
    device = Device("\x1b]0;owned\x07", Kind.RACK_SENSORS, "none", "", "rack\x1b[2J")
    site = Site("s", "S", 0, 0, 0, "UTC", (), (), (), (device,), alarms=(HOT,))
    plant = roster(site, {}, 1.0)
    notifier = Notifier(records, tmp_path, "fr")
    raised = AlarmEngine(plant, records, T0).evaluate(picture(plant, T0, inlet_c=30.0), {})
    notifier.post(Digest().take(raised, T0))
    await notifier.deliver()
    shown = capsys.readouterr().err
    assert "rack?[2J" in shown
    assert "\x1b" not in shown


def test_a_target_that_is_no_url_is_named_by_line_not_by_secret(records: Records, tmp_path: Path) -> None:
    (tmp_path / "notify.urls").write_text("# people\nnonsense:secret\n")
    with pytest.raises(ConfigError, match="line 2") as error:
        Notifier(records, tmp_path, "en")
    assert "secret" not in str(error.value)
