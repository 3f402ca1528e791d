"""A row that can't be read costs only itself, whatever is wrong with it."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.control.actuation.test_pauses import pause
from tests.control.records.lines import action

from igoudar.control.actuation.chronicle import Chronicle
from igoudar.control.actuation.packing import pack
from igoudar.control.actuation.proposals import Proposals
from igoudar.control.alarms.watch import Signal
from igoudar.control.demand_response import keeping
from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.request import EventKind, EventRequest
from igoudar.control.errors import UnknownNameError
from igoudar.control.mode import Modes
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.set_aside import SetAside
from igoudar.core.errors import CommandError

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAMAGE = {
    "a document that was cut off": '{"event": {',
    "bytes that are no text": b"\x7b\x22\xff\x7d",
    "another document": "[]",
    "none": "null",
}
ROW = "SELECT * FROM events WHERE id = ?"
Sql = Callable[..., list[Any]]


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records.open(tmp_path / "state.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def sql(records: Records, tmp_path: Path) -> Sql:
    def run(statement: str, *values: object) -> list[Any]:
        with sqlite3.connect(tmp_path / "state.sqlite") as database:
            database.text_factory = bytes
            found = database.execute(statement, values).fetchall()
        database.close()
        return found

    return run


def told(records: Records, *, writer: bool = True) -> list[Signal]:
    watch = SetAside("lab", Chronicle(records, "UTC", "v"), lambda: writer)
    return list(watch.signals(Picture(T0, lost=True)))


def two_events(records: Records) -> tuple[str, str]:
    book = Book(records, lambda now: None)
    caps = [EventRequest(EventKind.CAP, "operator", "ada", limit_w=limit_w) for limit_w in (1e6, 2e6)]
    damaged, whole = (book.take(cap, T0, 0.0, None).event_id for cap in caps)
    book.keep(Memory(at=T0), T0, moved=True)
    return damaged, whole


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_of_two_events_the_whole_one_is_taken_up(
    records: Records, sql: Sql, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    damaged, whole = two_events(records)
    sql("UPDATE events SET detail = CAST(? AS TEXT) WHERE id = ?", damage, damaged)
    before = sql(ROW, damaged)
    book = Book(records, lambda now: None)
    with caplog.at_level(logging.ERROR):
        memory = book.restore()
    assert list(book.events) == [whole]
    assert [one.event_id for one in book.open] == [whole]
    assert [damaged in line.getMessage() for line in caplog.records] == [True]
    book.advance(T0 + HOUR, None)
    book.keep(memory, T0 + HOUR, moved=True)
    assert sql(ROW, damaged) == before
    (alarm,) = told(records)
    assert (alarm.code, alarm.params["rows"]) == ("rows_unread", f"events {damaged}")


def test_an_event_of_a_kind_that_a_newer_igoudar_knows_is_not_acted_upon(records: Records, sql: Sql) -> None:
    newer, whole = two_events(records)
    sql("UPDATE events SET detail = json_set(detail, '$.event.kind', 'island') WHERE id = ?", newer)
    events, memory = keeping.kept(records)
    assert list(events) == [whole]
    assert memory.at == T0  # what was moved for all of them is still known
    assert records.aside.holds("events", newer)


def test_what_events_had_moved_may_be_lost_but_not_the_event(records: Records, sql: Sql) -> None:
    first, second = two_events(records)
    sql("UPDATE events SET detail = json_set(detail, '$.memory.effects', 'x') WHERE id = ?", first)
    events, memory = keeping.kept(records)
    assert set(events) == {first, second}
    assert memory == Memory()
    assert records.aside.holds("events", first)


@pytest.mark.parametrize(
    "change",
    [
        {"point": "teleport"},
        {"actuator": "tides"},
        {"origin": "oracle"},
        {"actuator": "battery", "point": "mood"},
        {"until": "tomorrow"},
        {"only_if": "x"},
        {"target": None},
        None,
    ],
    ids=str,
)
def test_a_proposal_that_can_not_be_read_is_neither_shown_nor_approved(
    records: Records, sql: Sql, change: dict[str, object] | None
) -> None:
    proposals = Proposals.open(records, HOUR.total_seconds(), T0)
    for name in ("bad", "good"):
        command = replace(pause(T0), command_id=name, target=f"job-{name}")
        proposals.propose(command, 1, None, None, T0)
    damaged = "{" if change is None else json.dumps(pack(replace(pause(T0), command_id="bad")) | change)
    sql("UPDATE proposals SET command = ? WHERE id = 'bad'", damaged)
    before = sql("SELECT * FROM proposals WHERE id = 'bad'")
    proposals = Proposals.open(records, HOUR.total_seconds(), T0)
    assert [row.id for row in proposals.waiting()] == ["good"]
    with pytest.raises(CommandError, match="can't be read"):
        proposals.approve("bad", "ada", "x", T0)
    with pytest.raises(UnknownNameError):
        proposals.get("never")
    assert proposals.approve("good", "ada", "x", T0)[1].target == "job-good"
    proposals.expire(T0 + 2 * HOUR)
    assert sql("SELECT * FROM proposals WHERE id = 'bad'") == before


def test_an_unknown_mode_is_the_calmest_one(records: Records, sql: Sql) -> None:
    Modes(records, "auto", None, T0, "run-a")
    sql("UPDATE mode_changes SET mode = 'dream'")
    assert Modes(records, "auto", None, T0 + HOUR, "run-a").mode == "observe"
    ours = Modes(records, "auto", None, T0 + HOUR, "run-b", writer=False)
    ours.take_over(T0 + HOUR)
    assert ours.mode == "observe"
    assert records.aside.holds("mode_changes", "1")


def test_each_row_is_told_once_and_by_the_writer(
    records: Records, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    records.add([action("a"), action("b")])
    sql("UPDATE actions SET params = '{' WHERE id = 1")
    with caplog.at_level(logging.ERROR):
        assert [row.target for row in records.actions()] == [row.target for row in records.actions()] == ["b"]
    assert len(caplog.records) == 1
    assert told(records, writer=False) == []
    (alarm,) = told(records)
    assert alarm.params["count"] == 1
    assert told(records) == []
    (line, *_) = records.actions()
    assert (line.verb, line.target, line.result) == ("set_aside", "actions 1", "unread")
