"""What control watches of itself, from the condition to the alarm and the audit line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.control.records.lines import action

from igoudar.control.alarms.rules import Condition
from igoudar.control.alarms.watch import Signal
from igoudar.control.lease.file import FileLease
from igoudar.control.picture import Picture
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.upkeep import NOT_WRITER_S, Upkeep
from igoudar.core.clock import JumpWatch

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Rig:
    upkeep: Upkeep
    records: Records
    lease: FileLease
    free: list[int]
    conditions: dict[tuple[str, str], Condition] = field(default_factory=dict)
    now: datetime = T0

    def cycle(self, seconds: float = 10.0) -> dict[str, Signal]:
        """One control cycle; what holds or happened."""
        self.now += timedelta(seconds=seconds)
        signals = list(self.upkeep.signals(Picture(self.now), self.conditions))
        self.conditions |= {signal.key: signal.condition for signal in signals}
        return {signal.code: signal for signal in signals if signal.condition.active or signal.pulse}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    records, lease, free = Records.open(tmp_path / "state.sqlite"), FileLease(tmp_path), [10**10]
    lease.take()
    room = AuditRoom(records, tmp_path, 1000, 100, lambda _: free[0])
    upkeep = Upkeep("lab", records, room, lease, lambda: T0, "v1")
    yield Rig(upkeep, records, lease, free)
    lease.close()
    records.close()


def test_nothing_to_say_on_a_good_day(rig: Rig) -> None:
    rig.upkeep.start()
    assert rig.cycle() == {}


def test_the_audit_s_disk_warns_before_it_stops(rig: Rig) -> None:
    rig.free[0] = 999
    assert rig.cycle().keys() == {"audit_low"}
    rig.free[0] = 99
    assert rig.cycle().keys() == {"audit_low", "audit_full"}
    rig.free[0] = 10**10
    assert rig.cycle() == {}


def test_a_jump_of_the_wall_clock_is_an_alarm_and_a_line(rig: Rig) -> None:
    rig.upkeep.look(1000.0, 50.0)
    rig.upkeep.look(1001.1, 51.0)
    assert rig.cycle() == {}
    rig.upkeep.look(4602.0, 52.0)
    assert rig.cycle()["clock_jumped"].params["jump_s"] == pytest.approx(3599.9)
    assert rig.cycle() == {}
    rig.upkeep.look(1003.0, 53.0)
    assert rig.cycle()["clock_jumped"].params["jump_s"] == pytest.approx(-3600.0)
    lines = [(row.who, row.verb, row.before, row.config_version) for row in reversed(rig.records.actions())]
    assert lines == [
        ("control", "clock_jump", "1970-01-01T00:16:42.100000+00:00", "v1"),
        ("control", "clock_jump", "1970-01-01T01:16:43+00:00", "v1"),
    ]


def test_who_is_not_the_writer_says_so_after_a_while(rig: Rig) -> None:
    rig.lease.close()
    assert rig.cycle() == {}
    assert rig.cycle(NOT_WRITER_S).keys() == {"not_writer"}
    rig.lease.take()
    assert rig.cycle() == {}


def test_an_audit_that_was_cut_while_we_were_down_is_an_alarm(rig: Rig) -> None:
    for name in "ab":
        rig.records.add([action(name)])
    with rig.records.engine.begin() as connection:
        connection.execute(text("DELETE FROM actions WHERE id = 2"))
    rig.upkeep.start()
    assert rig.cycle().keys() == {"audit_broken"}


def test_a_jump_that_the_audit_does_not_take_is_told_later(rig: Rig) -> None:
    rig.upkeep.start()
    rig.upkeep.look(1000.0, 0.0)
    rename(rig.records, "actions", "away")
    rig.upkeep.look(4600.0, 1.0)
    rig.upkeep.look(4601.0, 2.0)
    rename(rig.records, "away", "actions")
    rig.upkeep.look(4602.0, 3.0)
    rig.upkeep.look(4603.0, 4.0)
    assert [row.verb for row in rig.records.links()] == ["clock_jump"]


def rename(records: Records, before: str, after: str) -> None:
    with records.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


def test_small_steps_are_no_jumps() -> None:
    watch = JumpWatch()
    assert [watch.look(100.0 + 1.0005 * n, float(n)) for n in range(100)] == [0.0] * 100
