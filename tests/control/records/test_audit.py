"""What is edited, removed or cut off shows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from tests.control.records.lines import T0, action

from igoudar.control.records import state
from igoudar.control.records.audit import Verdict, last_anchor_holds, verify
from igoudar.control.records.chain import START, digest
from igoudar.control.records.engine import passes
from igoudar.control.records.opening import open_records
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.records.tables import PublishedRow
from igoudar.core.errors import StoreError
from igoudar.core.model_people import Auditing


def codes(verdict: Verdict) -> list[str]:
    return [problem.code for problem in verdict.problems]


def damage(records: Records, statement: str) -> Verdict:
    with records.engine.begin() as connection:
        connection.execute(text(statement))
    return verify(records)


def set_head(records: Records, first: str) -> None:
    with records.engine.begin() as connection:
        connection.execute(text("UPDATE audit_head SET number = 1, hash = :hash"), {"hash": first})


def test_each_line_follows_the_one_before_and_is_anchored(records: Records, tmp_path: Path) -> None:
    records.add([action("a")])
    records.add([action("b"), action("c")])
    rows = list(records.links())
    assert [row.previous for row in rows] == [START, rows[0].hash, rows[1].hash]
    assert records.head().hash == rows[2].hash
    lines = (tmp_path / "audit.anchor").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["1", rows[0].hash], ["3", rows[2].hash]]
    assert (verify(records).whole, verify(records).anchored) == (True, 3)


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("UPDATE actions SET who = 'nobody' WHERE id = 2", ["audit.edited"]),
        ("UPDATE actions SET params = '{}' WHERE id = 2", ["audit.edited"]),
        ("DELETE FROM actions WHERE id = 2", ["audit.missing"]),
        ("DELETE FROM actions WHERE id = 4", ["audit.head", "audit.cut"]),
        ("DELETE FROM actions", ["audit.head", "audit.cut"]),
        ("UPDATE audit_head SET number = 9", ["audit.head"]),
    ],
)
def test_damage_shows(records: Records, statement: str, shown: list[str]) -> None:
    for name in "abcd":
        records.add([action(name)])
    assert codes(damage(records, statement)) == shown


@pytest.mark.parametrize(
    "change",
    [
        "params = '{'",
        "who = CAST(x'7bff' AS TEXT)",
        "at = 'noon'",
        "params = '{\"p_w\": NaN}'",
        "who = x'7b'",
    ],
)
@pytest.mark.parametrize("number", [1, 3, 1500, 2400])
def test_a_line_that_can_t_be_read_is_named_and_the_others_looked_at(
    tmp_path: Path, change: str, number: int
) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action(str(n)) for n in range(2400)])
    spoiled = f"UPDATE actions SET {change} WHERE id = {number}"  # noqa: S608 - of ours
    verdict = damage(records, spoiled)
    (problem,) = verdict.problems
    assert problem.params["number"] == number
    readable = problem.code == "audit.edited"  # as JSON, but nobody could have recorded it
    assert readable == ("NaN" in change or "x'7b'" in change)
    assert readable or str(tmp_path / "state.sqlite") in problem.params["path"]
    assert (verdict.end, verdict.whole_to) == (records.head(), number - 1)
    after = damage(records, "DELETE FROM actions WHERE id = 2000")
    first = {problem.params.get("number", problem.params.get("first")) for problem in after.problems}
    assert first == {number, 2000}
    assert after.whole_to == (number - 1 if number < 2000 else 0)  # the only anchor is the last line's
    records.close()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_line_of_which_not_even_the_hash_can_be_read_costs_only_itself(tmp_path: Path, number: int) -> None:
    """The last one is anchored, and the head's."""
    records = Records.open(tmp_path / "state.sqlite")
    records.add([action(name) for name in "abcde"])
    spoiled = f"UPDATE actions SET hash = CAST(x'7bff' AS TEXT) WHERE id = {number}"  # noqa: S608 - of ours
    verdict = damage(records, spoiled)
    assert codes(verdict) == ["audit.unreadable"]
    assert (verdict.whole_to, verdict.end.number) == (number - 1, records.head().number)
    records.close()


def test_lines_that_were_rewritten_with_their_hash_are_not_told_to_be_whole(records: Records) -> None:
    """The break shows at the line behind them; what no anchor vouches for may be what was changed."""
    records.add([action("a"), action("b")])
    records.add([action(name) for name in "cdef"])
    forged = list(records.links())[3]
    forged.who = "nobody"
    verdict = damage(records, f"UPDATE actions SET who = 'nobody', hash = '{digest(forged)}' WHERE id = 4")  # noqa: S608
    assert codes(verdict) == ["audit.broken"]
    assert verdict.problems[0].params == {"number": 5}
    assert verdict.whole_to == 2


def test_a_chain_cut_and_grown_again_is_not_the_one_that_was_anchored(records: Records) -> None:
    for name in "abc":
        records.add([action(name)])
    first = records.actions(None)[-1].hash
    damage(records, "DELETE FROM actions WHERE id > 1")
    set_head(records, first)
    assert not last_anchor_holds(records)
    records.add([action("x")])
    records.add([action("y")])
    assert codes(verify(records)) == ["audit.unlike", "audit.unlike"]


def test_an_anchor_on_another_disk_shows_what_a_thorough_hand_hid(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    rules = Auditing(anchor_file=str(tmp_path / "elsewhere" / "igoudar.anchor"))
    records = open_records(rules, tmp_path)
    for name in "abc":
        records.add([action(name)])
    first = records.actions(None)[-1].hash
    damage(records, "DELETE FROM actions WHERE id > 1")
    set_head(records, first)
    lines = (tmp_path / "audit.anchor").read_text().splitlines(keepends=True)
    (tmp_path / "audit.anchor").write_text(lines[0])
    verdict = verify(records)
    records.close()
    assert codes(verdict) == ["audit.cut"]
    assert verdict.problems[0].params["path"] == rules.anchor_file


def test_an_anchor_that_is_gone_shows(records: Records, tmp_path: Path) -> None:
    records.add([action("a")])
    (tmp_path / "audit.anchor").unlink()
    assert codes(verify(records)) == ["audit.no_anchor"]


def test_a_power_cut_in_the_middle_of_an_anchor_s_line_costs_that_line_only(
    records: Records, tmp_path: Path
) -> None:
    records.add([action("a")])
    path = tmp_path / "audit.anchor"
    path.write_bytes(path.read_bytes() + b"2 deadbeef")
    records.add([action("b"), action("c")])
    assert verify(records).whole
    assert verify(records).anchored == 3


def test_lines_of_before_the_chain_are_chained_at_migration(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "state.sqlite")
    old.executescript(
        "CREATE TABLE actions (id INTEGER PRIMARY KEY, at DATETIME NOT NULL, who VARCHAR NOT NULL, "
        "verb VARCHAR NOT NULL, target VARCHAR NOT NULL, before VARCHAR, after VARCHAR, "
        "code VARCHAR NOT NULL, params JSON NOT NULL, result VARCHAR NOT NULL, "
        "config_version VARCHAR NOT NULL);"
        "INSERT INTO actions VALUES "
        "(3,'2026-03-01 00:00:00.000000','control','delay','a',NULL,'x','c','{}','done','v'),"
        "(7,'2026-03-01 00:00:01.000000','ada','hold','b',NULL,'x','c','{\"p_w\": 1.0}','done','v');"
        "PRAGMA user_version = 2;"
    )
    old.close()
    records = open_records(Auditing(), tmp_path)
    assert [(row.id, row.target) for row in records.links()] == [(1, "a"), (2, "b")]
    records.add([action("c")])
    assert verify(records).whole
    records.close()


def test_a_disk_is_low_before_it_is_full(records: Records, tmp_path: Path) -> None:
    free = [5000]
    room = AuditRoom(records, tmp_path, 1000, 100, lambda _: free[0])
    assert (room.look().low, room.look().full) == (False, False)
    free[0] = 999
    assert (room.look().low, room.look().full) == (True, False)
    free[0] = 99
    assert (room.look().low, room.look().full) == (True, True)


def test_an_anchor_s_disk_that_refuses_is_told(tmp_path: Path) -> None:
    rules = Auditing(anchor_file=str(tmp_path / "gone" / "anchor"))
    records = open_records(rules, tmp_path)
    room = AuditRoom(records, tmp_path, 0, 0, lambda _: 1)
    records.add([action("a")])
    assert "gone" in room.look().why
    (tmp_path / "gone").mkdir()
    records.add([action("b")])
    assert room.look().why == ""
    records.close()


def test_a_fault_of_ours_is_raised_and_does_not_stay_in_the_way(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: Callable[[], object] = action("a")
    broken.who = None  # type: ignore[attr-defined]  # who did it can't be left out
    with pytest.raises(StoreError):
        records.add([broken])  # type: ignore[list-item]
    records.add([action("b")])
    assert [row.target for row in records.links()] == ["b"]


def test_while_a_disk_is_full_for_long_the_audit_waits_longest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records.open(tmp_path / "state.sqlite")
    monkeypatch.setattr(state, "WAITING_MAX", 4)
    monkeypatch.setattr(state.engine, "passes", lambda _: True)
    with records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO away"))
        connection.execute(text("ALTER TABLE published RENAME TO away_too"))
    for n in range(6):
        records.merge([PublishedRow(name=str(n), time=T0, value=1.0, edition="x")])
    for n in range(4):
        records.add([action(f"job-{n}")])
    assert records.waiting == 4
    with pytest.raises(StoreError, match="too many audit lines"):
        records.add([action("job-5")])
    with records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO audit_head"))
    records.close()
    again = Records.open(tmp_path / "state.sqlite")
    assert [row.target for row in again.links()] == [f"job-{n}" for n in range(4)]
    again.close()


@pytest.mark.parametrize(
    ("query", "content", "words"), [("?mode=ro&uri=true", None, "readonly"), ("", b"no database", "not a")]
)
def test_a_database_that_takes_nothing_keeps_what_is_written_waiting(
    tmp_path: Path, query: str, content: bytes | None, words: str
) -> None:
    """A file system that went read-only, a file that is damaged: no fault of a statement of ours."""
    path = tmp_path / "state.sqlite"
    Records.open(path).close()
    if content is not None:
        path.write_bytes(100 * content)
    prefix = "file:" if query else ""
    records = Records(create_engine(f"sqlite:///{prefix}{path}{query}"), str(path))
    records.add([action("a")])
    assert records.waiting == 1
    assert words in AuditRoom(records, tmp_path, 0, 0).look().why
    records.close()


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (psycopg.errors.ReadOnlySqlTransaction, True),  # failed over to a standby
        (psycopg.errors.DataCorrupted, True),
        (psycopg.errors.InsufficientPrivilege, True),
        (psycopg.errors.UndefinedTable, False),
        (psycopg.errors.NotNullViolation, False),
    ],
)
def test_what_postgresql_may_take_later(error: type[psycopg.Error], waits: bool) -> None:
    wrapped = DBAPIError("INSERT", {}, error("refused"))
    assert passes(wrapped) is waits
